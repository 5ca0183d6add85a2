"""From evidence to a verdict; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_itbench.domain.application import Application, Run
from pytest_itbench.domain.outcome import CheckResult, FailureKind, Stage, Verdict
from pytest_itbench.validation.failure import classify_failure

NAMES = {Run.FIRST: "applied", Run.CHANGED: "applied after the change", Run.AGAIN: "applied again"}
CHANGED = "changed between the runs"
IDEMPOTENT = "idempotent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on a candidate that was applied.

    Attributes:
        checks: the harness's own checks first, then the validators'.
        score: the mean of the scores that checks gave; without any, the fraction of checks that passed. 0 to 1.
    """

    verdict: Verdict
    stage: Stage
    kind: FailureKind | None
    message: str
    checks: tuple[CheckResult, ...]
    score: float


def judge(
    runs: Mapping[Run, Application], checks: Sequence[CheckResult], *, idempotent: bool = False, refused: str = ""
) -> Judgement:
    """Judge an attempt.

    Args:
        runs: those of the candidate, in their order.
        checks: what the validators said afterwards.
        idempotent: the last run must not have changed anything.
        refused: what failed of the change between two runs, on hosts as the candidate had left them.
    """
    own = _judge_runs(runs, idempotent)
    if refused:
        own.append(CheckResult(name=CHANGED, passed=False, message=refused))
    every = (*own, *checks)
    failed = [check for check in every if not check.passed]
    kind, stage, message = _explain(runs.values(), failed, own)
    return Judgement(
        verdict=Verdict.MISSED if failed else Verdict.SOLVED,
        stage=stage,
        kind=kind,
        message=message,
        checks=every,
        score=_find_score(every),
    )


def _find_score(checks: Sequence[CheckResult]) -> float:
    scores = [check.score for check in checks if check.score is not None]
    return sum(scores) / len(scores) if scores else sum(check.passed for check in checks) / len(checks)


def judge_stopped_host(runs: Mapping[Run, Application], message: str, *, over_limit: bool = False) -> Judgement:
    """Judge an attempt whose candidate stopped a host, or used more than it may, so that no check can be run."""
    running = CheckResult(name="hosts running", passed=False, message=message)
    judgement = judge(runs, [running])
    kind = FailureKind.OVER_LIMIT if over_limit else FailureKind.UNREACHABLE
    return replace(judgement, kind=kind, message=message, score=0.0)


def _judge_runs(runs: Mapping[Run, Application], idempotent: bool) -> list[CheckResult]:  # noqa: FBT001
    results = []
    for run, application in runs.items():
        last = idempotent and run is Run.AGAIN
        problem = ""
        if application.status != 0:
            kind, text = classify_failure(application)
            problem = f"{kind}: {text}"
        elif last and application.changes:
            tasks = ", ".join(f"{event.task} ({event.host})" for event in application.changes)
            problem = f"the last run changed something: {tasks}"
        elif last and not application.complete:
            problem = "the last run did not tell all that it did, so that it may have changed something"
        name = IDEMPOTENT if last else NAMES[run]
        results.append(CheckResult(name=name, passed=not problem, message=problem, seconds=application.seconds))
    return results


def _explain(
    applications: Iterable[Application], failed: Sequence[CheckResult], own: Sequence[CheckResult]
) -> tuple[FailureKind | None, Stage, str]:
    if not failed:
        return None, Stage.VALIDATE, ""
    for application in applications:
        if application.status != 0:
            kind, text = classify_failure(application)
            return kind, Stage.APPLY, text
    kind = FailureKind.CHECKS_FAILED
    if all(check in own and check.name == IDEMPOTENT for check in failed):
        kind = FailureKind.NOT_IDEMPOTENT
    return kind, Stage.VALIDATE, "\n".join(f"{check.name}: {check.message}" for check in failed)
