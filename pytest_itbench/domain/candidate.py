"""From a request to a candidate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_itbench.domain.outcome import FailureKind, Usage
from pytest_itbench.domain.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a reply is drawn; None leaves the choice to the provider.

    Attributes:
        max_tokens: the longest reply.
        stop: texts at which the reply ends.
        parameters: what else is passed on with the request, by name.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    parameters: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """One model of a run, as chosen by the user.

    Attributes:
        label: its name in node ids and reports; unique within the run.
        kind: the part before the colon, by which the implementation is found.
        name: the part after it; may be empty.
        level: how much detail the prompt gives, 1 to 3.
        system: standing instructions in place of the usual ones; empty for those.
        timeout: seconds to wait for one reply.
        options: what else the implementation was given, such as ``base_url``.
    """

    label: str
    kind: str
    name: str
    level: int = 2
    system: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    timeout: float = 300.0
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a model is told: standing instructions and the task."""

    system: str
    user: str

    def __str__(self) -> str:
        return f"{self.system}\n\n{self.user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One independent question to a model."""

    scenario: Scenario
    index: int
    prompt: Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model answered, to the letter.

    Attributes:
        finish: why it ended there, in the provider's or pydantic-ai's words; empty when nobody says.
    """

    text: str
    finish: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The part of a reply that is applied.

    Attributes:
        taken: where in the reply it was found, for the record.
    """

    text: str
    taken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a solver came up with: a candidate, or the reason why there is none."""

    prompt: Prompt
    reply: Reply
    candidate: Candidate | None
    failure: FailureKind | None = None
    problem: str = ""
