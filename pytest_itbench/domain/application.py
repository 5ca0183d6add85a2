"""What happened when a candidate was applied."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Run(StrEnum):
    """The runs of a candidate, in their order; each gives the name of its evidence."""

    FIRST = "apply"
    CHANGED = "apply-after-change"
    AGAIN = "apply-again"


class EventKind(StrEnum):
    """What a task did on one host."""

    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The result of one task on one host, as Ansible reports it.

    Attributes:
        action: the module that the task names.
        ignored: a failure that the playbook itself chose to pass over.
        changed: the task changed something, whatever else became of it.
    """

    kind: EventKind
    host: str
    task: str
    action: str
    message: str = ""
    ignored: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One run of the candidate inside its environment.

    Attributes:
        status: the exit status of the tool that ran it; None when it was stopped at its time limit.
        output: what the tool printed, cut to a bound.
        seconds: how long it took.
        complete: whether `events` are all that there were.
    """

    status: int | None
    output: str
    events: tuple[Event, ...]
    seconds: float
    complete: bool = True

    @property
    def timed_out(self) -> bool:
        """Whether the time limit ended it."""
        return self.status is None

    @property
    def changes(self) -> tuple[Event, ...]:
        """The tasks that changed something."""
        return tuple(event for event in self.events if event.changed)

    @property
    def failures(self) -> tuple[Event, ...]:
        """The tasks that failed, without those whose failure the playbook passed over."""
        bad = (EventKind.FAILED, EventKind.UNREACHABLE)
        return tuple(event for event in self.events if event.kind in bad and not event.ignored)
