"""What is done to machines that a candidate may have taken over: trouble with them is looked into before it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pytest_itbench.environments.docker.blame import STOPPED, Blame, Evidence, Sign, blame
from pytest_itbench.environments.docker.engine import make_trouble
from pytest_itbench.environments.docker.probe import ShellLost
from pytest_itbench.environments.docker.trouble import Cause
from pytest_itbench.errors import EngineTrouble, HostStopped, OverLimit

TRIES = 3
PAUSE = 0.3
"""Seconds between tries of what a machine refuses."""
LOG_LENGTH = 1000

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of a machine in trouble.

    Attributes:
        status: with which it ended; None when it runs or nobody knows.
        note: what the place says of its own doing; may be empty.
    """

    evidence: Evidence
    status: int | None = None
    note: str = ""


class Lookout(Protocol):
    """Looks at machines from outside."""

    def look_into(self, container: str, sign: Sign, *, applied: bool) -> Seen:
        """What there is to know of a machine with which there was trouble; raises nothing."""

    def read_log(self, container: str) -> str:
        """The last lines of a machine's log, or why there are none."""


class Guard:
    """Tells whose doing trouble is, for the machines of one attempt.

    Attributes:
        applied: a candidate has been run.
    """

    def __init__(self, lookout: Lookout) -> None:
        self._lookout = lookout
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
        seen_sign = trouble.sign if isinstance(trouble, ShellLost) else sign
        seen = self._lookout.look_into(container, seen_sign, applied=self.applied)
        finding = blame(seen.evidence, Cause(trouble.cause) if trouble.cause in set(Cause) else Cause.OTHER)
        if finding.text or last or not seen.evidence.answers:
            self._tell(finding, trouble, name, container, seen)

    def _tell(self, finding: Blame, trouble: EngineTrouble, name: str, container: str, seen: Seen) -> None:
        if finding.cause is not None:
            if finding.cause == trouble.cause or isinstance(trouble, ShellLost):
                raise trouble
            note = f" ({seen.note})" if seen.note else ""
            raise make_trouble(f"{name}: {trouble.message}{note}", finding.cause) from trouble
        if finding.text == STOPPED:
            log = self.read_log(container)[-LOG_LENGTH:]
            raise HostStopped(f"{name} stopped with status {seen.status}\n{log}".strip()) from None
        if seen.evidence.over_limit:
            raise OverLimit(f"{name} {finding.text}") from None
        raise HostStopped(f"{name} {finding.text}: {trouble.message}") from None

    def read_log(self, container: str) -> str:
        """The last lines of a machine's log."""
        return self._lookout.read_log(container)
