"""One attempt as a straight line: candidate, environment, precondition, apply, validate, outcome.

The steps are apart because each of them is a fixture that a conftest may replace; `Attempt` carries what they leave
behind.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_itbench.domain.application import Application, Run
from pytest_itbench.domain.candidate import Candidate, ModelChoice, Proposal, Request
from pytest_itbench.domain.outcome import AttemptKey, CheckResult, FailureKind, Outcome, Stage, Try, Usage, Verdict
from pytest_itbench.domain.scenario import PARTS, CandidateKind, Scenario
from pytest_itbench.environments.base import Environment
from pytest_itbench.errors import AttemptInvalid, HostStopped, NotReady, OverLimit, PreconditionBroken
from pytest_itbench.redaction import redact
from pytest_itbench.solvers.base import Solver
from pytest_itbench.solvers.prompt import render_prompt
from pytest_itbench.validation.checks import run_checks
from pytest_itbench.validation.handed import HandedIn, Handles
from pytest_itbench.validation.judge import Judgement, judge, judge_stopped_host

EVIDENCE = "attempts"
MOST_TRIES = 12
ENTER = "enter"
"""The evidence that tells how to enter machines that were kept."""


@dataclass(slots=True, kw_only=True)
class Attempt:
    """An attempt while it runs: where it stands, how long its stages took, what it has put on disk.

    Attributes:
        place: the run's directory; evidence lies in ``attempts/<scenario>/<model>-<index>`` below it.
        kept: the verdicts after which its machines are left for a person to look at.
        tries: what trouble ended before this try.
        outcome: set once, when the attempt ends.
    """

    scenario: Scenario
    model: ModelChoice
    index: int
    place: Path
    worker: str
    kept: frozenset[Verdict] = frozenset()
    stage: Stage = Stage.CANDIDATE
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    timings: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    taken: str = ""
    tries: list[Try] = field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def key(self) -> AttemptKey:
        """Its name within the run."""
        return AttemptKey(scenario=self.scenario.id, model=self.model.label, index=self.index)

    @contextmanager
    def at(self, stage: Stage) -> Iterator[None]:
        """Enter a stage and time it, in seconds."""
        self.stage, begun = stage, time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - begun
            self.timings[stage.value] = round(self.timings.get(stage.value, 0.0) + spent, 4)

    def keep(self, what: str, name: str, content: str) -> None:
        """Put a piece of evidence on disk."""
        directory = f"{EVIDENCE}/{self.scenario.id}/{self.model.label}-{self.index}"
        if not self.evidence:
            (self.place / directory).mkdir(parents=True, exist_ok=True)
        with open(f"{self.place}/{directory}/{name}", "w", encoding="utf-8") as file:  # noqa: PTH123  # thousands of times
            file.write(redact(content))
        self.evidence[what] = f"{directory}/{name}"

    def end(
        self,
        verdict: Verdict,
        kind: FailureKind | None,
        message: str,
        *,
        hint: str = "",
        checks: tuple[CheckResult, ...] = (),
        score: float | None = None,
    ) -> Outcome:
        """Conclude; what was concluded first stays."""
        if self.outcome is None:
            self.outcome = Outcome(
                key=self.key,
                verdict=verdict,
                stage=self.stage,
                kind=kind,
                message=redact(message),
                hint=redact(hint),
                checks=tuple(
                    replace(check, name=redact(check.name), message=redact(check.message)) for check in checks
                ),
                score=score,
                domain=self.scenario.domain.value,
                difficulty=self.scenario.difficulty.value,
                tags=self.scenario.tags,
                level=self.model.level,
                started=self.started,
                taken=self.taken,
                usage=self.usage,
                timings=self.timings,
                evidence=self.evidence,
                worker=self.worker,
                tries=tuple(self.tries),
            )
        return self.outcome

    def try_again(self, trouble: AttemptInvalid) -> None:
        """Note what ended this try, and wait as long as the trouble may need to pass.

        Raises:
            AttemptInvalid: the trouble itself, when it came too often.
        """
        again = sum(each.cause == trouble.cause for each in self.tries)
        if again >= trouble.retries or len(self.tries) >= MOST_TRIES:
            raise trouble
        spent = round(self.timings.get(self.stage.value, 0.0), 4)
        self.tries.append(Try(stage=self.stage, cause=trouble.cause, message=redact(trouble.message), seconds=spent))
        time.sleep(trouble.pause)

    def end_invalid(self, error: BaseException) -> Outcome:
        """Conclude that the attempt says nothing about the model."""
        if isinstance(error, AttemptInvalid):
            return self.end(Verdict.INVALID, FailureKind(error.kind), error.message, hint=error.hint)
        text = "".join(traceback.format_exception_only(error)).strip()
        with suppress(OSError):  # the trouble may be that nothing can be written
            self.keep("traceback", "traceback.txt", "".join(traceback.format_exception(error)))
        return self.end(Verdict.INVALID, FailureKind.HARNESS, text, hint="see traceback.txt in the attempt's evidence")


Validate = Callable[[Scenario, Mapping[str, Any]], Iterable[CheckResult]]
"""Runs a scenario's checks with what they may ask for by name; what the fixture ``itbench_validator`` gives."""


def make_ready(attempt: Attempt, environment: Environment, validate: Validate = run_checks) -> None:
    """Start the environment, prepare it, and see that its validators do not already pass.

    What may pass is tried again, from the beginning.

    Raises:
        AttemptInvalid: it cannot be made ready, or nothing would be measured.
    """
    while True:
        try:
            return _make_ready(attempt, environment, validate)
        except AttemptInvalid as trouble:
            attempt.try_again(trouble)
            environment.stop()


def _make_ready(attempt: Attempt, environment: Environment, validate: Validate) -> None:
    with attempt.at(Stage.ENVIRONMENT):
        environment.start()
        environment.prepare()
    try:
        with attempt.at(Stage.PRECONDITION), environment.connect() as hosts:
            # One check that fails is enough: the rest need not be run.
            handles = Handles(hosts, HandedIn(attempt.scenario.candidate, None))
            passed = all(check.passed for check in validate(attempt.scenario, handles))
    except HostStopped as stopped:
        raise NotReady(f"before the candidate was asked for, {stopped}") from stopped
    if passed:
        raise PreconditionBroken(
            f"all checks of {attempt.scenario.id} pass although nothing was done",
            hint="write a check that fails on the untouched environment, then: pytest-itbench check",
        )


def make_candidate(attempt: Attempt, solver: Solver) -> Proposal:
    """Ask for a candidate and keep prompt, reply and candidate.

    Raises:
        ProviderTrouble: the model could not be asked.
    """
    with attempt.at(Stage.CANDIDATE):
        prompt = render_prompt(attempt.scenario, attempt.model.level, attempt.model.system)
        attempt.keep("prompt", "prompt.md", str(prompt))
        proposal = solver.propose(Request(scenario=attempt.scenario, index=attempt.index, prompt=prompt))
        if proposal.prompt != prompt:  # a solver may have asked something else
            attempt.keep("prompt", "prompt.md", str(proposal.prompt))
        attempt.usage = proposal.reply.usage
        attempt.keep("reply", "reply.md", proposal.reply.text)
        if proposal.candidate:
            attempt.taken = proposal.candidate.taken
            attempt.keep("candidate", name_candidate(attempt.scenario.candidate), proposal.candidate.text)
        return proposal


def name_candidate(kind: CandidateKind) -> str:
    """The name of the candidate's file among the evidence."""
    parts = PARTS[kind]
    return f"candidate{Path(parts[0]).suffix}" if len(parts) == 1 else "candidate.md"


def miss(attempt: Attempt, proposal: Proposal) -> Outcome:
    """Conclude an attempt whose reply holds nothing that could be applied."""
    attempt.stage = Stage.CANDIDATE
    return attempt.end(Verdict.MISSED, proposal.failure or FailureKind.NO_CANDIDATE, proposal.problem, score=0.0)


def try_candidate(
    attempt: Attempt,
    environment: Environment,
    candidate: Candidate,
    validate: Validate = run_checks,
    times: int | None = None,
) -> Outcome:
    """Apply the candidate, run the validators, judge.

    The candidate is applied `times` times; unless given, twice for an idempotent scenario and once for any other.
    Once more where the scenario changes something between two runs.
    Trouble that is not its doing is tried again: the same candidate, in an environment that is made anew.

    Raises:
        AttemptInvalid: the trouble does not pass.
    """
    while True:
        try:
            return _try_candidate(attempt, environment, candidate, validate, times)
        except AttemptInvalid as trouble:
            keep_logs(attempt, environment)
            _try_again(attempt, environment, trouble)
            make_ready(attempt, environment, validate)


def _try_again(attempt: Attempt, environment: Environment, trouble: AttemptInvalid) -> None:
    try:
        attempt.try_again(trouble)
    except AttemptInvalid:
        _keep_machines(attempt, environment, Verdict.INVALID)
        raise
    environment.stop()


def _try_candidate(
    attempt: Attempt, environment: Environment, candidate: Candidate, validate: Validate, times: int | None
) -> Outcome:
    runs: dict[Run, Application] = {}
    refused = ""
    try:
        with attempt.at(Stage.APPLY):
            refused = _apply(attempt, environment, candidate.text, times, runs)
        with attempt.at(Stage.VALIDATE), environment.connect() as hosts:
            handles = Handles(hosts, HandedIn(attempt.scenario.candidate, candidate.text))
            checks = tuple(validate(attempt.scenario, handles))
            judgement = judge(runs, checks, idempotent=attempt.scenario.idempotent, refused=refused)
            if judgement.verdict is Verdict.MISSED:
                environment.refuse_disturbance()
    except HostStopped as stopped:
        judgement = judge_stopped_host(runs, str(stopped), over_limit=isinstance(stopped, OverLimit))
    return _conclude(attempt, environment, judgement)


def _apply(
    attempt: Attempt, environment: Environment, candidate: str, times: int | None, runs: dict[Run, Application]
) -> str:
    """Run the candidate as often as the scenario asks for, up to the first that fails, into `runs`.

    Gives what failed of the change between two runs, if anything did.
    """
    refused = ""
    again = (times or (2 if attempt.scenario.idempotent else 1)) > 1
    for run in (Run.FIRST, *[Run.CHANGED] * bool(attempt.scenario.between), *[Run.AGAIN] * again):
        if run is Run.CHANGED:
            refused = environment.change()
            if refused:
                break
        application = environment.apply(candidate)
        attempt.keep(run.value, f"{run}.txt", application.output)
        runs[run] = application
        if application.status != 0:
            break
    environment.end_candidate()
    return refused


def _conclude(attempt: Attempt, environment: Environment, judgement: Judgement) -> Outcome:
    attempt.keep("checks", "checks.json", json.dumps([asdict(check) for check in judgement.checks]))
    keep_logs(attempt, environment)
    _keep_machines(attempt, environment, judgement.verdict)
    attempt.stage = judgement.stage
    return attempt.end(
        judgement.verdict, judgement.kind, judgement.message, checks=judgement.checks, score=judgement.score
    )


def _keep_machines(attempt: Attempt, environment: Environment, verdict: Verdict) -> None:
    """Leave the machines to a person, if that was asked for after such a verdict."""
    if verdict in attempt.kept:
        with suppress(AttemptInvalid):  # they may be gone
            attempt.keep(ENTER, f"{ENTER}.txt", environment.keep() + "\n")


def read_enter(outcome: Outcome, place: Path) -> str:
    """The command to enter the machines that were kept."""
    return (place / outcome.evidence[ENTER]).read_text(encoding="utf-8").strip()


def keep_logs(attempt: Attempt, environment: Environment) -> None:
    """Put the machines' logs on disk; empty ones are left out."""
    for name, log in environment.read_logs().items():
        if log.strip():
            attempt.keep(f"log of {name}", f"{name}.log", log)


def make_lost(key: AttemptKey, scenario: Scenario, model: ModelChoice, kind: FailureKind, message: str) -> Outcome:
    """The outcome of an attempt that nobody ended."""
    return Outcome(
        key=key,
        verdict=Verdict.INVALID,
        stage=Stage.CANDIDATE,
        kind=kind,
        message=message,
        domain=scenario.domain.value,
        difficulty=scenario.difficulty.value,
        tags=scenario.tags,
        level=model.level,
        started=datetime.now(UTC),
    )
