"""Accuracy where classes exclude each other, with its patient-clustered bootstrap interval.

Letters: `N` cases, `K` classes, `S` seeds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lib.metrics.mean_interval import mean_interval


class Accuracy(NamedTuple):
    """Share of the cases whose most probable class is theirs, with the percentiles of its resamples."""

    estimate: float
    low: float
    high: float


def is_correct(labels: ArrayLike, probabilities: ArrayLike) -> np.ndarray:
    """Say of which cases the most probable class is the true one; of several alike the first counts.

    Args:
        labels: 1 for one class, 0 for the others `[N, K]`.
        probabilities: `[..., N, K]`.

    Returns:
        bool `[..., N]`.
    """
    return np.asarray(probabilities).argmax(-1) == np.asarray(labels).argmax(-1)


def bootstrap_accuracy(
    labels: ArrayLike, probabilities: ArrayLike, patients: Sequence, *, replicates: int = 2000, seed: int = 0
) -> Accuracy:
    """Compute the mean accuracy of several seeds; patients are resampled with all their cases.

    Args:
        labels: 1 for one class, 0 for the others `[N, K]`.
        probabilities: `[S, N, K]`.
        patients: patient of each case `[N]`.
        replicates: resamples to draw.
        seed: of the resampling.
    """
    correct = is_correct(labels, probabilities).mean(0)  # [N]
    low, high = mean_interval(correct[:, None], patients, replicates=replicates, seed=seed)
    return Accuracy(float(correct.mean()), float(low[0]), float(high[0]))
