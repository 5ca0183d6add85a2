"""Gates: what a run must reach, as a condition on its figures.

A condition is evaluated on a summary once for each model that it speaks of.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, isclose

from pytest_itbench.errors import OptionMistake
from pytest_itbench.metrics.aggregate import mean_pass, summarise_group, values_of
from pytest_itbench.metrics.gate_text import Comparison, Condition, Either, format_bound, parse_gate
from pytest_itbench.metrics.passk import pass_all_k, pass_at_k
from pytest_itbench.metrics.summary import GroupResult, PassAtK, RunInfo, RunSummary, ScenarioResult, Slice

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
}


class Verdict(StrEnum):
    """What a gate says."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ENOUGH = "not enough valid attempts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A figure of one model, with its interval where it has one, and why it rests on too little."""

    value: float | None
    low: float | None = None
    high: float | None = None
    scenarios: int = 0
    lacking: str = ""


FIGURES: dict[str, Callable[[GroupResult], float | None]] = {
    "score": lambda group: group.mean_score,
    "check_rate": lambda group: group.check_rate,
    "idempotent_rate": lambda group: group.idempotent_rate,
    "invalid_rate": lambda group: group.tally.invalid / group.tally.total if group.tally.total else None,
    "solved": lambda group: float(group.tally.solved),
    "cost": lambda group: group.usage.cost,
    "cost_per_solved": lambda group: group.cost_per_solved,
    "tokens_per_solved": lambda group: group.tokens_per_solved,
    "seconds": lambda group: sum(group.seconds.values()) or None,
}
ESTIMATES = {"pass@": pass_at_k, "pass^": pass_all_k}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What a gate says about one model.

    Attributes:
        gate: the condition as it was given.
        seen: the figures that it looked at, for people.
    """

    gate: str
    model: str
    verdict: Verdict
    seen: tuple[str, ...]


Ends = tuple[Sequence[ScenarioResult], Sequence[ScenarioResult]]
"""A model's results if all that was left out had been missed, and if all of it had been solved."""


def judge_gate(text: str, summary: RunSummary, ends: Mapping[str, Ends] | None = None) -> tuple[GateResult, ...]:
    """What a gate says about each model that it speaks of, even if that has no attempts.

    `ends` are of models whose last attempts were left out.

    Raises:
        OptionMistake: it cannot be read.
    """
    condition = parse_gate(text)
    results = _by_model(summary)
    models = dict.fromkeys((*summary.info.models, *results))
    wanted = [model for model in models if concerns(condition, model, summary.info)]
    if not wanted:  # silence would pass
        seen = ("none fits all that the gate names",)
        return (GateResult(gate=text, model="no model", verdict=Verdict.NOT_ENOUGH, seen=seen),)
    return tuple(
        judge_between(text, condition, model, ends[model])
        if ends and model in ends
        else _judge_model(text, condition, model, results.get(model, []))
        for model in wanted
    )


def judge_between(text: str, condition: Condition, model: str, ends: Ends) -> GateResult:
    """What a gate says whatever becomes of the attempts that are left; not enough if that depends on them.

    Comparison by comparison: a band such as ``pass@1 > 0.3 and pass@1 < 0.6`` fails at both ends and may hold between.
    """
    seen: dict[str, str] = {}

    def judge(leaf: Comparison) -> Verdict:
        if not _grows_with_solved(leaf):
            return Verdict.NOT_ENOUGH
        (low, least), (high, most) = (_judge_leaf(leaf, model, results) for results in ends)
        seen[str(leaf)] = f"{least} at least, {most} at most" if least != most else least
        return low if low is high else Verdict.NOT_ENOUGH

    verdict = _evaluate(condition, judge)
    return GateResult(gate=text, model=model, verdict=verdict, seen=tuple(seen.values()))


def _judge_model(text: str, condition: Condition, model: str, results: Sequence[ScenarioResult]) -> GateResult:
    seen: dict[str, str] = {}

    def judge(leaf: Comparison) -> Verdict:
        verdict, seen[str(leaf)] = _judge_leaf(leaf, model, results)
        return verdict

    verdict = _evaluate(condition, judge)
    return GateResult(gate=text, model=model, verdict=verdict, seen=tuple(seen.values()))


def _judge_leaf(leaf: Comparison, model: str, results: Sequence[ScenarioResult]) -> tuple[Verdict, str]:
    """The verdict and the figure for people."""
    figure = measure(leaf, model, results)
    text = render_figure(leaf, figure)
    if figure.value is None or figure.lacking:
        return Verdict.NOT_ENOUGH, text
    return Verdict.PASSED if _holds(figure.value, leaf) else Verdict.FAILED, text


def _holds(value: float, leaf: Comparison) -> bool:
    """A figure that differs from its bound by rounding only is at its bound: the mean of 0.1, 0.2 and 0.3 is 0.2."""
    near = isclose(value, leaf.bound, rel_tol=1e-9, abs_tol=1e-12)
    return OPERATORS[leaf.sign](leaf.bound if near else value, leaf.bound)


def _evaluate(condition: Condition, judge: Callable[[Comparison], Verdict]) -> Verdict:
    """A tree of three values (Kleene's strong logic), given the leaves'."""
    if isinstance(condition, Comparison):
        return judge(condition)
    found = [_evaluate(part, judge) for part in condition.parts]
    strongest, weakest = Verdict.FAILED, Verdict.PASSED
    if isinstance(condition, Either):
        strongest, weakest = weakest, strongest
    if strongest in found:
        return strongest
    return Verdict.NOT_ENOUGH if Verdict.NOT_ENOUGH in found else weakest


def _grows_with_solved(condition: Comparison) -> bool:
    """Whether its two ends bound it: it never falls when one attempt more is solved."""
    return (condition.k is not None or condition.metric == "solved") and condition.sign != "=="


def measure(condition: Comparison, model: str, results: Sequence[ScenarioResult]) -> Measured:
    """The figure of a condition, over the scenarios of its slices."""
    chosen = [result for result in results if _matches(result, condition.slices)]
    if not chosen:
        return Measured(value=None, lacking="no such attempts")
    if condition.k:
        rate = mean_pass(chosen, condition.k, ESTIMATES[condition.metric])
        return Measured(
            value=rate.value, low=rate.low, high=rate.high, scenarios=rate.covered, lacking=_find_lack(rate)
        )
    value = FIGURES[condition.metric](summarise_group(model, Slice.ALL, "", chosen, ()))
    return Measured(value=value, lacking="" if value is not None else "not known")


def _find_lack(rate: PassAtK) -> str:
    missing = rate.of - rate.covered
    return f"{missing} of {rate.of} scenarios have fewer than {rate.k} valid attempts" if missing else ""


def render_figure(condition: Comparison, figure: Measured) -> str:
    """A figure with its interval and its bound, for people."""
    name = str(condition).partition(f" {condition.sign} ")[0]
    value = "n/a" if figure.value is None else f"{figure.value:.4g}"
    interval = f" [{figure.low:.2f}, {figure.high:.2f}]" if figure.low is not None and figure.high is not None else ""
    lacking = f" ({figure.lacking})" if figure.lacking else ""
    open_question = _describe_power(figure, condition.bound)
    return (
        f"{name} = {value}{interval}{lacking}, wanted {condition.sign} {format_bound(condition.bound)}{open_question}"
    )


def _describe_power(figure: Measured, bound: float) -> str:
    """What would tell the figure from its bound, where the interval holds both: it narrows with the scenarios' root."""
    if figure.value is None or figure.low is None or figure.high is None or figure.value == bound:
        return ""
    if not figure.low <= bound <= figure.high:
        return ""
    half = figure.high - figure.value if bound > figure.value else figure.value - figure.low
    needed = ceil(figure.scenarios * (half / (bound - figure.value)) ** 2)
    if needed <= figure.scenarios:
        return ""
    return f" (the interval holds {format_bound(bound)}; about {needed} scenarios would tell)"


def _by_model(summary: RunSummary) -> dict[str, list[ScenarioResult]]:
    results: dict[str, list[ScenarioResult]] = {}
    for result in summary.scenarios:
        results.setdefault(result.model, []).append(result)
    return results


def _matches(result: ScenarioResult, slices: Iterable[tuple[str, str]]) -> bool:
    own: Mapping[str, tuple[str, ...]] = {
        "scenario": (result.scenario,),
        **{by.value: values_of(result, by) for by in (Slice.DOMAIN, Slice.DIFFICULTY, Slice.TAG)},
    }
    return all(value in own[name] for name, value in slices if name in own)


def concerns(condition: Condition, model: str, info: RunInfo) -> bool:
    """Whether a condition speaks of a model; one without a word on models speaks of all."""
    if not isinstance(condition, Comparison):
        return all(concerns(part, model, info) for part in condition.parts)
    own = _describe_model(model, info)
    return all(own.get(name, value) == value for name, value in condition.slices)


def _describe_model(model: str, info: RunInfo) -> dict[str, str]:
    own = {"model": model}
    for choice in info.choices:
        if choice.label == model:
            own["level"] = str(choice.level)
            own["temperature"] = "" if choice.temperature is None else f"{choice.temperature:g}"
    return own


def refuse_unknown(condition: Condition, known: Mapping[str, AbstractSet[str]]) -> None:
    """See that a run has what a gate speaks of, given the values of each slice.

    Raises:
        OptionMistake: it has not.
    """
    if not isinstance(condition, Comparison):
        for part in condition.parts:
            refuse_unknown(part, known)
        return
    for name, value in condition.slices:
        if value not in known[name]:
            has = ", ".join(sorted(known[name])) or "none"
            raise OptionMistake(f"--itbench-gate: the run has no {name} {value!r}; it has: {has}")
