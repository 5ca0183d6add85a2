"""The estimators of pass@k and pass^k."""

from __future__ import annotations

from math import comb


def pass_at_k(scored: int, solved: int, k: int) -> float | None:
    """Estimate the probability that at least one of `k` attempts solves a scenario; None when `scored` < `k`.

    The unbiased estimator 1 - C(n-c, k) / C(n, k) of Chen et al. 2021, "Evaluating Large Language Models
    Trained on Code", equation 1, with n = `scored` and c = `solved`.

    Raises:
        ValueError: `k` is below 1, or `solved` is not between 0 and `scored`.
    """
    _refuse_nonsense(scored, solved, k)
    if scored < k:
        return None
    # One division at the end, or 1 of 10 would be 0.09999999999999998 and miss a gate at 0.1.
    return (comb(scored, k) - comb(scored - solved, k)) / comb(scored, k)


def pass_all_k(scored: int, solved: int, k: int) -> float | None:
    """Estimate the probability that all of `k` attempts solve a scenario (pass^k); None when `scored` < `k`.

    The unbiased estimator C(c, k) / C(n, k) of Yao et al. 2024, "tau-bench", section 4.

    Raises:
        ValueError: `k` is below 1, or `solved` is not between 0 and `scored`.
    """
    _refuse_nonsense(scored, solved, k)
    return None if scored < k else comb(solved, k) / comb(scored, k)


def _refuse_nonsense(scored: int, solved: int, k: int) -> None:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if not 0 <= solved <= scored:
        raise ValueError(f"solved must lie between 0 and {scored}, not be {solved}")
