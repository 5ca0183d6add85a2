"""An attempt's network: without a way out, but for gateways to what the scenario grants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from pytest_itbench.domain.scenario import Grant
from pytest_itbench.environments.docker.engine import PATIENCE, Engine, make_trouble
from pytest_itbench.environments.docker.subnets import Subnet, find_addresses, find_free
from pytest_itbench.environments.docker.trouble import Cause
from pytest_itbench.errors import EngineTrouble

# Without an address on its bridge, the machine that runs the engine cannot be reached from inside either.
OPTIONS = {"com.docker.network.bridge.inhibit_ipv4": "true"}
OTHERS_HAVE_IT = (Cause.ADDRESS_TAKEN, Cause.NAME_TAKEN)


def create_network(
    engine: Engine, name: str, labels: Mapping[str, str], pools: Sequence[Subnet], taken: Sequence[Subnet]
) -> Subnet:
    """Create the network on addresses that nobody has; the engine says when another run was quicker.

    Raises:
        EngineTrouble: it cannot be created, or every address that was tried is taken.
    """
    for subnet in find_free(pools, taken):
        try:
            with engine.errors("creating the attempt's network"):
                (_create_podmans if engine.is_podman else _create)(engine, name, labels, subnet)
        except EngineTrouble as trouble:
            if trouble.cause not in OTHERS_HAVE_IT:
                raise
            continue
        return subnet
    raise make_trouble("creating the attempt's network: every subnet that was tried is taken", Cause.NO_ADDRESSES)


def _create(engine: Engine, name: str, labels: Mapping[str, str], subnet: Subnet) -> None:
    ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnet))])
    engine.client.networks.create(name, internal=True, options=OPTIONS, labels=dict(labels), ipam=ipam)


def _create_podmans(engine: Engine, name: str, labels: Mapping[str, str], subnet: Subnet) -> None:
    # Docker's interface has no word for a network without a name service, and Podman's asks others for all it is asked.
    url = f"{engine.api.base_url}/v4.0.0/libpod/networks/create"
    own = {"driver": "bridge", "internal": True, "dns_enabled": False, "subnets": [{"subnet": str(subnet)}]}
    answer = engine.api.post(url, json={**own, "name": name, "labels": dict(labels)}, timeout=PATIENCE)
    if not answer.ok:
        raise APIError(answer.text, response=answer, explanation=answer.text)


def open_gateways(
    grants: Sequence[Grant], subnet: Subnet, start: Callable[[str, str, list[str]], None]
) -> dict[str, str]:
    """Start a machine per grant that passes on what comes to the granted ports; gives each name's address inside.

    Names lead to gateways by the hosts' own files, so that a gateway itself asks the real name service.
    """
    addresses = find_addresses(subnet, len(grants))
    for number, (grant, address) in enumerate(zip(grants, addresses, strict=True), start=1):
        start(f"gateway-{number}", address, ["sh", "-c", render_forwarders(grant)])
    return {grant.name: address for grant, address in zip(grants, addresses, strict=True)}


def render_forwarders(grant: Grant) -> str:
    """A shell script that listens on each port and goes on for as long as one of them does."""
    lines = [f"socat TCP-LISTEN:{port},fork,reuseaddr TCP:{grant.name}:{port} &" for port in grant.ports]
    return "\n".join([*lines, "wait"])
