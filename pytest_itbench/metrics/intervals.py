"""Confidence intervals. Their unit is the scenario: attempts at one scenario are not independent of one another.

An interval over pooled attempts would be far too narrow (Miller 2024, "Adding Error Bars to Evals", arXiv 2411.00640).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
RESAMPLES = 2000
SEED = 20260101
"""Resampling starts from here, so that the same outcomes always give the same figures."""


class Interval(NamedTuple):
    """Both ends of an interval."""

    low: float
    high: float


def find_interval(values: Sequence[float]) -> Interval | None:
    """The 95 % interval of the mean of one value per scenario, each 0 to 1; None without any.

    Wilson's score interval where all values are 0 or 1, or all the same: resampling would give the latter no width
    (no mean of values of 0 to 1 varies more than a proportion's, so that this errs on the wide side); otherwise the
    percentile bootstrap over scenarios (Efron and Tibshirani 1993, section 13.3).
    """
    if not values:
        return None
    different = set(values)
    if len(different) == 1 or different == {0.0, 1.0}:
        return wilson(sum(values), len(values))
    return _bootstrap(tuple(sorted(Counter(values).items())))


@lru_cache(maxsize=4096)
def wilson(successes: float, trials: int) -> Interval:
    """The score interval of a proportion, for at least one trial.

    Wilson 1927, "Probable Inference", here as in Brown, Cai and DasGupta 2001, equation 4. Written out, because to
    import scipy's takes longer than most short runs; a test compares the two.
    """
    share, square = successes / trials, Z**2 / trials
    middle = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * sqrt(share * (1 - share) / trials + square / (4 * trials))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


@lru_cache(maxsize=4096)
def _bootstrap(counted: tuple[tuple[float, int], ...]) -> Interval:
    """From each distinct value and how often it occurs.

    Drawing scenarios with replacement is drawing how often each value occurs from a multinomial distribution, so that
    the work does not grow with the number of scenarios.
    """
    import numpy as np  # noqa: PLC0415  # only a report needs it

    values = np.array([value for value, _ in counted])
    counts = np.array([count for _, count in counted])
    total = counts.sum()
    draws = np.random.default_rng(SEED).multinomial(total, counts / total, size=RESAMPLES)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws @ values / total, [tail, 1 - tail])
    return Interval(float(low), float(high))


def of_one_scenario(solved: int, scored: int, k: int, *, every: bool = False) -> Interval | None:
    """The 95 % interval of one scenario's pass@k, or pass^k with `every`: Wilson's for one attempt, carried over to k.

    Both are monotone in the rate p of a single attempt: 1 - (1-p)^k and p^k. None without scored attempts.
    """
    if not scored:
        return None
    low, high = wilson(solved, scored)
    if every:
        return Interval(low**k, high**k)
    return Interval(1 - (1 - low) ** k, 1 - (1 - high) ** k)
