"""How sure an AUROC is: patient-clustered bootstrap, DeLong's test, t-test over seeds.

They answer different questions. The bootstrap and DeLong ask what another test set of the same kind
would give; the t-test asks what other seeds would give on this very test set.
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from lib.metrics.bootstrap import BootstrapAUROC, bootstrap_auroc, paired_bootstrap_auroc
from lib.metrics.classification import checked

__all__ = [
    "BootstrapAUROC",
    "TestResult",
    "bootstrap_auroc",
    "delong_test",
    "paired_bootstrap_auroc",
    "seed_t_test",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TestResult:
    """A two-sided test of a difference, with the interval that belongs to it."""

    __test__ = False  # pytest would collect a class of this name

    difference: float
    low: float
    high: float
    statistic: float
    p_value: float


def delong_test(
    labels: ArrayLike, probabilities_a: ArrayLike, probabilities_b: ArrayLike, *, confidence: float = 0.95
) -> TestResult:
    """Compare two AUROCs on the same cases by DeLong's method (midranks, Sun and Xu 2014).

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
    labels, both = checked(labels, np.stack([np.asarray(probabilities_a), np.asarray(probabilities_b)]))
    positive, negative = both[:, labels == 1], both[:, labels == 0]  # [2, P], [2, Q]
    num_positives, num_negatives = positive.shape[1], negative.shape[1]
    if min(num_positives, num_negatives) < 2:
        raise ValueError(
            f"DeLong's test needs two cases of each class; found {num_positives} positives and "
            f"{num_negatives} negatives."
        )
    everything = np.concatenate([positive, negative], axis=1)
    rank = stats.rankdata(everything, axis=1)
    # Placement of a case: the share of the other class that it is on the right side of.
    place_positive = (rank[:, :num_positives] - stats.rankdata(positive, axis=1)) / num_negatives
    place_negative = 1 - (rank[:, num_positives:] - stats.rankdata(negative, axis=1)) / num_positives
    areas = place_positive.mean(1)
    covariance = np.cov(place_positive) / num_positives + np.cov(place_negative) / num_negatives
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    error = float(np.sqrt(max(variance, 0.0)))
    return _tested(float(areas[0] - areas[1]), error, stats.norm, confidence)


def seed_t_test(a: ArrayLike, b: ArrayLike, *, confidence: float = 0.95) -> TestResult:
    """Compare results over seeds by the independent two-sample t-test with equal variances.

    This is the test of the REFERS paper. It knows nothing of the size of the test set.

    Args:
        a: one result per seed.
        b: one result per seed; the numbers of seeds may differ.
        confidence: of the interval.

    Returns:
        Mean of A minus mean of B; the statistic is t.

    Raises:
        ValueError: fewer than two seeds on a side.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if min(a.size, b.size) < 2:
        raise ValueError(f"A t-test needs two seeds on each side; found {a.size} and {b.size}.")
    freedom = a.size + b.size - 2
    pooled = (a.var() * a.size + b.var() * b.size) / freedom
    error = float(np.sqrt(pooled * (1 / a.size + 1 / b.size)))
    return _tested(float(a.mean() - b.mean()), error, stats.t(freedom), confidence)


def _tested(difference: float, error: float, distribution, confidence: float) -> TestResult:
    """Two-sided test of `difference` with standard error `error`."""
    if error == 0:
        same = difference == 0
        statistic, p_value = (0.0, 1.0) if same else (float(np.copysign(np.inf, difference)), 0.0)
    else:
        statistic = difference / error
        p_value = float(2 * distribution.sf(abs(statistic)))
    half = float(distribution.ppf((1 + confidence) / 2)) * error
    return TestResult(
        difference=difference,
        low=difference - half,
        high=difference + half,
        statistic=statistic,
        p_value=p_value,
    )
