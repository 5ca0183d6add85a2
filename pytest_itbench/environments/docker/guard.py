"""What is done to machines that a candidate may have taken over: trouble with them is looked into before it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from docker.errors import NotFound

from pytest_itbench.environments.docker.blame import STOPPED, Blame, Evidence, Sign, blame
from pytest_itbench.environments.docker.disk import DiskWatch
from pytest_itbench.environments.docker.engine import Engine, make_trouble
from pytest_itbench.environments.docker.probe import ShellLost
from pytest_itbench.environments.docker.trouble import Cause
from pytest_itbench.environments.docker.witness import Witness
from pytest_itbench.errors import EngineTrouble, HostStopped, OverLimit

TRIES = 3
PAUSE = 0.3
"""Seconds between tries of what a machine refuses."""
LOG_LENGTH = 1000

Result = TypeVar("Result")


class Guard:
    """Tells whose doing trouble is, for the machines of one attempt.

    Attributes:
        applied: a candidate has been run.
    """

    def __init__(self, engine: Engine, witness: Witness, disk: DiskWatch) -> None:
        self._engine, self._witness, self._disk = engine, witness, disk
        self._begun = witness.find_start()
        self.applied = False

    def persist(self, name: str, container: str, operation: Callable[[], Result]) -> Result:
        """Do what may be done again; only what fails every time is trouble.

        Raises:
            HostStopped: the machine is the one that does not let it be done.
            EngineTrouble
        """
        for number in range(1, TRIES + 1):
            last = number == TRIES
            try:
                return operation()
            except EngineTrouble as trouble:
                # Once may be the engine's bad luck; each time is a refusal.
                self._tell_whose(trouble, name, container, Sign.REFUSED if last else Sign.CUT, last=last)
            time.sleep(PAUSE)
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def watch(self, name: str, container: str) -> Iterator[None]:
        """Trouble within the block is laid at the door of whoever made it.

        Raises:
            HostStopped: the machine is the one that made it.
            EngineTrouble
        """
        try:
            yield
        except EngineTrouble as trouble:
            self._tell_whose(trouble, name, container, Sign.CUT, last=True)

    def _tell_whose(self, trouble: EngineTrouble, name: str, container: str, sign: Sign, *, last: bool) -> None:
        """Raise what the trouble turns out to be; unless it is the last try, what may pass is passed over."""
        evidence, state = self._look_into(container, trouble.sign if isinstance(trouble, ShellLost) else sign)
        finding = blame(evidence, Cause(trouble.cause) if trouble.cause in set(Cause) else Cause.OTHER)
        if finding.text or last or not evidence.answers:
            self._tell(finding, trouble, name, container, state)

    def _look_into(self, container: str, sign: Sign) -> tuple[Evidence, dict[str, Any]]:
        answers, state = True, None
        try:
            state = self._find_state(container)
        except EngineTrouble:
            answers = False
        start = self._witness.find_start() if answers else ""
        evidence = Evidence(
            sign=sign,
            applied=self.applied,
            answers=answers,
            exists=state is not None,
            running=bool(state and state["Running"]),
            restarted=bool(self._begun) and start != self._begun,
            accepts=answers and bool(start) and self._witness.accepts(),
            over_limit=self._find_excess(container, state or {}),
        )
        return evidence, state or {}

    def _find_state(self, container: str) -> dict[str, Any] | None:
        with self._engine.errors("looking at a machine"):
            try:
                state: dict[str, Any] = self._engine.api.inspect_container(container)["State"]
            except NotFound:
                return None
            return state

    def _find_excess(self, container: str, state: dict[str, Any]) -> str:
        if not self.applied:
            return ""
        ended = "its memory" if state.get("OOMKilled") and not state.get("Running") else ""
        return self._disk.find_excess(container) or ended

    def _tell(self, finding: Blame, trouble: EngineTrouble, name: str, container: str, state: dict[str, Any]) -> None:
        if finding.cause is not None:
            if finding.cause == trouble.cause or isinstance(trouble, ShellLost):
                raise trouble
            raise make_trouble(f"{name}: {trouble.message}", finding.cause) from trouble
        if finding.text == STOPPED:
            log = self.read_log(container)[-LOG_LENGTH:]
            raise HostStopped(f"{name} stopped with status {state['ExitCode']}\n{log}".strip()) from None
        if self._find_excess(container, state):
            raise OverLimit(f"{name} {finding.text}") from None
        raise HostStopped(f"{name} {finding.text}: {trouble.message}") from None

    def read_log(self, container: str, lines: int = 400) -> str:
        """The last lines of a machine's log."""
        try:
            with self._engine.errors("reading a log"):
                content: bytes = self._engine.api.logs(container, tail=lines)
        except EngineTrouble as trouble:
            return f"(no log: {trouble.message})"
        return content.decode(errors="replace")
