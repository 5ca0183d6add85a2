"""Estimators, intervals and tests, against independent implementations and simulated runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import sqrt
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]  # ships no types
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]  # ships no types
from statsmodels.stats.proportion import proportion_confint  # type: ignore[import-untyped]  # ships no types

from pytest_itbench.metrics.aggregate import mean_pass
from pytest_itbench.metrics.comparison import (
    EXACT,
    LEVEL,
    Comparison,
    Finding,
    compare,
    find_bound,
    find_needed,
    holm,
    sign_flip,
)
from pytest_itbench.metrics.intervals import CONFIDENCE, RESAMPLES, Interval, find_interval, of_one_scenario, wilson
from pytest_itbench.metrics.passk import pass_all_k, pass_at_k
from pytest_itbench.metrics.summary import ScenarioResult, Tally

NAMES = ("stored", "old", "new")
Counts = dict[str, tuple[int, int]]
"""Solved and scored attempts by scenario."""

few = settings(max_examples=25, deadline=None)


def result(scenario: str, solved: int, scored: int) -> ScenarioResult:
    return ScenarioResult(
        scenario=scenario,
        model="m",
        domain="networking",
        difficulty="easy",
        tags=(),
        tally=Tally(solved=solved, missed=scored - solved),
        pass_at=(),
        pass_all=(),
        mean_score=None,
        outcomes=(),
    )


def results(counts: Counts) -> dict[str, ScenarioResult]:
    return {name: result(name, solved, scored) for name, (solved, scored) in counts.items()}


def alike(solved: int, scored: int, number: int = 30) -> Counts:
    return {f"s{index:02}": (solved, scored) for index in range(number)}


def compare_counts(old: Counts, new: Counts, *, margin: float = 0.05, k: int = 1) -> Comparison:
    return compare(results(old), results(new), names=NAMES, margin=margin, k=k)


def draw(generator: np.random.Generator, rates: np.ndarray, attempts: int) -> list[float]:
    """The observed rate of each scenario."""
    return [float(each) for each in generator.binomial(attempts, rates) / attempts]


# --- estimators ------------------------------------------------------------------------------------------------------

ATTEMPTS = st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))


@pytest.mark.parametrize(("estimate", "quantor"), [(pass_at_k, any), (pass_all_k, all)])
@few
@given(ATTEMPTS)
def test_estimators_equal_enumeration(
    estimate: Callable[[int, int, int], float | None],
    quantor: Callable[[Sequence[bool]], bool],
    numbers: tuple[int, int, int],
) -> None:
    """pass@k and pass^k are the shares of all k-subsets of the attempts in which any or every one is solved."""
    scored, solved, k = numbers
    subsets = list(combinations([True] * solved + [False] * (scored - solved), k))
    # The same single division of whole numbers, so that not even the last digit differs.
    assert estimate(scored, solved, k) == sum(quantor(subset) for subset in subsets) / len(subsets)


@few
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_one_attempt_is_the_same_for_both(numbers: tuple[int, int]) -> None:
    """With k = 1 both are the plain rate, to the last digit."""
    scored, solved = numbers
    assert pass_at_k(scored, solved, 1) == pass_all_k(scored, solved, 1) == solved / scored


# --- intervals -------------------------------------------------------------------------------------------------------


@few
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_scipy_and_statsmodels(numbers: tuple[int, int]) -> None:
    """The interval of a proportion is that of two other implementations."""
    solved, scored = numbers
    ours = wilson(solved, scored)
    other = stats.binomtest(solved, scored).proportion_ci(CONFIDENCE, method="wilson")
    assert ours == pytest.approx((other.low, other.high), abs=1e-12)
    assert ours == pytest.approx(proportion_confint(solved, scored, 1 - CONFIDENCE, method="wilson"), abs=1e-12)


@few
@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=60))
def test_one_attempt_per_scenario_gives_wilsons_interval(values: list[float]) -> None:
    """Where each scenario is either solved or not, the mean is a proportion."""
    assert find_interval(values) == wilson(round(sum(values)), len(values))


RATES = st.lists(st.integers(0, 10).map(lambda tenths: tenths / 10), min_size=8, max_size=60)


@settings(max_examples=12, deadline=None)
@given(RATES)
def test_the_bootstrap_equals_scipys(values: list[float]) -> None:
    """Both ends are those of scipy's percentile bootstrap, but for the chance in both."""
    assume(len(set(values) - {0.0, 1.0}) > 0 and len(set(values)) > 1)
    ours = find_interval(values)
    generator = np.random.default_rng(7)
    other = stats.bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method="percentile", rng=generator
    ).confidence_interval
    # A simulated 2.5 % point strays by about 0.06 standard errors; one step of a mean of tenths comes on top.
    tolerance = 0.4 * stdev(values) / sqrt(len(values)) + 0.1 / len(values)
    assert ours == pytest.approx((other.low, other.high), abs=tolerance)


@few
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_an_interval_is_the_same_each_time_and_holds_the_mean(values: list[float], chance: object) -> None:
    """The same values in any order give the same interval; it lies in 0 to 1 and around the mean."""
    interval, shuffled = find_interval(values), list(values)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    assert interval is not None
    assert find_interval(shuffled) == interval
    assert -1e-9 <= interval.low <= fmean(values) + 1e-9
    assert fmean(values) - 1e-9 <= interval.high <= 1 + 1e-9


@pytest.mark.parametrize("number", [1, 3, 30])
def test_scenarios_of_the_same_rate_leave_doubt(number: int) -> None:
    """That all scenarios were solved in half of the attempts does not make the mean certain."""
    interval = find_interval([0.5] * number)
    assert interval is not None
    assert interval.low < 0.5 - 0.5 / sqrt(number) / 2
    assert interval.high > 0.5 + 0.5 / sqrt(number) / 2


def test_one_covered_scenario_of_several_leaves_doubt() -> None:
    """A mean over the only scenario that has enough attempts is not certain either."""
    rate = mean_pass([result("a", 1, 2), result("b", 0, 0)], 1, pass_at_k)
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < 0.4
    assert rate.high > 0.6


def test_nothing_has_no_interval() -> None:
    """Without values, or without scored attempts, there is no interval."""
    assert find_interval([]) is None
    assert of_one_scenario(0, 0, 1) is None


@few
@given(ATTEMPTS)
def test_the_interval_of_one_scenario_follows_k(numbers: tuple[int, int, int]) -> None:
    """More tries move the interval of pass@k up and that of pass^k down; with one try both are Wilson's."""
    scored, solved, k = numbers
    plain, at, every = (
        of_one_scenario(solved, scored, number, every=all_of) for number, all_of in ((1, False), (k, False), (k, True))
    )
    assert plain == pytest.approx(wilson(solved, scored), abs=1e-12)
    assert plain is not None
    assert at is not None
    assert every is not None
    assert every.low - 1e-12 <= plain.low <= at.low + 1e-12
    assert every.high - 1e-12 <= plain.high <= at.high + 1e-12


def test_intervals_cover_the_truth() -> None:
    """Of 300 simulated runs, 30 scenarios x 10 attempts, about 95 % have the true pass@1 in their interval.

    An interval over pooled attempts, as if they were independent, would have it in far fewer.
    """
    generator, runs, scenarios, attempts, truth = np.random.default_rng(3), 300, 30, 10, 0.5
    covered = pooled = 0
    for _ in range(runs):
        values = draw(generator, generator.beta(truth, truth, scenarios), attempts)
        covered += holds(find_interval(values), truth)
        pooled += holds(wilson(round(sum(values) * attempts), scenarios * attempts), truth)
    assert 0.88 <= covered / runs <= 0.99
    assert pooled / runs < 0.85


def holds(interval: Interval | None, truth: float) -> bool:
    return interval is not None and interval.low <= truth <= interval.high


# --- the paired test -------------------------------------------------------------------------------------------------

CHANGES = st.integers(-8, 8).map(lambda eighths: eighths / 8)
"""Exact in binary, because scipy takes sums that differ by rounding for different where they should be 0."""


def flip_with_scipy(changes: Sequence[float], center: float, number: float) -> float:
    shifted = np.asarray(changes) - center
    test = stats.permutation_test(
        (shifted,),
        lambda sample, axis: np.sum(sample, axis=axis),
        permutation_type="samples",
        alternative="greater",
        n_resamples=number,
        rng=np.random.default_rng(5),
    )
    return float(test.pvalue)


@few
@given(st.lists(CHANGES, min_size=2, max_size=9), st.sampled_from([-0.0625, 0.0, 0.125]))
def test_few_scenarios_are_tested_exactly(changes: list[float], center: float) -> None:
    """Up to `EXACT` scenarios the p-value is the share of all flips of signs that do as well, as scipy has it."""
    assert sign_flip(changes, center) == pytest.approx(flip_with_scipy(changes, center, np.inf), abs=1e-12)


@settings(max_examples=6, deadline=None)
@given(st.lists(CHANGES, min_size=EXACT + 1, max_size=40))
def test_many_scenarios_are_tested_by_chance(changes: list[float]) -> None:
    """With more scenarios the p-value is that of scipy but for the chance in both, and never 0."""
    ours, other = sign_flip(changes, -0.0625), flip_with_scipy(changes, -0.0625, 10_000)
    assert 0 < ours <= 1
    assert ours == pytest.approx(other, abs=5 * sqrt(other * (1 - other) * 1.5e-4) + 5e-4)


@few
@given(st.lists(CHANGES, min_size=5, max_size=24))
def test_the_bound_is_where_the_test_turns(changes: list[float]) -> None:
    """Just below the bound the test refuses, just above it does not; the bound never exceeds the mean."""
    bound = find_bound(changes)
    assert -1 <= bound <= fmean(changes) + 1e-9
    assert sign_flip(changes, bound + 1e-6) > LEVEL
    if bound > -1:
        assert sign_flip(changes, bound - 1e-6) <= LEVEL


@few
@given(st.lists(CHANGES, min_size=5, max_size=20), st.integers(0, 4), st.floats(0, 0.5))
def test_the_bound_rises_with_the_changes(changes: list[float], place: int, rise: float) -> None:
    """No change that turns out better makes the bound worse, and all together move it as far as themselves."""
    better = [change + rise * (number == place) for number, change in enumerate(changes)]
    bound = find_bound(changes)
    assert find_bound(better) >= bound - 1e-6
    assert find_bound([change + rise for change in changes]) == pytest.approx(bound + rise, abs=1e-6)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_too_few_scenarios_prove_nothing(number: int) -> None:
    """Of fewer than five scenarios even the best result has more than one chance in twenty."""
    assert sign_flip([1.0] * number, -0.05) > LEVEL
    assert find_bound([1.0] * number) == -1.0


def test_a_model_worse_by_the_margin_rarely_passes() -> None:
    """Of 200 runs of a model that is worse by just the margin, about one of twenty is called "not worse"."""
    generator, margin = np.random.default_rng(11), 0.1
    passed = 0
    for _ in range(200):
        rates = generator.uniform(0.2, 0.9, 24)
        old, new = draw(generator, rates, 5), draw(generator, rates - margin, 5)
        passed += sign_flip([b - a for a, b in zip(old, new, strict=True)], -margin) <= LEVEL
    assert 0.01 <= passed / 200 <= 0.10


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_equals_statsmodels(values: list[float]) -> None:
    """Adjusted p-values are those of another implementation, in the order given."""
    assert holm(values) == pytest.approx(list(multipletests(values, method="holm")[1]), abs=1e-12)


def test_holm_of_nothing_is_nothing() -> None:
    """A comparison without figures has no p-values."""
    assert holm([]) == []


def test_as_many_scenarios_as_named_settle_it() -> None:
    """With that many scenarios like these, about four of five runs say "not worse"."""
    generator, margin = np.random.default_rng(13), 0.05
    changes = [float(each) for each in generator.choice([-0.4, -0.2, 0.0, 0.2, 0.4], 20)]
    changes = [change - fmean(changes) for change in changes]
    needed, _ = find_needed(changes, [(result("a", 1, 2), result("a", 1, 2))] * len(changes), margin)
    assert needed is not None
    samples = [generator.choice(changes, needed).tolist() for _ in range(60)]
    assert 0.65 <= fmean(sign_flip(sample, -margin) <= LEVEL for sample in samples) <= 0.95


def test_as_many_attempts_as_named_settle_it() -> None:
    """With that many attempts at each of these scenarios, about four of five runs say "not worse"."""
    generator, margin, attempts, number = np.random.default_rng(17), 0.03, 4, 100
    rates = generator.uniform(0.2, 0.9, number)
    while True:  # a run whose difference is near the true one, or the number would rest on another
        old, new = (generator.binomial(attempts, rates) for _ in range(2))
        changes = [float(each) for each in (new - old) / attempts]
        if abs(fmean(changes)) < 0.002:
            break
    pairs = [(result("a", int(a), attempts), result("a", int(b), attempts)) for a, b in zip(old, new, strict=True)]
    _, needed = find_needed(changes, pairs, margin)
    assert needed is not None
    runs = [np.subtract(draw(generator, rates, needed), draw(generator, rates, needed)).tolist() for _ in range(60)]
    assert 0.6 <= fmean(sign_flip(run, -margin) <= LEVEL for run in runs) <= 0.97


def test_nothing_settles_what_is_as_bad_as_the_margin() -> None:
    """More of a model that is worse by the margin never shows that it is not."""
    pairs = [(result("a", 2, 2), result("a", 1, 2))] * 6
    assert find_needed([-0.5] * 6, pairs, 0.05) == (None, None)
    assert find_needed([0.0], pairs[:1], 0.05) == (None, None)


# --- comparisons -----------------------------------------------------------------------------------------------------

MIXED_OLD = {f"s{index}": (index, 6) for index in range(7)}
MIXED_NEW = {f"s{index}": (6 - index, 6) for index in range(7)}


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (alike(2, 10), alike(8, 10), Finding.BETTER),
        (alike(5, 10), alike(5, 10), Finding.NOT_WORSE),
        (alike(8, 10), alike(2, 10), Finding.WORSE),
        (MIXED_OLD, MIXED_NEW, Finding.INCONCLUSIVE),
        (alike(2, 10, 4), alike(8, 10, 4), Finding.INCONCLUSIVE),
        (alike(2, 10), {"other": (8, 10)}, Finding.INCONCLUSIVE),
    ],
)
def test_what_a_comparison_comes_to(old: Counts, new: Counts, finding: Finding) -> None:
    """Better, not worse and worse are said when they are sure; few scenarios, or contrary ones, leave it open."""
    assert compare_counts(old, new).finding is finding


def test_an_open_comparison_says_what_would_settle_it() -> None:
    """It names more scenarios than there are; a settled one names nothing."""
    (difference,) = compare_counts(MIXED_OLD, MIXED_NEW).differences
    assert difference.needed_scenarios is not None
    assert difference.needed_scenarios > difference.scenarios == 7
    (settled,) = compare_counts(alike(2, 10), alike(8, 10)).differences
    assert (settled.needed_scenarios, settled.needed_attempts) == (None, None)


def test_both_figures_are_compared_and_adjusted_for_their_number() -> None:
    """With k attempts pass^k is compared too, and each p-value counts for both."""
    both = compare_counts(MIXED_OLD, MIXED_NEW, k=2)
    assert [difference.metric for difference in both.differences] == ["pass@1", "pass^2"]
    changes = [
        [
            (estimate(6, MIXED_NEW[name][0], k) or 0.0) - (estimate(6, solved, k) or 0.0)
            for name, (solved, _) in sorted(MIXED_OLD.items())
        ]
        for estimate, k in ((pass_at_k, 1), (pass_all_k, 2))
    ]
    expected = holm([sign_flip(each, -0.05) for each in changes])
    assert [difference.p for difference in both.differences] == pytest.approx(expected)
    assert [difference.new - difference.old for difference in both.differences] == pytest.approx(
        [fmean(each) for each in changes]
    )


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 4), min_size=5), st.randoms(use_true_random=False))
def test_the_bounds_of_a_difference_surround_it(old: dict[str, int], chance: object) -> None:
    """The mean difference lies between its bounds, and exchanging the runs mirrors them."""
    new = {name: chance.randint(0, 4) for name in old}  # type: ignore[attr-defined]  # a random.Random
    before, after = ({name: (solved, 4) for name, solved in each.items()} for each in (old, new))
    ((there,), (back,)) = (compare_counts(*runs).differences for runs in ((before, after), (after, before)))
    assert there.low - 1e-9 <= there.new - there.old <= there.high + 1e-9
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-6)


def test_flips_stand_worst_first() -> None:
    """Scenarios that were always or never solved in one run only are listed, those that got worse most come first."""
    old = {"a": (4, 4), "b": (4, 4), "c": (0, 4), "d": (2, 4), "e": (4, 4), "f": (0, 4), "g": (3, 4), "h": (4, 4)}
    new = {"a": (3, 4), "b": (0, 4), "c": (4, 4), "d": (3, 4), "e": (4, 4), "f": (1, 4), "g": (0, 4), "h": (3, 4)}
    flips = compare_counts(old, new).flips
    assert [flip.scenario for flip in flips] == ["b", "g", "a", "h", "f", "c"]
    assert [flip.change for flip in flips] == [-1.0, -0.75, -0.25, -0.25, 0.25, 1.0]


def test_scenarios_without_scored_attempts_are_left_out_by_name() -> None:
    """Scenarios that one of the runs did not try, or could not score, do not count and are named."""
    old = {"only-old": (1, 2), "empty-old": (0, 0), "empty-new": (1, 2)} | alike(1, 2, 6)
    new = {"only-new": (1, 2), "empty-old": (2, 2), "empty-new": (0, 0)} | alike(1, 2, 6)
    comparison = compare_counts(old, new)
    assert comparison.left_out == ("empty-new", "empty-old", "only-new", "only-old")
    assert comparison.differences[0].scenarios == 6
    assert comparison.flips == ()
