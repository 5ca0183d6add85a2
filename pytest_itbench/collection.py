"""Items from scenario directories: sorted, pure, without network, model or containers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.domain.candidate import ModelChoice, Proposal
from pytest_itbench.domain.outcome import AttemptKey, FailureKind, Outcome, Verdict
from pytest_itbench.domain.scenario import Counterexample, Scenario
from pytest_itbench.errors import BrokenScenario
from pytest_itbench.running import ENTER, Attempt, Validate, make_candidate, miss, read_enter, try_candidate
from pytest_itbench.scenario_paths import load_collected
from pytest_itbench.session import SETTINGS
from pytest_itbench.solvers.base import Solver

Expectation = Callable[[Outcome], str]
"""Says what is wrong with an outcome; empty when it is as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an item is to try."""

    scenario: Scenario
    model: ModelChoice
    index: int
    times: int | None = None
    expect: Expectation | None = None

    @property
    def key(self) -> AttemptKey:
        """The attempt's name within the run."""
        return AttemptKey(scenario=self.scenario.id, model=self.model.label, index=self.index)


PLAN = pytest.StashKey[Plan]()
MINE = pytest.StashKey[frozenset[str] | None]()
"""The scenarios of a resumed shard; None where the shard is found by turns."""
DONE = pytest.StashKey[frozenset[AttemptKey]]()
"""The attempts that a resumed run has already."""
CANDIDATE = pytest.StashKey[dict[str, Any]]()
"""A candidate that is not judged, as a line of ``candidates.jsonl``."""


KNOWN_MARKERS = pytest.StashKey[set[str]]()


def register_markers(config: pytest.Config, names: Iterable[str]) -> None:
    """Make marks known, so that they can be selected under --strict-markers too."""
    known = config.stash.setdefault(KNOWN_MARKERS, set())
    for name in sorted(set(names) - known):
        config.addinivalue_line("markers", f"{name}: scenarios of pytest-itbench")
        known.add(name)


class Trial(pytest.Function):
    """One attempt, or one proof."""

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it is, and how a failure is headed; pytest's own heading names all directories and a file of ours."""
        return self.path, None, f"{self.path.parent.name}: {self.name}"


class ScenarioFile(pytest.File):
    """``scenario.yaml`` as a collector."""

    def collect(self) -> Iterator[pytest.Function]:
        """One item per model and attempt, or one per proof."""
        try:
            scenario = load_collected(self.config, self.path)
        except BrokenScenario as broken:  # where the controller did not look, as with --pyargs
            raise self.CollectError(str(broken)) from None
        settings = self.config.stash[SETTINGS]
        self._mark(scenario)
        plans = plan_proofs(scenario, settings.repeat) if settings.prove else self._plan_attempts(scenario)
        for name, plan in plans:
            test = ask_model if settings.generate else try_model
            item: pytest.Function = Trial.from_parent(self, name=name, callobj=test)
            item.stash[PLAN] = plan
            yield item

    def _plan_attempts(self, scenario: Scenario) -> Iterator[tuple[str, Plan]]:
        settings = self.config.stash[SETTINGS]
        several = len(settings.models) > 1
        for index in range(settings.attempts):
            for model in settings.models:
                if index < model.options.get("attempts", settings.attempts):  # candidates, and no more of them
                    yield (
                        name_attempt(model.label if several else "", index),
                        Plan(scenario=scenario, model=model, index=index),
                    )

    def _mark(self, scenario: Scenario) -> None:
        names = (*scenario.tags, *(("cluster",) if scenario.cluster else ()))
        register_markers(self.config, names)
        for name in (scenario.domain, scenario.difficulty, *names):
            self.add_marker(str(name))


def find_left_out(
    items: Sequence[pytest.Item],
    shard: tuple[int, int] | None,
    done: frozenset[AttemptKey],
    known: frozenset[str] | None,
) -> list[pytest.Item]:
    """The items that are not to be run here: those of other shards, and those that were run before.

    Whole scenarios go to a shard, by turns, so that what they share is made once; unless it is known which they are.
    """
    plans = {item: item.stash[PLAN] for item in items if PLAN in item.stash}
    scenarios = sorted({plan.scenario.id for plan in plans.values()})
    part, of = shard or (1, 1)
    mine = known or set(scenarios[part - 1 :: of])
    return [item for item, plan in plans.items() if plan.scenario.id not in mine or plan.key in done]


def name_attempt(label: str, index: int) -> str:
    """An item's name; the label stands in it when several models are tried."""
    return f"{label}-attempt-{index}" if label else f"attempt-{index}"


def parse_attempt_name(name: str) -> tuple[str, int]:
    """The label (empty when one model is tried) and the index from an item's name."""
    label, _, index = name.rpartition("attempt-")
    return label.removesuffix("-"), int(index)


def plan_proofs(scenario: Scenario, repeat: int | None = None) -> Iterator[tuple[str, Plan]]:
    """What must hold of a good scenario, as items: each `repeat` times, or the solution's twice and others once."""
    noop = ModelChoice(label="noop", kind="noop", name="")
    solution = ModelChoice(label="solution", kind="oracle", name="")
    proofs: list[tuple[ModelChoice, Expectation, int, int | None]] = [
        (noop, expect_noop_missed, repeat or 1, None),
        (solution, expect_solved, repeat or 2, 2),
    ]
    for example in scenario.counterexamples:
        model = ModelChoice(label=f"counterexample-{example.name}", kind="file", name=str(example.path))
        proofs.append((model, expect_caught(example), repeat or 1, None))
    for model, expect, count, times in proofs:
        for index in range(count):
            plan = Plan(scenario=scenario, model=model, index=index, times=times, expect=expect)
            yield f"{model.label}-{index}", plan


def expect_noop_missed(outcome: Outcome) -> str:
    """Doing nothing must not solve a scenario, and must be caught by its checks."""
    if outcome.verdict is Verdict.MISSED and outcome.kind is FailureKind.CHECKS_FAILED:
        return ""
    return f"a playbook that does nothing is {describe(outcome)}; expected: missed, checks failed"


def expect_solved(outcome: Outcome) -> str:
    """The reference solution must pass."""
    return "" if outcome.verdict is Verdict.SOLVED else f"the reference solution is {describe(outcome)}"


def expect_caught(example: Counterexample) -> Expectation:
    """A counterexample must be missed, for the reason that the scenario states."""

    def expect(outcome: Outcome) -> str:
        failed = {check.name for check in outcome.checks if not check.passed} | {str(outcome.kind)}
        if outcome.verdict is Verdict.MISSED and example.caught_by in failed:
            return ""
        wanted = f"counterexample {example.name} ({example.why}) must be caught by {example.caught_by!r}"
        return f"{wanted}, but is {describe(outcome)}"

    return expect


def describe(outcome: Outcome) -> str:
    """An outcome in a few lines."""
    failed = [check.name for check in outcome.checks if not check.passed]
    text = f"{outcome.verdict}" + (f" ({outcome.kind})" if outcome.kind else "")
    return f"{text}; failed checks: {', '.join(failed) or 'none'}\n{outcome.message}".strip()


def try_model(
    request: pytest.FixtureRequest,
    itbench_attempt: Attempt,
    itbench_candidate: Proposal,
    itbench_validator: Validate,
) -> None:
    """The test function of every item; a reply without a candidate needs no environment."""
    plan = request.node.stash[PLAN]
    if itbench_candidate.candidate is None:
        outcome = miss(itbench_attempt, itbench_candidate)
    else:
        environment = request.getfixturevalue("itbench_environment")
        outcome = try_candidate(
            itbench_attempt, environment, itbench_candidate.candidate, itbench_validator, times=plan.times
        )
    problem = plan.expect(outcome) if plan.expect else render_miss(outcome, itbench_attempt.place)
    if problem:
        pytest.fail(problem, pytrace=False)


def ask_model(request: pytest.FixtureRequest, itbench_attempt: Attempt, itbench_solver: Solver) -> None:
    """The test function of every item when candidates are only generated."""
    proposal = make_candidate(itbench_attempt, itbench_solver)
    request.node.stash[CANDIDATE] = {
        "scenario": itbench_attempt.key.scenario,
        "model": itbench_attempt.key.model,
        "attempt": itbench_attempt.key.index,
        "asked": f"{itbench_attempt.model.kind}:{itbench_attempt.model.name}",
        "level": itbench_attempt.model.level,
        "temperature": itbench_attempt.model.sampling.temperature,
        "reply": proposal.reply.text,
        "finish": proposal.reply.finish,
        "usage": asdict(proposal.reply.usage),
    }


def render_miss(outcome: Outcome, place: Path) -> str:
    """What pytest prints of a miss, with where its evidence lies; empty when the attempt solved the scenario."""
    if outcome.verdict is Verdict.SOLVED:
        return ""
    passed = sum(check.passed for check in outcome.checks)
    score = f", {passed} of {len(outcome.checks)} checks passed" if outcome.checks else ""
    shown = [what for what in ("candidate", "apply", "reply") if what in outcome.evidence][:2]
    where = "".join(f"\n{what}: {os.path.relpath(place / outcome.evidence[what])}" for what in shown)
    enter = f"\nenter: {read_enter(outcome, place)}" if ENTER in outcome.evidence else ""
    return f"{outcome.kind}{score}\n{outcome.message}{where}{enter}"
