"""Rank correlation of two measures of the same cases, with its bootstrap interval.

Letters: `N` cases, `R` resamples.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

LEAST = 4
"""Cases below which a resample often holds the same one only."""


class Correlation(NamedTuple):
    """Spearman's rank correlation with its percentile interval.

    Attributes:
        estimate: between -1 and 1; NaN where one measure is the same for all cases.
        low: lower end; NaN for fewer than `LEAST` cases.
        high: upper end.
        num_cases: of both measures.
    """

    estimate: float
    low: float
    high: float
    num_cases: int


def rank_correlation(
    first: ArrayLike,
    second: ArrayLike,
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Correlation:
    """Return Spearman's correlation; ties share their mean rank.

    The interval draws cases as if they were independent. Checkpoints of one training are not: each follows
    from the one before it, and the true uncertainty is larger.

    Args:
        first: one measure `[N]`.
        second: the other `[N]`.
        replicates: resamples to draw; those in which one measure does not vary are left out.
        seed: of the resampling.
        confidence: of the interval.

    Raises:
        ValueError: different lengths, no two cases, or a value that is not finite.
    """
    values = np.stack(_checked(first, second))  # [2, N]
    num_cases = values.shape[1]
    estimate = float(_spearman(values[:, None])[0])
    if num_cases < LEAST or np.isnan(estimate):
        return Correlation(estimate, float("nan"), float("nan"), num_cases)
    drawn = np.random.default_rng(seed).integers(num_cases, size=(replicates, num_cases))
    samples = _spearman(values[:, drawn])
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.nanquantile(samples, tails)
    return Correlation(estimate, float(low), float(high), num_cases)


def _checked(first: ArrayLike, second: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ValueError(
            f"A correlation needs two values or more of each measure; got {first.shape} and {second.shape}."
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("A correlation needs finite values; leave the cases out that have none.")
    return first, second


def _spearman(values: np.ndarray) -> np.ndarray:
    """Return the correlation of the ranks of `[2, R, N]`, `[R]`; NaN where a measure does not vary."""
    ranks = rankdata(values, axis=-1)
    ranks = ranks - ranks.mean(axis=-1, keepdims=True)
    products = (ranks[0] * ranks[1]).sum(axis=-1)
    scale = np.sqrt(np.square(ranks).sum(axis=-1).prod(axis=0))
    return np.divide(products, scale, out=np.full_like(products, np.nan), where=scale > 0)
