"""Accuracy where classes exclude each other, with its patient-clustered bootstrap interval.

Letters: `N` cases, `K` classes, `S` seeds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lib.metrics.mean_interval import resampled_sums
from lib.metrics.resampled_mean import ResampledMean, average


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
    mean = average(resampled_accuracy(labels, probabilities, patients, replicates=replicates, seed=seed))
    return Accuracy(mean.estimate, *mean.interval())


def resampled_accuracy(
    labels: ArrayLike, probabilities: ArrayLike, patients: Sequence, *, replicates: int = 2000, seed: int = 0
) -> list[ResampledMean]:
    """Compute the accuracy of each seed on every resample; arguments as in `bootstrap_accuracy`."""
    correct = is_correct(labels, probabilities).astype(np.float64)  # [S, N]
    columns = np.column_stack([correct.T, np.ones(correct.shape[1])])  # last the number of cases
    sums = resampled_sums(columns, patients, replicates=replicates, seed=seed)  # [R, S + 1]
    shares = (sums[:, :-1] / sums[:, -1:]).T  # [S, R]
    return [
        ResampledMean(float(hits.mean()), share - hits.mean())
        for hits, share in zip(correct, shares, strict=True)
    ]
