"""Whether a run is good enough: its gates, its comparison with a stored run, and the exit status that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_itbench.domain.outcome import FailureKind
from pytest_itbench.metrics.comparison import Comparison, Finding
from pytest_itbench.metrics.gate_text import Comparison as Leaf
from pytest_itbench.metrics.gate_text import Condition, parse_gate
from pytest_itbench.metrics.gates import GateResult, Verdict, concerns
from pytest_itbench.metrics.summary import RunSummary

PASSED = 0
FAILED = 1
NOT_ENOUGH = 10
INCONCLUSIVE = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What gates and baseline say about a run.

    Attributes:
        problems: why the run's attempts are not enough to decide by, a line each.
        left_out: attempts that were not run because they could not change what the gates say.
    """

    gates: tuple[GateResult, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    problems: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def status(self) -> int:
        """The exit status: the gravest of what was found."""
        verdicts = {result.verdict for result in self.gates}
        findings = {comparison.finding for comparison in self.comparisons}
        if Verdict.FAILED in verdicts or Finding.WORSE in findings:
            return FAILED
        if self.problems or Verdict.NOT_ENOUGH in verdicts:
            return NOT_ENOUGH
        return INCONCLUSIVE if Finding.INCONCLUSIVE in findings else PASSED


def find_problems(summary: RunSummary, gates: Sequence[str]) -> tuple[str, ...]:
    """Why a run cannot be decided by: attempts that never ran, and invalid ones unless a gate speaks of them."""
    problems = []
    conditions = [condition for gate in gates if _speaks_of_invalid(condition := parse_gate(gate))]
    lost, invalid = summary.lost, 0
    for entry in summary.failure_kinds:
        if entry.kind in (FailureKind.NOT_RUN, FailureKind.WORKER_LOST):
            lost += entry.count
        elif entry.verdict == "invalid" and not any(concerns(c, entry.model, summary.info) for c in conditions):
            invalid += entry.count
    if lost:
        problems.append(f"{lost} of {summary.info.planned} planned attempts have no outcome")
    if invalid:
        which = "1 attempt is" if invalid == 1 else f"{invalid} attempts are"
        problems.append(f"{which} invalid; to allow some: --itbench-gate 'invalid_rate <= 0.02'")
    return tuple(problems)


def _speaks_of_invalid(condition: Condition) -> bool:
    if isinstance(condition, Leaf):
        return condition.metric == "invalid_rate"
    return any(_speaks_of_invalid(part) for part in condition.parts)
