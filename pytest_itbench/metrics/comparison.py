"""Two runs over the same scenarios, scenario by scenario: is the new model worse than the old one?

Each scenario gives one difference (new minus old), so that what is hard for both counts for neither. The test is a
sign-flip permutation test of the mean difference (Fisher's; Good 2005, "Permutation, Parametric and Bootstrap Tests of
Hypotheses", chapter 3): if the true difference were -margin, the sign of each difference plus margin would be a coin's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import product
from math import ceil, floor
from statistics import NormalDist, fmean, variance
from typing import TYPE_CHECKING

from pytest_itbench.metrics.aggregate import variance_between_attempts
from pytest_itbench.metrics.passk import pass_all_k, pass_at_k
from pytest_itbench.metrics.summary import ScenarioResult

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.05
"""One-sided: what is said to be so is wrong in one case of twenty."""
POWER = 0.8
EXACT = 14
"""Scenarios up to which all flips of signs are looked at; beyond, so many are drawn at random."""
FLIPS = 20_000
SEED = 20260101
ROUNDING = 1e-9


class Finding(StrEnum):
    """What a comparison comes to."""

    BETTER = "better"
    NOT_WORSE = "not worse"
    WORSE = "worse"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of two runs.

    Attributes:
        metric: ``pass@1`` or ``pass^k``.
        old, new: its means over the scenarios that both runs have.
        low, high: the one-sided 95 % bounds of the mean difference, new minus old.
        p: the chance of so good a new run if it were worse by the margin, adjusted for several metrics (Holm 1979).
        scenarios: how many were compared.
        needed_scenarios: how many would settle the question if the differences stay as they are; None if none would.
        needed_attempts: attempts per scenario that would, with the scenarios there are; None if none would.
    """

    metric: str
    old: float
    new: float
    low: float
    high: float
    p: float
    finding: Finding
    scenarios: int
    needed_scenarios: int | None = None
    needed_attempts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A scenario whose attempts all went one way before, and do not any more (or the other way round).

    Attributes:
        old, new: solved of scored attempts.
    """

    scenario: str
    old: tuple[int, int]
    new: tuple[int, int]

    @property
    def change(self) -> float:
        """The difference of the rates, new minus old."""
        return self.new[0] / self.new[1] - self.old[0] / self.old[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One model's results against another's.

    Attributes:
        margin: how much worse is still not worse.
        flips: the scenarios that changed most clearly, those that got worse first.
        left_out: scenarios without scored attempts in one of the runs.
    """

    old_run: str
    old_model: str
    new_model: str
    margin: float
    differences: tuple[Difference, ...]
    flips: tuple[Flip, ...]
    left_out: tuple[str, ...]

    @property
    def finding(self) -> Finding:
        """The worst of its findings; better only if one is and none is in doubt."""
        found = {difference.finding for difference in self.differences}
        for worst in (Finding.WORSE, Finding.INCONCLUSIVE):
            if worst in found:
                return worst
        if not found:
            return Finding.INCONCLUSIVE
        return Finding.BETTER if Finding.BETTER in found else Finding.NOT_WORSE


Results = Mapping[str, ScenarioResult]
"""One model's results by scenario."""
Value = Callable[[ScenarioResult], float | None]


def compare(old: Results, new: Results, *, names: tuple[str, str, str], margin: float, k: int) -> Comparison:
    """Compare a model's pass@1 and, for `k` above 1, its pass^k with those of a stored run.

    `names` are the stored run's, the old and the new model's.
    """
    metrics: dict[str, Value] = {"pass@1": lambda result: pass_at_k(result.tally.scored, result.tally.solved, 1)}
    if k > 1:
        metrics[f"pass^{k}"] = lambda result: pass_all_k(result.tally.scored, result.tally.solved, k)
    shared = sorted(old.keys() & new.keys())
    usable = [name for name in shared if old[name].tally.scored and new[name].tally.scored]
    pairs = [(old[name], new[name]) for name in usable]
    measured = [_measure(metric, value, pairs, margin) for metric, value in metrics.items()]
    known = [each for each in measured if each]
    good, bad = holm([difference.p for difference, _ in known]), holm([worse for _, worse in known])
    flips = [flip for name in usable if (flip := _find_flip(name, old[name], new[name]))]
    run, old_model, new_model = names
    return Comparison(
        old_run=run,
        old_model=old_model,
        new_model=new_model,
        margin=margin,
        differences=tuple(_conclude(d, p, q) for (d, _), p, q in zip(known, good, bad, strict=True)),
        flips=tuple(sorted(flips, key=lambda flip: (flip.change, flip.scenario))),
        left_out=tuple(name for name in sorted(old.keys() | new.keys()) if name not in usable),
    )


def _measure(
    metric: str, value: Value, pairs: Sequence[tuple[ScenarioResult, ScenarioResult]], margin: float
) -> tuple[Difference, float] | None:
    """The difference, and the chance of so bad a new run if it were as good as the old one."""
    both = [(value(old), value(new), old, new) for old, new in pairs]
    known = [(a, b, old, new) for a, b, old, new in both if a is not None and b is not None]
    if not known:
        return None
    changes = [b - a for a, b, _, _ in known]
    scenarios, attempts = find_needed(changes, [(old, new) for _, _, old, new in known], margin)
    difference = Difference(
        metric=metric,
        old=fmean(a for a, _, _, _ in known),
        new=fmean(b for _, b, _, _ in known),
        low=find_bound(changes),
        high=-find_bound([-change for change in changes]),
        p=sign_flip(changes, -margin),
        finding=Finding.INCONCLUSIVE,
        scenarios=len(changes),
        needed_scenarios=scenarios,
        needed_attempts=attempts,
    )
    return difference, sign_flip([-change for change in changes])


def _conclude(difference: Difference, p: float, worse: float) -> Difference:
    """The finding, from the p-values that count all metrics."""
    if p <= LEVEL:
        finding = Finding.BETTER if difference.low > 0 else Finding.NOT_WORSE
    elif worse <= LEVEL:
        finding = Finding.WORSE
    else:
        return replace(difference, p=p)
    return replace(difference, p=p, finding=finding, needed_scenarios=None, needed_attempts=None)


def sign_flip(changes: Sequence[float], center: float = 0.0) -> float:
    """The one-sided p-value of "the mean change is at most `center`", exact for few scenarios."""
    turns = _find_turns(changes)
    hits = int((turns <= center + ROUNDING).sum())
    # With random flips the observed signs are one more draw (Phipson and Smyth 2010), or p could be 0.
    return hits / len(turns) if len(changes) <= EXACT else (hits + 1) / (len(turns) + 1)


def find_bound(changes: Sequence[float]) -> float:
    """The one-sided lower 95 % bound of the mean change: the largest center that the test above refuses."""
    turns = _find_turns(changes)
    exact = len(changes) <= EXACT
    allowed = floor(LEVEL * len(turns)) if exact else floor(LEVEL * (len(turns) + 1)) - 1
    turns.partition(allowed)
    return max(-1.0, float(turns[allowed]))


def _find_turns(changes: Sequence[float]) -> np.ndarray:
    """For each flip of signs the center from which on it does as well as none: the mean of what it flips."""
    import numpy as np  # noqa: PLC0415  # only a comparison needs it

    flipped, sizes = _find_flipped(len(changes))
    sums = flipped @ np.asarray(changes, dtype=float)
    turns = np.full(len(sizes), -np.inf)
    np.divide(sums, sizes, out=turns, where=sizes > 0)
    return turns


@lru_cache(maxsize=2)
def _find_flipped(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Flips of signs, as 1 for each scenario that is flipped and 0 for the others, and how many each flips."""
    import numpy as np  # noqa: PLC0415  # only a comparison needs it

    if number <= EXACT:
        flipped = np.array(list(product((0.0, 1.0), repeat=number)))
    else:
        # Fewer flips where each of them is long, so that memory stays bounded.
        flips = max(2_000, min(FLIPS, 10_000_000 // number))
        flipped = np.random.default_rng(SEED).integers(0, 2, size=(flips, number), dtype=np.int8).astype(float)
    return flipped, flipped.sum(axis=1)


def holm(values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number by Holm's step-down procedure (Holm 1979), in the order given."""
    adjusted, largest = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda place: values[place])):
        largest = max(largest, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = largest
    return adjusted


def find_needed(
    changes: Sequence[float], pairs: Sequence[tuple[ScenarioResult, ScenarioResult]], margin: float
) -> tuple[int | None, int | None]:
    """Scenarios, or attempts per scenario, with which the test would say "not worse" in four of five cases.

    By the normal approximation n = (z_level + z_power)^2 variance / (mean + margin)^2 (Chow, Shao and Wang 2008,
    section 3.1.2). More attempts reduce only the part of the variance that comes from repeating attempts.
    """
    distance = fmean(changes) + margin
    if len(changes) < 2 or distance <= 0:  # noqa: PLR2004  # a variance needs two
        return None, None
    factor = (NormalDist().inv_cdf(1 - LEVEL) + NormalDist().inv_cdf(POWER)) ** 2 / distance**2
    total = variance(changes)
    scenarios = max(len(changes) + 1, ceil(factor * total))
    both = [[variance_between_attempts(result.tally) or 0.0 for result in pair] for pair in pairs]
    attempts = fmean(min(old.tally.scored, new.tally.scored) for old, new in pairs)
    repeats = fmean(sum(each) for each in both)
    lasting = max(0.0, total - repeats / attempts)
    room = len(changes) / factor - lasting
    needed = ceil(repeats / room) if room > 0 and repeats else None
    return scenarios, max(needed, ceil(attempts) + 1) if needed else None


def _find_flip(name: str, old: ScenarioResult, new: ScenarioResult) -> Flip | None:
    flip = Flip(scenario=name, old=(old.tally.solved, old.tally.scored), new=(new.tally.solved, new.tally.scored))
    went = {solved / scored for solved, scored in (flip.old, flip.new)}
    return flip if flip.change and went & {0.0, 1.0} else None
