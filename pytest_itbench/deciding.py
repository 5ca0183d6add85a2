"""Whether a run is good enough, from the side of pytest: what is asked at its start, and the exit status at its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.errors import OptionMistake
from pytest_itbench.metrics.decision import Decision, find_problems
from pytest_itbench.metrics.gate_text import find_ks, parse_gate
from pytest_itbench.metrics.gates import Ends, concerns, judge_gate, refuse_unknown
from pytest_itbench.metrics.summary import RunInfo, RunSummary
from pytest_itbench.runs import Baseline, compare_runs, find_unlike, make_baseline, pair_models, read_baseline
from pytest_itbench.settings import Settings

DECIDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
"""The exit statuses that a decision takes the place of."""


class Deciding:
    """The gates and the baseline of a run.

    Raises:
        OptionMistake: a gate or the baseline cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        for gate in settings.gates:
            self._refuse_too_large(gate)
        if settings.early_stop and (settings.baseline or not settings.gates):
            raise OptionMistake("--itbench-early-stop needs --itbench-gate, and excludes --itbench-baseline")
        self._baseline: Baseline | None = read_baseline(settings.baseline) if settings.baseline else None

    def _refuse_too_large(self, gate: str) -> None:
        if large := [k for k in find_ks(parse_gate(gate)) if k > self._settings.attempts]:
            attempts = self._settings.attempts
            raise OptionMistake(f"--itbench-gate: {gate!r} needs --itbench-attempts={max(large)}, not {attempts}")

    @property
    def asked(self) -> bool:
        """Whether anything decides but pytest itself."""
        return bool(self._settings.gates or self._baseline)

    def refuse_unfit(self, info: RunInfo, scenarios: Iterable[Scenario]) -> None:
        """See that the run, as it is planned, has what the gates speak of and can be compared with the baseline.

        Raises:
            OptionMistake: it cannot.
        """
        known = find_slices(info, scenarios)
        for gate in self._settings.gates:
            condition = parse_gate(gate)
            refuse_unknown(condition, known)
            if not any(concerns(condition, model, info) for model in info.models):
                raise OptionMistake(f"--itbench-gate: no model fits all that {gate!r} names; give a gate for each")
        if self._baseline:
            pairs = pair_models(tuple(self._baseline.results), info.models)
            if unlike := find_unlike(self._baseline.info, info, pairs):
                raise OptionMistake(f"--itbench-baseline: {'; '.join(unlike)}")

    def decide(self, summary: RunSummary, ends: Mapping[str, Ends], left_out: int) -> RunSummary:
        """The summary with what gates and baseline say; as it was when there are none.

        `ends` are of the models of which attempts were left out, `left_out` is how many.

        Raises:
            OptionMistake: the baseline cannot be compared with.
        """
        if not self.asked:
            return summary
        gates, baseline = self._settings.gates, self._baseline
        decision = Decision(
            gates=tuple(result for gate in gates for result in judge_gate(gate, summary, ends)),
            comparisons=compare_runs(baseline, make_baseline(summary), self._settings.margin) if baseline else (),
            problems=find_problems(summary, gates),
            left_out=left_out,
        )
        return replace(summary, decision=decision)


def find_slices(info: RunInfo, scenarios: Iterable[Scenario]) -> dict[str, set[str]]:
    """By the name of a slice, the values that a run has for it."""
    known: dict[str, set[str]] = {
        "model": set(info.models),
        "level": {str(choice.level) for choice in info.choices},
        "temperature": {f"{c.temperature:g}" for c in info.choices if c.temperature is not None},
    }
    tried = list(scenarios)
    return known | {
        "scenario": {scenario.id for scenario in tried},
        "domain": {scenario.domain.value for scenario in tried},
        "difficulty": {scenario.difficulty.value for scenario in tried},
        "tag": {tag for scenario in tried for tag in scenario.tags},
    }


def find_status(seen: int, decision: Decision | None, *, foreign: bool) -> int:
    """The exit status: that of the decision, unless pytest has something to say that no decision can take back.

    `foreign`: something failed that is no recorded attempt.
    """
    if decision is None or seen not in DECIDED:
        return seen
    return int(pytest.ExitCode.TESTS_FAILED) if foreign else decision.status
