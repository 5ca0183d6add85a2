"""Small networks by the thousand, from addresses of our own: the engine's own stock is thirty or so."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterator, Sequence
from itertools import islice

from pytest_itbench.environments.docker.engine import make_trouble
from pytest_itbench.environments.docker.trouble import Cause

Subnet = ipaddress.IPv4Network
PREFIX = 27
"""Thirty addresses: eight hosts, the control machine, the gateways, and the bridge's own."""
TRIES = 64


def find_free(pools: Sequence[Subnet], taken: Sequence[Subnet]) -> Iterator[Subnet]:
    """Networks from the pools that do not touch what is taken, in no order that another process has too.

    Raises:
        EngineTrouble: nothing of the pools is free.
    """
    sound = [part for pool in pools for part in _leave_out(pool, taken)]
    count = sum(_count(part) for part in sound)
    if not count:
        names = ", ".join(map(str, pools))
        message = f"no addresses for networks: all of {names} is taken by routes of the engine's machine"
        raise make_trouble(message, Cause.NO_ADDRESSES)
    for _ in range(min(TRIES, count)):
        yield _pick(sound, secrets.randbelow(count))


def _leave_out(pool: Subnet, taken: Sequence[Subnet]) -> list[Subnet]:
    """The parts of a pool that do not touch what is taken and are large enough."""
    parts = [pool]
    for other in taken:
        parts = [piece for part in parts for piece in _cut(part, other)]
    return [part for part in parts if part.prefixlen <= PREFIX]


def _cut(part: Subnet, other: Subnet) -> list[Subnet]:
    if not part.overlaps(other):
        return [part]
    return [] if part.subnet_of(other) else list(part.address_exclude(other))


def _count(part: Subnet) -> int:
    return int(2 ** (PREFIX - part.prefixlen))


def _pick(parts: Sequence[Subnet], number: int) -> Subnet:
    """One small network by its number."""
    for part in parts:
        if number < _count(part):
            start = int(part.network_address) + number * 2 ** (32 - PREFIX)
            return Subnet((start, PREFIX))
        number -= _count(part)
    raise IndexError(number)


def find_addresses(subnet: Subnet, count: int) -> list[str]:
    """The last addresses of a network, which the engine, beginning at the first, does not give away by itself."""
    return [str(address) for address in islice(reversed(list(subnet.hosts())), count)]
