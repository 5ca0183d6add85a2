"""From outcomes to a run's summary.

An invalid attempt enters no numerator and no denominator, but every tally counts it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from statistics import fmean, variance

from pytest_itbench.domain.outcome import AttemptKey, Outcome, Usage, Verdict
from pytest_itbench.metrics.intervals import Interval, find_interval, of_one_scenario
from pytest_itbench.metrics.passk import pass_all_k, pass_at_k
from pytest_itbench.metrics.summary import (
    GroupResult,
    KindCount,
    PassAtK,
    RunInfo,
    RunSummary,
    ScenarioResult,
    Slice,
    Tally,
)
from pytest_itbench.validation.judge import IDEMPOTENT

Estimate = Callable[[int, int, int], float | None]
"""From scored attempts, solved ones and k."""


def summarise(outcomes: Iterable[Outcome], info: RunInfo) -> RunSummary:
    """Aggregate a run's outcomes, whatever the order in which they come.

    Models stand in the order of `info.models`; any other model follows in alphabetical order.

    Raises:
        ValueError: two outcomes are of the same attempt, so that counting both would be wrong.
    """
    ordered = _in_order(outcomes, info)
    scenarios = tuple(
        _scenario_result(tuple(group), info.ks)
        for _, group in groupby(ordered, key=lambda o: (o.key.model, o.domain, o.key.scenario))
    )
    return RunSummary(
        info=info,
        outcomes=ordered,
        scenarios=scenarios,
        groups=_groups(scenarios, info.ks),
        totals=tally(ordered),
        failure_kinds=_failure_kinds(ordered),
    )


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """Count outcomes by verdict."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    return Tally(
        solved=counts[Verdict.SOLVED],
        missed=counts[Verdict.MISSED],
        invalid=counts[Verdict.INVALID],
    )


def _in_order(outcomes: Iterable[Outcome], info: RunInfo) -> tuple[Outcome, ...]:
    place = {model: number for number, model in enumerate(info.models)}

    def rank(outcome: Outcome) -> tuple[int, str, str, str, int]:
        key = outcome.key
        return place.get(key.model, len(place)), key.model, outcome.domain, key.scenario, key.index

    ordered = tuple(sorted(outcomes, key=rank))
    _refuse_duplicates([outcome.key for outcome in ordered])
    return ordered


def _refuse_duplicates(keys: Sequence[AttemptKey]) -> None:
    repeated = [str(key) for key, count in Counter(keys).items() if count > 1]
    if repeated:
        raise ValueError(f"more than one outcome for {', '.join(repeated)}")


def _scenario_result(outcomes: tuple[Outcome, ...], ks: tuple[int, ...]) -> ScenarioResult:
    first, counts = outcomes[0], tally(outcomes)
    return ScenarioResult(
        scenario=first.key.scenario,
        model=first.key.model,
        domain=first.domain,
        difficulty=first.difficulty,
        tags=first.tags,
        tally=counts,
        pass_at=tuple(_one(counts, k, pass_at_k, every=False) for k in ks),
        pass_all=tuple(_one(counts, k, pass_all_k, every=True) for k in ks),
        mean_score=_mean([score_of(o) for o in outcomes if o.verdict is not Verdict.INVALID]),
        outcomes=outcomes,
    )


def _one(counts: Tally, k: int, estimate: Estimate, *, every: bool) -> PassAtK:
    value = estimate(counts.scored, counts.solved, k)
    interval = of_one_scenario(counts.solved, counts.scored, k, every=every) if value is not None else None
    return _make_rate(k, value, interval, covered=int(value is not None), of=1)


def _make_rate(k: int, value: float | None, interval: Interval | None, *, covered: int, of: int) -> PassAtK:
    low, high = interval or (None, None)
    if value is not None and low is not None and high is not None:
        low, high = min(low, value), max(high, value)  # an estimate that is at an end stands outside Wilson's interval
    return PassAtK(k=k, value=value, covered=covered, of=of, low=low, high=high)


def score_of(outcome: Outcome) -> float:
    """A scored attempt's partial score; one that ran no checks has none of them, or it would be better off for it."""
    if outcome.score is not None:
        return outcome.score
    return 1.0 if outcome.verdict is Verdict.SOLVED else 0.0


def _groups(scenarios: tuple[ScenarioResult, ...], ks: tuple[int, ...]) -> tuple[GroupResult, ...]:
    groups: list[GroupResult] = []
    for model, of_model in groupby(scenarios, key=lambda s: s.model):
        members = tuple(of_model)
        for by in Slice:
            slices: dict[str, list[ScenarioResult]] = {}
            for result in members:
                for value in values_of(result, by):
                    slices.setdefault(value, []).append(result)
            groups += [summarise_group(model, by, value, slices[value], ks) for value in sorted(slices)]
    return tuple(groups)


def values_of(result: ScenarioResult, by: Slice) -> tuple[str, ...]:
    """The groups of a kind to which a scenario belongs."""
    match by:
        case Slice.ALL:
            return ("",)
        case Slice.DOMAIN:
            return (result.domain,)
        case Slice.DIFFICULTY:
            return (result.difficulty,)
        case Slice.TAG:
            return tuple(dict.fromkeys(result.tags))


def summarise_group(
    model: str, by: Slice, value: str, scenarios: Sequence[ScenarioResult], ks: Iterable[int]
) -> GroupResult:
    """The figures of some of a model's scenarios."""
    outcomes = [outcome for result in scenarios for outcome in result.outcomes]
    usage = sum_usage([outcome.usage for outcome in outcomes])
    solved = sum(result.tally.solved > 0 for result in scenarios)
    tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    return GroupResult(
        model=model,
        by=by,
        value=value,
        scenarios=len(scenarios),
        tally=add_tallies(result.tally for result in scenarios),
        pass_at=tuple(mean_pass(scenarios, k, pass_at_k) for k in ks),
        pass_all=tuple(mean_pass(scenarios, k, pass_all_k) for k in ks),
        mean_score=_mean([s.mean_score for s in scenarios if s.mean_score is not None]),
        check_rate=_find_check_rate(outcomes),
        idempotent_rate=_find_idempotent_rate(outcomes),
        usage=usage,
        cost_per_solved=usage.cost / solved if usage.cost is not None and solved else None,
        tokens_per_solved=tokens / solved if tokens and solved else None,
        seconds=_mean_seconds(outcomes),
        repeat_variance=_mean([v for s in scenarios if (v := variance_between_attempts(s.tally)) is not None]),
        scenario_variance=_find_scenario_variance(scenarios),
    )


def mean_pass(scenarios: Sequence[ScenarioResult], k: int, estimate: Estimate) -> PassAtK:
    """The mean over those scenarios that have at least `k` scored attempts, with its interval."""
    values = [estimate(result.tally.scored, result.tally.solved, k) for result in scenarios]
    covered = [value for value in values if value is not None]
    if len(scenarios) == 1 and covered:
        only = scenarios[0].tally
        interval = of_one_scenario(only.solved, only.scored, k, every=estimate is pass_all_k)
    else:
        interval = find_interval(covered)
    return _make_rate(k, _mean(covered), interval, covered=len(covered), of=len(scenarios))


def variance_between_attempts(counts: Tally) -> float | None:
    """The unbiased variance of one attempt's success at one scenario; None with fewer than two scored attempts."""
    if counts.scored < 2:  # noqa: PLR2004  # a variance needs two
        return None
    rate = counts.solved / counts.scored
    return rate * (1 - rate) * counts.scored / (counts.scored - 1)


def _find_scenario_variance(scenarios: Sequence[ScenarioResult]) -> float | None:
    rates = [s.tally.solved / s.tally.scored for s in scenarios if s.tally.scored]
    return variance(rates) if len(rates) > 1 else None


def _find_check_rate(outcomes: Sequence[Outcome]) -> float | None:
    scored = (outcome for outcome in outcomes if outcome.verdict is not Verdict.INVALID)
    passed = [check.passed for outcome in scored for check in outcome.checks]
    return sum(passed) / len(passed) if passed else None


def _find_idempotent_rate(outcomes: Sequence[Outcome]) -> float | None:
    scored = (outcome for outcome in outcomes if outcome.verdict is not Verdict.INVALID)
    said = [check.passed for outcome in scored for check in outcome.checks if check.name == IDEMPOTENT]
    return sum(said) / len(said) if said else None


def _mean_seconds(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """By stage; an attempt that ended earlier spent nothing there, so that the stages add up to a mean attempt."""
    spent: dict[str, float] = {}
    scored = 0
    for outcome in outcomes:
        if outcome.verdict is not Verdict.INVALID:
            scored += 1
            for stage, seconds in outcome.timings.items():
                spent[stage] = spent.get(stage, 0.0) + seconds
    return {stage: seconds / scored for stage, seconds in spent.items()}


def add_tallies(tallies: Iterable[Tally]) -> Tally:
    """The counts of all of them."""
    every = list(tallies)
    return Tally(
        solved=sum(t.solved for t in every), missed=sum(t.missed for t in every), invalid=sum(t.invalid for t in every)
    )


def sum_usage(usages: Sequence[Usage]) -> Usage:
    """What all of it came to, of what is known."""
    inputs = [usage.input_tokens for usage in usages if usage.input_tokens is not None]
    outputs = [usage.output_tokens for usage in usages if usage.output_tokens is not None]
    costs = [usage.cost for usage in usages if usage.cost is not None]
    return Usage(
        requests=sum(usage.requests for usage in usages),
        input_tokens=sum(inputs) if inputs else None,
        output_tokens=sum(outputs) if outputs else None,
        cost=sum(costs) if costs else None,
    )


def _failure_kinds(ordered: tuple[Outcome, ...]) -> tuple[KindCount, ...]:
    counted: list[KindCount] = []
    for model, group in groupby(ordered, key=lambda o: o.key.model):
        counts = Counter((o.verdict, kind) for o in group if (kind := o.kind) is not None)
        counted += sorted(
            (
                KindCount(model=model, verdict=verdict, kind=kind, count=count)
                for (verdict, kind), count in counts.items()
            ),
            key=lambda entry: (-entry.count, entry.kind, entry.verdict),
        )
    return tuple(counted)


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
