"""What became of an attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """The three ends of an attempt."""

    SOLVED = "solved"
    MISSED = "missed"
    INVALID = "invalid"


class Stage(StrEnum):
    """The parts of an attempt, in their order."""

    CANDIDATE = "candidate"
    ENVIRONMENT = "environment"
    PRECONDITION = "precondition"
    APPLY = "apply"
    VALIDATE = "validate"


class FailureKind(StrEnum):
    """Why an attempt was missed (first group) or is invalid (second group)."""

    EMPTY_REPLY = "empty reply"
    REFUSAL = "refusal"
    CUT_OFF = "cut off"
    WRONG_LANGUAGE = "wrong language"
    SEVERAL_CANDIDATES = "several candidates"
    NO_CANDIDATE = "no candidate"
    SYNTAX = "syntax"
    UNDEFINED_VARIABLE = "undefined variable"
    UNKNOWN_MODULE = "unknown module"
    UNKNOWN_PARAMETER = "unknown parameter"
    TEMPLATE = "template"
    PATH = "path"
    PERMISSION = "permission"
    UNREACHABLE = "unreachable"
    TASK_FAILED = "task failed"
    CHECKS_FAILED = "checks failed"
    NOT_IDEMPOTENT = "not idempotent"
    TIMEOUT = "timeout"
    OVER_LIMIT = "over limit"

    ENGINE = "engine"
    IMAGE = "image"
    NOT_READY = "not ready"
    PRECONDITION = "precondition"
    PROVIDER = "provider"
    VALIDATOR = "validator"
    WORKER_LOST = "worker lost"
    NOT_RUN = "not run"
    HARNESS = "harness"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptKey:
    """Names one attempt within a run."""

    scenario: str
    model: str
    index: int

    def __str__(self) -> str:
        return f"{self.scenario}/{self.model}/{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check of a validator. Time in seconds; a score, 0 to 1, where the check gives one."""

    name: str
    passed: bool
    message: str = ""
    seconds: float = 0.0
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a reply cost; None where the provider does not say. Cost in US dollars."""

    requests: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A try of an attempt that trouble ended, after which the same candidate was tried again. Time in seconds."""

    stage: Stage
    cause: str
    message: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that is kept of one attempt.

    Attributes:
        stage: where the attempt ended.
        kind: why it was not solved; None when it was.
        message: what happened, for a person; may have several lines.
        hint: what the user can do about an invalid attempt.
        score: the fraction of checks that passed, or the mean of the scores that checks gave, 0 to 1; None when none
            was run.
        level: the prompt's level of detail, 1 to 3.
        taken: where in the reply the candidate was found; empty when there was none.
        timings: seconds by stage.
        evidence: files by what they are, as paths relative to the run's directory.
        tries: the earlier tries, none of which said anything about the candidate.
    """

    key: AttemptKey
    verdict: Verdict
    stage: Stage
    domain: str
    difficulty: str
    tags: tuple[str, ...]
    level: int
    started: datetime
    kind: FailureKind | None = None
    message: str = ""
    hint: str = ""
    checks: tuple[CheckResult, ...] = ()
    score: float | None = None
    taken: str = ""
    usage: Usage = field(default_factory=Usage)
    timings: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    worker: str = "main"
    tries: tuple[Try, ...] = ()
