"""One limit and one budget for all requests of a run, however many processes ask.

The gate lives in the process that the user started; workers reach it by a socket of this machine.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.managers import BaseManager, Server
from typing import Any, Protocol, cast

from pytest_itbench.domain.budget import Budget

SMALLEST = 1.0
SHRINK = 0.5
GROW = 1.0
"""How many more requests at once are allowed after as many good ones as are allowed now."""


class GateKeeper(Protocol):
    """What a model needs of the gate, in this process or another."""

    def enter(self, holder: str) -> str:
        """Wait for a place; gives an empty text, or why there is none any more."""

    def leave(self, holder: str, limited: bool, tokens: int, dollars: float) -> None:  # noqa: FBT001  # crosses processes by position
        """Give the place back and say what was spent, and whether the provider asked for fewer requests."""


class Gate:
    """Admits requests: at most `limit` at once, fewer while the provider says that it is too many.

    Additive increase, multiplicative decrease: a refusal halves what is allowed, good replies let it grow again.
    """

    def __init__(self, limit: int, budget: Budget) -> None:
        self._limit, self._allowed, self._budget = float(limit), float(limit), budget
        self._places: dict[str, int] = {}
        self._free = threading.Condition()
        self._started = time.monotonic()
        self._spent = {"requests": 0, "tokens": 0, "dollars": 0.0, "limited": 0, "peak": 0}

    def enter(self, holder: str) -> str:
        """Wait for a place."""
        with self._free:
            while True:
                if exhausted := self._find_exhausted():
                    return exhausted
                if sum(self._places.values()) < max(SMALLEST, self._allowed // 1):
                    break
                self._free.wait(self._find_remaining())
            self._places[holder] = self._places.get(holder, 0) + 1
            self._spent["requests"] += 1
            self._spent["peak"] = max(self._spent["peak"], sum(self._places.values()))
            return ""

    def leave(self, holder: str, limited: bool, tokens: int, dollars: float) -> None:  # noqa: FBT001  # see GateKeeper
        """Give a place back."""
        with self._free:
            if self._places.get(holder):
                self._places[holder] -= 1
            self._spent["tokens"] += tokens
            self._spent["dollars"] += dollars
            self._spent["limited"] += limited
            changed = self._allowed * SHRINK if limited else self._allowed + GROW / self._allowed
            self._allowed = min(self._limit, max(SMALLEST, changed))
            self._free.notify_all()

    def forget(self, holder: str) -> None:
        """Free the places of a process that died."""
        with self._free:
            self._places.pop(holder, None)
            self._free.notify_all()

    def report(self) -> dict[str, float]:
        """What was spent so far: requests, tokens, dollars, refusals for being too many, most requests at once."""
        with self._free:
            return dict(self._spent)

    def _find_exhausted(self) -> str:
        budget, spent = self._budget, self._spent
        if budget.requests is not None and spent["requests"] >= budget.requests:
            return f"the budget of {budget.requests} requests is spent"
        if budget.tokens is not None and spent["tokens"] >= budget.tokens:
            return f"the budget of {budget.tokens} tokens is spent"
        if budget.dollars is not None and spent["dollars"] >= budget.dollars:
            return f"the budget of {budget.dollars:g} US dollars is spent"
        if budget.seconds is not None and time.monotonic() - self._started >= budget.seconds:
            return f"the budget of {budget.seconds:g} seconds is spent"
        return ""

    def _find_remaining(self) -> float | None:
        if self._budget.seconds is None:
            return None
        return max(0.0, self._budget.seconds - (time.monotonic() - self._started))


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a gate is reached: a socket, and the key that proves a worker."""

    place: str
    key: str


@contextmanager
def serve_gate(gate: Gate) -> Iterator[Address]:
    """Let other processes of this machine use the gate while the block runs."""

    class Serving(BaseManager):
        """A type of its own, because what it serves is registered with the type."""

    Serving.register("gate", callable=lambda: gate, exposed=("enter", "leave"))
    key = secrets.token_bytes(32)
    server = Serving(authkey=key).get_server()
    thread = threading.Thread(target=_serve, args=(server,), name="itbench-gate", daemon=True)
    thread.start()
    try:
        yield Address(place=str(server.address), key=key.hex())
    finally:
        server.stop_event.set()  # type: ignore[attr-defined]  # set by serve_forever


def _serve(server: Server) -> None:
    server.stop_event = threading.Event()  # type: ignore[attr-defined]  # before anybody can set it
    try:
        server.serve_forever()
    except SystemExit:  # how serve_forever ends
        return


class Reaching(BaseManager):
    """A worker's end of the socket."""


Reaching.register("gate", exposed=("enter", "leave"))


def reach_gate(address: Address) -> GateKeeper:
    """The gate of another process.

    Raises:
        ConnectionError: that process is gone.
    """
    manager = Reaching(address=address.place, authkey=bytes.fromhex(address.key))
    manager.connect()
    return cast("GateKeeper", cast("Any", manager).gate())
