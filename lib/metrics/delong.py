"""DeLong's comparison of two AUROCs on the same cases (DeLong 1988), by midranks (Sun and Xu 2014).

Letters: `N` cases, `P` positives, `Q` negatives.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from lib.metrics.classification import checked
from lib.metrics.difference_test import TestResult, difference_test


def delong_test(
    labels: ArrayLike, probabilities_a: ArrayLike, probabilities_b: ArrayLike, *, confidence: float = 0.95
) -> TestResult:
    """Compare two AUROCs on the same cases.

    It takes cases as independent; with several images a patient use `paired_bootstrap_auroc`.

    Args:
        labels: 1, 0 or NaN (case left out) `[N]`.
        probabilities_a: of the first method `[N]`.
        probabilities_b: of the second method `[N]`.
        confidence: of the interval.

    Returns:
        A minus B; the statistic is z. Two methods that rank alike give z 0 and p 1.

    Raises:
        ValueError: fewer than two cases of a class, so that there is no variance.
    """
    difference, variance = delong_moments(labels, probabilities_a, probabilities_b)
    return difference_test(float(difference), float(np.sqrt(variance)), stats.norm, confidence)


def delong_moments(
    labels: ArrayLike, probabilities_a: ArrayLike, probabilities_b: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the difference of two AUROCs and its variance, for one pair of methods or many at once.

    Args:
        labels: 1, 0 or NaN (case left out) `[N]`.
        probabilities_a: `[..., N]`.
        probabilities_b: `[..., N]`.

    Returns:
        A minus B, and the variance of that, 0 or more, float64 `[...]` each.

    Raises:
        ValueError: fewer than two cases of a class.
    """
    labels, both = checked(labels, np.stack([np.asarray(probabilities_a), np.asarray(probabilities_b)]))
    positive, negative = both[..., labels == 1], both[..., labels == 0]  # [2, ..., P], [2, ..., Q]
    num_positives, num_negatives = positive.shape[-1], negative.shape[-1]
    if min(num_positives, num_negatives) < 2:
        raise ValueError(
            f"DeLong's test needs two cases of each class; found {num_positives} positives and "
            f"{num_negatives} negatives."
        )
    rank = stats.rankdata(np.concatenate([positive, negative], axis=-1), axis=-1)
    # Placement of a case: the share of the other class that it is on the right side of.
    place_positive = (rank[..., :num_positives] - stats.rankdata(positive, axis=-1)) / num_negatives
    place_negative = 1 - (rank[..., num_positives:] - stats.rankdata(negative, axis=-1)) / num_positives
    # The variance of A - B is that of the difference of placements, which cannot come out below 0.
    difference = place_positive[0].mean(-1) - place_positive[1].mean(-1)
    variance = (place_positive[0] - place_positive[1]).var(axis=-1, ddof=1) / num_positives
    variance = variance + (place_negative[0] - place_negative[1]).var(axis=-1, ddof=1) / num_negatives
    return difference, variance
