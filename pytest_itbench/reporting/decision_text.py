"""How a decision is put into words, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_itbench.metrics.comparison import Comparison, Difference, Finding
from pytest_itbench.metrics.decision import Decision
from pytest_itbench.metrics.gates import GateResult, Verdict
from pytest_itbench.reporting.wording import plural, printable

FLIPS = 10
"""Scenarios that a text names."""
GOOD, BAD, OPEN = "good", "bad", "open"
Line = tuple[str, str]
"""How it is, and what is said; continuation lines are indented."""

_TONES = {
    Verdict.PASSED: GOOD,
    Verdict.FAILED: BAD,
    Verdict.NOT_ENOUGH: OPEN,
    Finding.BETTER: GOOD,
    Finding.NOT_WORSE: GOOD,
    Finding.WORSE: BAD,
    Finding.INCONCLUSIVE: OPEN,
}


def describe_decision(decision: Decision) -> Iterator[Line]:
    """A line for each thing that gates and baseline say."""
    if decision.left_out:
        yield GOOD, f"{plural(decision.left_out, 'attempt')} left out: they could not change what the gates say"
    for problem in decision.problems:
        yield OPEN, f"not enough valid attempts: {problem}"
    for result in decision.gates:
        yield _TONES[result.verdict], describe_gate(result)
    for comparison in decision.comparisons:
        yield from describe_comparison(comparison)


def describe_gate(result: GateResult) -> str:
    """What a gate says about a model, with the figures that it looked at."""
    return f"gate {result.verdict}: {printable(result.model)}: {'; '.join(result.seen)}"


def describe_comparison(comparison: Comparison) -> Iterator[Line]:
    """The finding, what it rests on, and the scenarios that changed most clearly."""
    against = f"{printable(comparison.old_run)}"
    if comparison.old_model != comparison.new_model:
        against += f" ({printable(comparison.old_model)})"
    yield (
        _TONES[comparison.finding],
        f"{comparison.finding} than {against}: {printable(comparison.new_model)}"
        if comparison.finding is not Finding.INCONCLUSIVE
        else f"inconclusive against {against}: {printable(comparison.new_model)}",
    )
    for flip in comparison.flips[:FLIPS]:
        was, now = (f"{solved}/{scored}" for solved, scored in (flip.old, flip.new))
        yield BAD if flip.change < 0 else GOOD, f"  {printable(flip.scenario)}: solved {was}, now {now}"
    if (more := len(comparison.flips) - FLIPS) > 0:
        yield OPEN, f"  and {plural(more, 'scenario')} more that changed"
    for difference in comparison.differences:
        yield _TONES[difference.finding], f"  {describe_difference(difference, comparison.margin)}"
    if comparison.left_out:
        yield OPEN, f"  left out, for want of valid attempts: {', '.join(map(printable, comparison.left_out[:FLIPS]))}"


def describe_difference(difference: Difference, margin: float) -> str:
    """One figure of both runs, the bounds of the difference, and what would settle an open question."""
    text = (
        f"{difference.metric} {difference.old:.3f} -> {difference.new:.3f}, difference in [{difference.low:+.3f}, "
        f"{difference.high:+.3f}] over {plural(difference.scenarios, 'scenario')}, margin {margin:g}, "
        f"p {difference.p:.3f}: {difference.finding}"
    )
    if difference.finding is not Finding.INCONCLUSIVE:
        return text
    ways = []
    if difference.needed_attempts:
        ways.append(f"{difference.needed_attempts} attempts per scenario")
    if difference.needed_scenarios:
        ways.append(f"{difference.needed_scenarios} scenarios")
    return f"{text}; to settle it: {' or '.join(ways)}" if ways else text
