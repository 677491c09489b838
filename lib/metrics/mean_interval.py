"""Bootstrap interval of a mean over cases that come in clusters, such as the queries of one patient.

Letters: `Q` cases, `K` values of each, `M` clusters, `R` resamples.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from lib.metrics.bootstrap import draw_patients


def mean_interval(
    values: ArrayLike,
    clusters: Sequence | None = None,
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:
    """Resample clusters whole and take percentiles of the mean over their cases.

    Args:
        values: `[Q, K]`.
        clusters: cluster of each case `[Q]`; None draws cases.
        replicates: resamples to draw.
        seed: of the resampling.
        confidence: of the interval.

    Returns:
        Lower and upper ends, float64 `[K]` each.

    Raises:
        ValueError: another number of clusters than cases.
    """
    values = np.asarray(values, np.float64)
    columns = np.column_stack([values, np.ones(len(values))])  # last the number of cases
    sums = resampled_sums(columns, clusters, replicates=replicates, seed=seed)  # [R, K + 1]
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(sums[:, :-1] / sums[:, -1:], tails, axis=0)
    return low, high


def resampled_sums(
    values: np.ndarray, clusters: Sequence | None = None, *, replicates: int = 2000, seed: int = 0
) -> np.ndarray:
    """Resample clusters whole and sum over their cases: for whatever follows from sums, such as corpus BLEU.

    Args:
        values: float64 `[Q, K]`.
        clusters: cluster of each case `[Q]`; None draws cases.
        replicates: resamples to draw.
        seed: of the resampling; the same one draws the same cases.

    Returns:
        float64 `[R, K]`.

    Raises:
        ValueError: another number of clusters than cases.
    """
    clusters = np.arange(len(values)) if clusters is None else np.asarray(clusters)
    if len(clusters) != len(values):
        raise ValueError(f"{len(clusters)} clusters for {len(values)} queries.")
    names, cluster = np.unique(clusters, return_inverse=True)
    totals = np.zeros((len(names), values.shape[1]))
    np.add.at(totals, cluster, values)
    return np.concatenate([counts.T @ totals for counts in draw_patients(len(names), replicates, seed)])
