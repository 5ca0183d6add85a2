"""One machine of an attempt as a container: what it is made of, and what bounds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from docker.types import LogConfig, Ulimit

from pytest_itbench.domain.scenario import HostLimits
from pytest_itbench.environments.docker.disk import has_quota
from pytest_itbench.environments.docker.engine import Engine
from pytest_itbench.errors import EngineTrouble

USUAL_CAPABILITIES = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
    "SYS_CHROOT",
)
"""What an administrator's everyday work needs on a host: users, owners, services on low ports, ssh."""
# The engine's resolver knows the attempt's own names; it would ask others for all the rest, and wait for them.
NO_RESOLVER = "127.0.0.1"
# What root of a machine writes to its main process's output is kept by the engine, outside of the machine's limits.
LOG_SIZE = "1m"
NO_QUOTA = "storage-opt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a container is made of.

    Attributes:
        name: its host name, and its name on the attempt's network.
        capabilities: what its root may do; a machine without any may not gain privileges by programs either.
        names: names that lead to addresses, beside those of the network.
        outside: it is on the engine's own network too, and asks the real name service.
        address: its address on the attempt's network; chosen by the engine unless given.
    """

    name: str
    image: str
    command: tuple[str, ...]
    limits: HostLimits
    capabilities: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    volumes: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    outside: bool = False
    address: str = ""


def create_machine(
    engine: Engine, machine: Machine, *, container: str, network: str, labels: Mapping[str, str]
) -> None:
    """Create the container; it is not started.

    Raises:
        EngineTrouble
    """
    options = _describe(engine, machine, network, labels)
    quota = {"storage_opt": {"size": str(machine.limits.disk)}} if has_quota(engine) else {}
    with engine.errors(f"creating {machine.name}"):
        try:
            _create(engine, machine, container, {**options, **quota})
        except EngineTrouble as trouble:
            if not quota or NO_QUOTA not in trouble.message:
                raise
            _create(engine, machine, container, options)  # quotas are not switched on there
        if machine.outside:
            engine.client.networks.get(network).connect(container, ipv4_address=machine.address)


def _create(engine: Engine, machine: Machine, container: str, options: Mapping[str, Any]) -> None:
    with engine.errors(f"creating {machine.name}"):
        engine.client.containers.create(machine.image, list(machine.command), name=container, **options)


def _describe(engine: Engine, machine: Machine, network: str, labels: Mapping[str, str]) -> dict[str, Any]:
    limits = machine.limits
    return {
        "hostname": machine.name,
        "init": True,
        "user": "0:0",
        "labels": dict(labels),
        "environment": dict(machine.environment),
        "volumes": {volume: {"bind": place, "mode": "ro"} for volume, place in machine.volumes.items()},
        "extra_hosts": dict(machine.names),
        "mem_limit": limits.memory,
        "memswap_limit": limits.memory,
        "nano_cpus": int(limits.cpus * 1e9),
        "pids_limit": limits.pids,
        "ulimits": [Ulimit(name="fsize", soft=limits.disk, hard=limits.disk), Ulimit(name="core", soft=0, hard=0)],
        "cap_drop": ["ALL"],
        "cap_add": list(machine.capabilities),
        "security_opt": [] if machine.capabilities else ["no-new-privileges"],
        **({} if engine.is_podman else {"log_config": LogConfig(type="json-file", config={"max-size": LOG_SIZE})}),
        **_describe_network(engine, machine, network),
    }


def _describe_network(engine: Engine, machine: Machine, network: str) -> dict[str, Any]:
    if machine.outside:
        # No privilege is needed for low ports in a network of one's own.
        return {"network": "bridge", "sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"}}
    endpoint = engine.api.create_endpoint_config(aliases=[machine.name], ipv4_address=machine.address or None)
    return {
        "network": network,
        "networking_config": {network: endpoint},
        "dns": [NO_RESOLVER],
        "dns_opt": ["timeout:1", "attempts:1"],
    }
