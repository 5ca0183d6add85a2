"""Asks models for all processes of a run, ahead of need, so that no environment waits for a reply.

The dispatcher lives in the process that the user started and knows what the run is going to ask. A worker that needs a
reply says so; with it the other attempts at the same scenario are sent, together, because a server that batches and
caches prompts answers them for little more than one, and after them what the plan says comes next.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field

from pytest_itbench.domain.outcome import AttemptKey
from pytest_itbench.errors import AttemptInvalid

LOG = logging.getLogger(__name__)
PATIENCE = 5.0
"""Seconds for requests that are under way when the run ends: what they bring is recorded and never paid for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One request that the run is going to need.

    Attributes:
        group: equal for attempts that are asked for in the same way. Once one attempt of a group was asked for as
            planned, the others are sent ahead; until then they may have solvers of their own.
        at_once: the most requests that its model takes at a time.
        identify: gives the request's hash.
        ask: sees to it that the reply is recorded; raises AttemptInvalid.
    """

    key: AttemptKey
    group: Hashable
    at_once: int
    identify: Callable[[], str]
    ask: Callable[[], object]


@dataclass(slots=True, eq=False)
class _Task:
    planned: Planned
    done: Future[None] = field(default_factory=Future)


class Dispatcher:
    """Runs planned requests in threads of its own, at most `limit` at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._plan: list[Planned] = []
        self._places: dict[AttemptKey, int] = {}
        self._tasks: dict[AttemptKey, _Task] = {}
        self._needed: deque[_Task] = deque()
        self._ahead: deque[_Task] = deque()
        self._running: Counter[str] = Counter()
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._closed = False

    def plan(self, planned: Iterable[Planned]) -> None:
        """Add what the run is going to ask, in the order in which it is tried."""
        with self._changed:
            for request in planned:
                if request.key not in self._places:
                    self._places[request.key] = len(self._plan)
                    self._plan.append(request)

    def fetch(self, scenario: str, model: str, index: int, digest: str) -> bool:
        """Wait until a reply is recorded; False when the plan has no such request, so that whoever needs it must ask.

        Raises:
            ProviderTrouble, BudgetSpent: there is none.
        """
        key = AttemptKey(scenario=scenario, model=model, index=index)
        place = self._places.get(key)
        if place is None or self._plan[place].identify() != digest:
            return False
        with self._changed:
            if self._closed:
                return False
            task = self._need(key)
            for other in self._find_next(place):
                self._send_ahead(other)
            self._hire()
            self._changed.notify_all()
        task.done.result()
        return True

    def close(self) -> None:
        """Send nothing more; wait a little for what is under way."""
        with self._changed:
            self._closed = True
            for task in (*self._needed, *self._ahead):
                task.done.cancel()
            self._needed.clear()
            self._ahead.clear()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._running.total(), PATIENCE)

    def _need(self, key: AttemptKey) -> _Task:
        """The request's task, before all that is merely sent ahead."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = _Task(self._plan[self._places[key]])
            self._needed.append(task)
        elif task in self._ahead:
            self._ahead.remove(task)
            self._needed.append(task)
        return task

    def _find_next(self, place: int) -> list[Planned]:
        """The other attempts at the same scenario, then the following ones of the same group."""
        first = self._plan[place]
        same: list[Planned] = []
        later: list[Planned] = []
        for planned in self._plan[place + 1 :]:
            if planned.group != first.group or planned.key.model != first.key.model:
                continue
            if planned.key.scenario == first.key.scenario:
                same.append(planned)
            elif len(later) < self._limit:
                later.append(planned)
            else:
                break
        return same + later

    def _send_ahead(self, planned: Planned) -> None:
        if planned.key not in self._tasks:
            task = self._tasks[planned.key] = _Task(planned)
            self._ahead.append(task)

    def _hire(self) -> None:
        """One thread more, as long as there is work for it."""
        waiting = len(self._needed) + len(self._ahead)
        for _ in range(min(self._limit - len(self._threads), waiting)):
            thread = threading.Thread(target=self._work, name="itbench-request", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while task := self._take():
            model = task.planned.key.model
            try:
                task.planned.ask()
            except AttemptInvalid as trouble:
                task.done.set_exception(trouble)
            except BaseException as error:  # whoever waits must hear of it
                LOG.exception("asking for %s", task.planned.key)
                task.done.set_exception(AttemptInvalid(f"{type(error).__name__}: {error}"))
            else:
                task.done.set_result(None)
            with self._changed:
                self._running[model] -= 1
                self._changed.notify_all()

    def _take(self) -> _Task | None:
        """The next task whose model takes one more request; None at the end."""
        with self._changed:
            while not self._closed:
                for queue in (self._needed, self._ahead):
                    for task in queue:
                        if self._running[task.planned.key.model] < task.planned.at_once:
                            queue.remove(task)
                            self._running[task.planned.key.model] += 1
                            return task
                self._changed.wait()
            return None
