"""pass@k and the aggregation of outcomes."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_itbench.domain.outcome import FailureKind, Outcome, Usage, Verdict
from pytest_itbench.metrics.aggregate import mean_pass, summarise
from pytest_itbench.metrics.passk import pass_at_k
from pytest_itbench.metrics.summary import KindCount, PassAtK, RunInfo, RunSummary, Tally
from pytest_itbench.testing import outcomes as made


def make_info(*models: str, planned: int = 0) -> RunInfo:
    return made.make_info(*models, planned=planned)


def make_attempts(
    scenario: str,
    letters: str,
    *,
    model: str = "m",
    domain: str = "networking",
    score: float | None = None,
    usage: Usage | None = None,
) -> list[Outcome]:
    """One attempt per letter: s(olved), m(issed) or i(nvalid)."""
    return made.make_attempts(scenario, letters, model=model, domain=domain, score=score, usage=usage or Usage())


def summarise_one(letters: str) -> RunSummary:
    return summarise(make_attempts("a", letters), make_info("m"))


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_equals_enumeration(numbers: tuple[int, int, int]) -> None:
    """pass@k is the share of all k-subsets of the attempts that hold a solved one."""
    scored, solved, k = numbers
    draws = list(combinations([True] * solved + [False] * (scored - solved), k))
    expected = sum(any(draw) for draw in draws) / len(draws)
    assert pass_at_k(scored, solved, k) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("scored", "solved", "k", "value"),
    [(0, 0, 1, None), (2, 2, 3, None), (3, 0, 3, 0.0), (3, 1, 3, 1.0), (5, 2, 1, 0.4), (4, 4, 1, 1.0)],
)
def test_pass_at_k_boundaries(scored: int, solved: int, k: int, value: float | None) -> None:
    """pass@k is None below k scored attempts and exact at its ends."""
    assert pass_at_k(scored, solved, k) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(("scored", "solved", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 0)])
def test_pass_at_k_refuses_nonsense(scored: int, solved: int, k: int) -> None:
    """Counts that cannot be are refused instead of giving a plausible figure."""
    with pytest.raises(ValueError, match="must"):
        pass_at_k(scored, solved, k)


def test_an_invalid_attempt_is_counted_but_scores_nothing() -> None:
    """Adding invalid attempts changes the tally and no figure."""
    without, with_invalid = summarise_one("ssm").scenarios[0], summarise_one("ssmii").scenarios[0]
    assert with_invalid.tally == Tally(solved=2, missed=1, invalid=2)
    assert with_invalid.pass_at == without.pass_at
    assert with_invalid.mean_score == without.mean_score


def test_group_is_the_mean_over_covered_scenarios() -> None:
    """A group's pass@k weighs scenarios equally and leaves out those with fewer than k scored attempts."""
    outcomes = make_attempts("a", "smmm") + make_attempts("b", "s") + make_attempts("c", "ii")
    total = summarise(outcomes, make_info("m")).model_totals[0]
    assert [(rate.k, rate.value, rate.covered, rate.of) for rate in total.pass_at] == [
        (1, (0.25 + 1) / 2, 2, 3),
        (3, 0.75, 1, 3),
    ]
    assert [rate.partial for rate in total.pass_at] == [True, True]


def test_pass_at_k_of_a_group_without_cover_is_none() -> None:
    """When no scenario has k scored attempts there is no value, not a zero."""
    scenarios = summarise_one("si").scenarios
    assert mean_pass(scenarios, 2, pass_at_k) == PassAtK(k=2, value=None, covered=0, of=1)


def test_groups_are_models_by_domains_with_one_total_each() -> None:
    """Models stand in the order of the command line, domains in alphabetical order, the total last."""
    outcomes = [
        outcome
        for model in ("a", "z")
        for domain in ("templating", "networking")
        for outcome in make_attempts(f"x-{domain}", "sm", model=model, domain=domain)
    ]
    groups = summarise(outcomes, make_info("z", "a")).groups
    one_model = [("domain", "networking"), ("domain", "templating"), ("difficulty", "easy"), ("all", "")]
    assert [(group.model, group.by, group.value) for group in groups] == [
        (model, *each) for model in ("z", "a") for each in one_model
    ]
    assert [group.tally.total for group in groups] == [2, 2, 4, 4] * 2


@given(st.randoms(use_true_random=False))
def test_summary_does_not_depend_on_the_order_of_outcomes(chance: random.Random) -> None:
    """However many workers deliver outcomes, and in whatever order, the summary is the same."""
    outcomes = make_attempts("a", "smi", domain="templating") + make_attempts("b", "ssm", model="other")
    shuffled = list(outcomes)
    chance.shuffle(shuffled)
    info = make_info("m", "other")
    assert summarise(shuffled, info) == summarise(outcomes, info)


def test_outcomes_of_a_scenario_are_sorted_by_index() -> None:
    """Attempts of a scenario stand in the order of their numbers, the tenth after the second."""
    summary = summarise(reversed(make_attempts("a", "s" * 11)), make_info("m"))
    assert [outcome.key.index for outcome in summary.scenarios[0].outcomes] == list(range(11))


def test_the_same_attempt_twice_is_refused() -> None:
    """Counting an attempt twice would inflate pass@k, so it is an error that names the attempt."""
    with pytest.raises(ValueError, match="a/m/0"):
        summarise(make_attempts("a", "s") * 2, make_info("m"))


def test_failure_kinds_are_counted_by_model_most_frequent_first() -> None:
    """Missed and invalid attempts are counted by kind, separately for each model."""
    outcomes = make_attempts("a", "smmi") + make_attempts("a", "i", model="n")
    assert summarise(outcomes, make_info("m", "n")).failure_kinds == (
        KindCount(model="m", verdict=Verdict.MISSED, kind=FailureKind.CHECKS_FAILED, count=2),
        KindCount(model="m", verdict=Verdict.INVALID, kind=FailureKind.ENGINE, count=1),
        KindCount(model="n", verdict=Verdict.INVALID, kind=FailureKind.ENGINE, count=1),
    )


def test_planned_attempts_without_outcome_are_lost() -> None:
    """What was planned and never came back is known to the summary."""
    summary = summarise(make_attempts("a", "si"), make_info("m", planned=5))
    assert (summary.totals, summary.lost) == (Tally(solved=1, invalid=1), 3)


def test_a_miss_without_checks_has_score_zero() -> None:
    """A syntax error must not raise the mean partial score by dropping out of it."""
    outcomes = make_attempts("a", "m") + make_attempts("b", "m", score=0.5) + make_attempts("c", "s")
    summary = summarise(outcomes, make_info("m"))
    assert [result.mean_score for result in summary.scenarios] == [0.0, 0.5, 1.0]
    assert summary.model_totals[0].mean_score == pytest.approx(0.5)


def test_usage_adds_up_what_is_known() -> None:
    """A model's usage sums what its provider reported, and stays unknown where it reported nothing."""
    told, untold = Usage(requests=1, input_tokens=10), Usage(requests=2)
    outcomes = make_attempts("a", "s", usage=told) + make_attempts("b", "i", usage=untold)
    assert summarise(outcomes, make_info("m")).model_totals[0].usage == Usage(requests=3, input_tokens=10)


def test_a_run_without_outcomes_has_an_empty_summary() -> None:
    """A session in which nothing ran still has a summary."""
    summary = summarise([], make_info("m", planned=4))
    assert (summary.groups, summary.scenarios, summary.totals, summary.lost) == ((), (), Tally(), 4)
