"""What machines of an attempt may use together, and what a place has for them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """An amount of what is scarce: either what an attempt may use, or what a place has.

    Attributes:
        memory, disk: bytes.
        cpus: processors.
        pids: processes and threads; on a cluster, pods.
        share: how much of the turns at a cluster: all of them, 1, for what must be alone there.
    """

    memory: float = 0
    cpus: float = 0
    pids: float = 0
    disk: float = 0
    share: float = 0

    def __add__(self, other: Load) -> Load:
        return Load(**{name: getattr(self, name) + getattr(other, name) for name in AMOUNTS})

    def fits(self, room: Load) -> bool:
        """Whether there is room for all of it."""
        return all(getattr(self, name) <= getattr(room, name) for name in AMOUNTS)

    def share_of(self, whole: Load) -> float:
        """The largest share that it takes of anything, 0 and up."""
        parts = ((getattr(self, name), getattr(whole, name)) for name in AMOUNTS)
        return max(part / of if of else float(part > 0) for part, of in parts)

    def find_excess(self, whole: Load) -> str:
        """The first amount of which there is less than is asked for; empty when there is none."""
        return next((name for name in AMOUNTS if getattr(self, name) > getattr(whole, name)), "")


AMOUNTS = tuple(field.name for field in fields(Load))


def cap_cpus(load: Load, whole: Load) -> Load:
    """The load with no more processors than there are: with fewer it is slower, but it runs."""
    return replace(load, cpus=min(load.cpus, whole.cpus))


def describe_amount(name: str, amount: float) -> str:
    """An amount for people, as in ``1.5 GiB memory``."""
    return f"{amount / 1024**3:.1f} GiB {name}" if name in ("memory", "disk") else f"{amount:g} {name}"
