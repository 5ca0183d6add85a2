"""Attempts that cannot change what the gates say need not be run."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import replace

from pytest_itbench.domain.outcome import AttemptKey, Outcome
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.metrics.aggregate import summarise
from pytest_itbench.metrics.gate_text import parse_gate
from pytest_itbench.metrics.gates import Ends, Verdict, concerns, judge_between
from pytest_itbench.metrics.summary import RunInfo, ScenarioResult, Tally

PAUSE = 0.5
"""Seconds between two looks at a model: a look takes a while in a large run."""


class EarlyStop:
    """Knows, in the process that the user started, which models' remaining attempts are not needed."""

    def __init__(self, gates: Iterable[str]) -> None:
        self._gates = [(gate, parse_gate(gate)) for gate in gates]
        self._info: RunInfo | None = None
        self._planned: dict[AttemptKey, Scenario] = {}
        self._outcomes: dict[AttemptKey, Outcome] = {}
        self._settled: set[str] = set()
        self._looked: dict[str, float] = {}
        self._lock = threading.Lock()

    def plan(self, info: RunInfo, planned: Iterable[tuple[AttemptKey, Scenario]]) -> None:
        """Say what is going to be run."""
        with self._lock:
            self._info = info
            self._planned |= dict(planned)

    def add(self, outcome: Outcome) -> None:
        """An attempt has ended."""
        with self._lock:
            self._outcomes[outcome.key] = outcome

    def is_settled(self, model: str) -> bool:
        """Whether nothing that is still to come can change what any gate says about a model."""
        with self._lock:
            now = time.monotonic()
            if model not in self._settled and now - self._looked.get(model, -PAUSE) >= PAUSE:
                self._looked[model] = now
                if self._look(model):
                    self._settled.add(model)
            return model in self._settled

    def _look(self, model: str) -> bool:
        if self._info is None:
            return False
        ends = self.find_ends(model)
        mine = [(text, gate) for text, gate in self._gates if concerns(gate, model, self._info)]
        verdicts = [judge_between(text, gate, model, ends).verdict for text, gate in mine]
        return Verdict.NOT_ENOUGH not in verdicts

    def find_ends(self, model: str) -> Ends:
        """The model's results if all that is missing were missed, and if all of it were solved."""
        assert self._info is not None
        known = [outcome for outcome in self._outcomes.values() if outcome.key.model == model]
        results = {result.scenario: result for result in summarise(known, replace(self._info, ks=())).scenarios}
        missing: dict[str, int] = {}
        for key, scenario in self._planned.items():
            if key.model == model and key not in self._outcomes:
                missing[key.scenario] = missing.get(key.scenario, 0) + 1
                results.setdefault(key.scenario, _make_empty(scenario, model))
        worst = [_add(result, 0, missing.get(name, 0)) for name, result in results.items()]
        best = [_add(result, missing.get(name, 0), 0) for name, result in results.items()]
        return worst, best


def _make_empty(scenario: Scenario, model: str) -> ScenarioResult:
    return ScenarioResult(
        scenario=scenario.id,
        model=model,
        domain=scenario.domain.value,
        difficulty=scenario.difficulty.value,
        tags=scenario.tags,
        tally=Tally(),
        pass_at=(),
        pass_all=(),
        mean_score=None,
        outcomes=(),
    )


def _add(result: ScenarioResult, solved: int, missed: int) -> ScenarioResult:
    counts = result.tally
    more = Tally(solved=counts.solved + solved, missed=counts.missed + missed, invalid=counts.invalid)
    return replace(result, tally=more)
