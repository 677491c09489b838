"""Ratios of sums over cases that come in clusters, such as the pictures of one patient, with their intervals.

A mean over the cases that have a value is such a ratio, and so is a precision: matches by found boxes.

Letters: N cases, K ratios, G groups of cases, R resamples.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lib.metrics.mean_interval import resampled_sums


class Ratios(NamedTuple):
    """Ratios with percentile intervals, `[G + 2, K]` each: by group, over all cases, mean over the groups."""

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray


def cluster_ratios(
    numerators: ArrayLike,
    denominators: ArrayLike,
    groups: ArrayLike,
    clusters: ArrayLike,
    *,
    num_groups: int,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Ratios:
    """Divide sums over cases, in each group of cases and over all, on the same resamples of clusters.

    Args:
        numerators: `[N, K]`.
        denominators: `[N, K]`, 0 for a case that does not count.
        groups: of each case, 0 to G - 1, `[N]`.
        clusters: of each case, `[N]`; they are resampled whole.
        num_groups: G.
        replicates: resamples to draw.
        seed: of the resampling.
        confidence: of the intervals.

    Returns:
        The last two rows: over all cases, and the mean of the groups' ratios, where a group that a resample
        does not have is left out of it. NaN where nothing counts.
    """
    numerators, denominators = (np.asarray(one, np.float64) for one in (numerators, denominators))
    groups = np.asarray(groups)
    member = groups[:, None] == np.arange(num_groups)  # [N, G]
    both = np.stack([numerators, denominators], axis=1)  # [N, 2, K]
    columns = (member[:, None, :, None] * both[:, :, None]).reshape(len(both), -1)  # [N, 2 G K]
    sums = resampled_sums(columns, np.asarray(clusters), replicates=replicates, seed=seed)
    shape = (-1, 2, num_groups, numerators.shape[1])
    estimate = _ratios(columns.sum(0, keepdims=True).reshape(shape))  # [1, G + 1, K]
    samples = _ratios(sums.reshape(shape))  # [R, G + 1, K]
    # A group that drops out of a resample must not move the mean by being easy or hard: average the
    # distances from the estimates of those that are there.
    mean = _mean(estimate[:, :-1])  # [1, K]
    means = mean + _mean(samples[:, :-1] - estimate[:, :-1])  # [R, K]
    estimate = np.concatenate([estimate[0], mean])  # [G + 2, K]
    samples = np.concatenate([samples, means[:, None]], axis=1)
    low, high = np.full((2, *estimate.shape), np.nan)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    for group, column in np.argwhere(~np.isnan(estimate)):
        values = samples[:, group, column]
        low[group, column], high[group, column] = np.quantile(values[~np.isnan(values)], tails)
    return Ratios(estimate, low, high)


def _ratios(sums: np.ndarray) -> np.ndarray:
    """Divide sums [R, 2, G, K], by group and over all: [R, G + 1, K]."""
    sums = np.concatenate([sums, sums.sum(2, keepdims=True)], axis=2)
    top, bottom = sums[:, 0], sums[:, 1]
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the groups that have a value: [R, G, K] to [R, K], NaN without any."""
    return np.ma.masked_invalid(values).mean(1).filled(np.nan)
