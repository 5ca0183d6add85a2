"""From outcomes to a run's summary.

An invalid attempt enters no numerator and no denominator, but every tally counts it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import fmean

from pytest_itbench.domain.outcome import AttemptKey, Outcome, Usage, Verdict
from pytest_itbench.metrics.passk import pass_at_k
from pytest_itbench.metrics.summary import (
    GroupResult,
    KindCount,
    PassAtK,
    RunInfo,
    RunSummary,
    ScenarioResult,
    Tally,
)


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


def mean_pass_at_k(scenarios: Sequence[ScenarioResult], k: int) -> PassAtK:
    """The mean of pass@k over those scenarios that have at least `k` scored attempts."""
    values = [pass_at_k(result.tally.scored, result.tally.solved, k) for result in scenarios]
    covered = [value for value in values if value is not None]
    return PassAtK(k=k, value=_mean(covered), covered=len(covered), of=len(scenarios))


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
    values = {k: pass_at_k(counts.scored, counts.solved, k) for k in ks}
    return ScenarioResult(
        scenario=first.key.scenario,
        model=first.key.model,
        domain=first.domain,
        difficulty=first.difficulty,
        tags=first.tags,
        tally=counts,
        pass_at=tuple(PassAtK(k=k, value=value, covered=int(value is not None), of=1) for k, value in values.items()),
        mean_score=_mean([_score(o) for o in outcomes if o.verdict is not Verdict.INVALID]),
        outcomes=outcomes,
    )


def _score(outcome: Outcome) -> float:
    # A miss before validation ran no checks; leaving it out would reward syntax errors.
    if outcome.score is not None:
        return outcome.score
    return 1.0 if outcome.verdict is Verdict.SOLVED else 0.0


def _groups(scenarios: tuple[ScenarioResult, ...], ks: tuple[int, ...]) -> tuple[GroupResult, ...]:
    groups: list[GroupResult] = []
    for model, of_model in groupby(scenarios, key=lambda s: s.model):
        members = tuple(of_model)
        for domain, of_domain in groupby(members, key=lambda s: s.domain):
            groups.append(_group(model, domain, tuple(of_domain), ks))
        groups.append(_group(model, None, members, ks))
    return tuple(groups)


def _group(model: str, domain: str | None, scenarios: tuple[ScenarioResult, ...], ks: tuple[int, ...]) -> GroupResult:
    outcomes = [outcome for result in scenarios for outcome in result.outcomes]
    return GroupResult(
        model=model,
        domain=domain,
        scenarios=len(scenarios),
        tally=tally(outcomes),
        pass_at=tuple(mean_pass_at_k(scenarios, k) for k in ks),
        mean_score=_mean([s.mean_score for s in scenarios if s.mean_score is not None]),
        usage=_sum_usage([outcome.usage for outcome in outcomes]),
    )


def _sum_usage(usages: Sequence[Usage]) -> Usage:
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
