"""How the control machine reaches the hosts: the inventory, and a key for one attempt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pytest_itbench.domain.scenario import Host


def render_inventory(hosts: Sequence[Host]) -> bytes:
    """The inventory in YAML: every host, and the groups that the scenario declares."""
    groups: dict[str, dict[str, Any]] = {}
    for host in hosts:
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    names: dict[str, dict[str, str]] = {host.name: {} for host in hosts}
    return yaml.safe_dump({"all": {"hosts": names, "children": groups}}).encode()


def make_key() -> tuple[bytes, bytes]:
    """A fresh key pair in OpenSSH's formats: private, public."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private, public + b" attempt\n"
