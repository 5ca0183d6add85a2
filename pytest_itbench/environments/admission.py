"""Who may start machines, and where: as many attempts at once as fit, of all workers together.

The admission lives in the process that the user started; workers reach it through `pytest_itbench.sharing`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from pytest_itbench.domain.capacity import Load, cap_cpus, describe_amount
from pytest_itbench.errors import EngineTrouble, NoRoom

FRESH = 5.0
"""Seconds for which what other runs use is taken to be unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A place for one attempt's machines; `problem` says why there is none and never will be."""

    number: int
    place: str
    problem: str = ""


class AdmissionKeeper(Protocol):
    """What a worker needs of the admission, in this process or another."""

    def enter(self, holder: str, load: Load) -> Lease:
        """Wait until there is room somewhere."""

    def leave(self, number: int) -> None:
        """Give a lease back."""


class Places(Protocol):
    """What the admission asks of a provider."""

    def find_places(self) -> Mapping[str, Load]:
        """What each place has for machines, by name."""

    def find_foreign_load(self, place: str) -> Load:
        """What other runs use there."""


class Admission:
    """Leases places in the order in which they are asked for; of several with room, the one that is used least."""

    def __init__(self, places: Callable[[], Places]) -> None:
        """`places` is called when the first lease is asked for."""
        self._find = places
        self._places: Places | None = None
        self._whole: dict[str, Load] = {}
        self._leases: dict[int, tuple[str, str, Load]] = {}
        self._queue: deque[int] = deque()
        self._gone: set[str] = set()
        self._foreign: dict[str, tuple[float, Load]] = {}
        self._changed = threading.Condition()
        self._next = 0
        self.peak = 0

    def enter(self, holder: str, load: Load) -> Lease:
        """Wait for room; whoever came first goes first, so that a large scenario is not overtaken for ever.

        Raises:
            EngineTrouble: the places cannot be looked at.
        """
        with self._changed:
            self._next += 1
            number = self._next
            whole = self._look()
            if problem := find_problem(load, whole):
                return Lease(number=number, place="", problem=problem)
            self._queue.append(number)
            try:
                place = self._await_room(number, holder, load)
            finally:
                self._queue.remove(number)
                self._changed.notify_all()
            if place:
                self._leases[number] = (holder, place, cap_cpus(load, whole[place]))
                self.peak = max(self.peak, len(self._leases))
            return Lease(number=number, place=place, problem="" if place else "the process that asked is gone")

    def leave(self, number: int) -> None:
        """Give a lease back."""
        with self._changed:
            self._leases.pop(number, None)
            self._changed.notify_all()

    def forget(self, holder: str) -> None:
        """Free what a process held that died."""
        with self._changed:
            self._gone.add(holder)
            for number in [number for number, lease in self._leases.items() if lease[0] == holder]:
                del self._leases[number]
            self._changed.notify_all()

    def _look(self) -> dict[str, Load]:
        if self._places is None:
            places = self._find()
            self._whole, self._places = dict(places.find_places()), places
        return self._whole

    def _await_room(self, number: int, holder: str, load: Load) -> str:
        while holder not in self._gone:
            if self._queue[0] == number and (place := self._find_room(load)):
                return place
            self._changed.wait(FRESH)
        return ""

    def _find_room(self, load: Load) -> str:
        """The least used place with room; empty when there is none now."""
        shares = {}
        for place, whole in self._whole.items():
            wanted = cap_cpus(load, whole)
            used = self._find_used(place)
            # Alone, it may always: what others of this machine use is not for us to wait for without end.
            alone = not any(lease[1] == place for lease in self._leases.values())
            if find_problem(load, {place: whole}) == "" and (alone or (used + wanted).fits(whole)):
                shares[place] = (used + wanted).share_of(whole)
        return min(shares, key=lambda place: shares[place], default="")

    def _find_used(self, place: str) -> Load:
        looked, foreign = self._foreign.get(place, (-FRESH, Load()))
        if self._places and time.monotonic() - looked >= FRESH:
            with suppress(EngineTrouble):  # it may pass; whoever starts machines there will meet it
                foreign = self._places.find_foreign_load(place)
            self._foreign[place] = (time.monotonic(), foreign)
        return sum((lease[2] for lease in self._leases.values() if lease[1] == place), start=foreign)


def find_problem(load: Load, places: Mapping[str, Load]) -> str:
    """Why no place will ever have room; empty when one will."""
    lacking = {name: cap_cpus(load, whole).find_excess(whole) for name, whole in places.items()}
    if not all(lacking.values()):
        return ""
    place, amount = next(iter(lacking.items()), ("", ""))
    if not amount:
        return "there is no place for machines"
    wanted = describe_amount(amount, getattr(load, amount))
    return f"its machines may use {wanted}, but {place} has {describe_amount(amount, getattr(places[place], amount))}"


@contextmanager
def leased(admission: AdmissionKeeper, holder: str, load: Load) -> Iterator[str]:
    """A place for the length of the block.

    Raises:
        NoRoom: no place is large enough.
    """
    lease = admission.enter(holder, load)
    if lease.problem:
        raise NoRoom(lease.problem, hint="lower the scenario's limits, or say what there is: --itbench-capacity")
    try:
        yield lease.place
    finally:
        admission.leave(lease.number)
