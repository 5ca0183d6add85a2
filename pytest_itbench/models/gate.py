"""One limit and one budget for all requests of a run, however many processes ask.

The gate lives in the process that the user started; workers reach it through `pytest_itbench.sharing`.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

from pytest_itbench.domain.budget import Budget

SMALLEST = 1.0
SHRINK = 0.5
GROW = 1.0
"""How many more requests at once are allowed after as many good ones as are allowed now."""


class GateKeeper(Protocol):
    """What a model needs of the gate, in this process or another."""

    def enter(self, holder: str) -> str:
        """Wait for a place; gives an empty text, or why there is none any more."""

    def leave(self, holder: str, limited: bool, tokens: int, dollars: float, answered: bool = True) -> None:  # noqa: FBT001, FBT002  # crosses processes by position
        """Give the place back; say what was spent, whether it was too much at once, and whether it was answered."""


class Gate:
    """Admits requests: at most `limit` at once, fewer while the provider says that it is too many.

    Additive increase, multiplicative decrease: a refusal halves what is allowed, good replies let it grow again.
    What is under way is expected to cost what requests cost so far, so that a budget is passed by one request at most.
    """

    def __init__(self, limit: int, budget: Budget) -> None:
        self._limit, self._allowed, self._budget = float(limit), float(limit), budget
        self._places: dict[str, int] = {}
        self._answered = 0
        self._gone: set[str] = set()
        self._free = threading.Condition()
        self._started: float | None = None
        self._spent = {"requests": 0, "tokens": 0, "dollars": 0.0, "limited": 0, "peak": 0}

    def enter(self, holder: str) -> str:
        """Wait for a place."""
        with self._free:
            self._started = self._started or time.monotonic()
            while True:
                if holder in self._gone:
                    return "the process that asked is gone"
                if exhausted := self._find_exhausted():
                    return exhausted
                under_way = sum(self._places.values())
                if under_way < max(SMALLEST, self._allowed // 1) and self._can_afford(under_way):
                    break
                self._free.wait(self._find_remaining())
            self._places[holder] = self._places.get(holder, 0) + 1
            self._spent["requests"] += 1
            self._spent["peak"] = max(self._spent["peak"], sum(self._places.values()))
            return ""

    def leave(self, holder: str, limited: bool, tokens: int, dollars: float, answered: bool = True) -> None:  # noqa: FBT001, FBT002  # see GateKeeper
        """Give a place back."""
        with self._free:
            if self._places.get(holder):
                self._places[holder] -= 1
            self._answered += answered
            self._spent["tokens"] += tokens
            self._spent["dollars"] += dollars
            self._spent["limited"] += limited
            changed = self._allowed * SHRINK if limited else self._allowed + GROW / self._allowed
            self._allowed = min(self._limit, max(SMALLEST, changed))
            self._free.notify_all()

    def forget(self, holder: str) -> None:
        """Free the places of a process that died."""
        with self._free:
            self._gone.add(holder)
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
        if budget.seconds is not None and self._find_age() >= budget.seconds:
            return f"the budget of {budget.seconds:g} seconds is spent"
        return ""

    def _can_afford(self, under_way: int) -> bool:
        """Whether one more request fits the budget when those under way cost what they cost so far."""
        for limit, spent in (
            (self._budget.tokens, self._spent["tokens"]),
            (self._budget.dollars, self._spent["dollars"]),
        ):
            expected = spent / self._answered if self._answered else float("inf")
            if limit is not None and under_way and spent + under_way * expected >= limit:
                return False
        return True

    def _find_remaining(self) -> float | None:
        if self._budget.seconds is None:
            return None
        return max(0.0, self._budget.seconds - self._find_age())

    def _find_age(self) -> float:
        """Seconds since the first request: what a server takes to start is not the budget's."""
        return time.monotonic() - self._started if self._started else 0.0
