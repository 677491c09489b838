"""Whether probabilities are frequencies: reliability in bins, and the expected calibration error.

Letters: `N` cases, `G` bins that hold a case.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from lib.metrics.classification import checked


class Reliability(NamedTuple):
    """Cases in bins of about equal size, from the lowest probabilities to the highest.

    Attributes:
        mean_probability: `[G]`.
        frequency: of positives `[G]`.
        low: lower end of Wilson's interval of the frequency, which takes cases as independent `[G]`.
        high: upper end `[G]`.
        num_cases: `[G]`.
        error: mean distance of probability and frequency, weighted by cases (expected calibration error).
    """

    mean_probability: np.ndarray
    frequency: np.ndarray
    low: np.ndarray
    high: np.ndarray
    num_cases: np.ndarray
    error: float


def reliability(
    labels: ArrayLike, probabilities: ArrayLike, *, num_bins: int = 10, confidence: float = 0.95
) -> Reliability:
    """Compare probabilities with frequencies in bins that hold about the same number of cases.

    Findings are rare, and bins of equal width would put nearly all cases into the first one. Cases of equal
    probability stay together, so that there may be fewer bins than asked for.

    Args:
        labels: 1, 0 or NaN (case left out) `[N]`.
        probabilities: between 0 and 1 `[N]`.
        num_bins: at most.
        confidence: of the intervals.

    Raises:
        ValueError: no case with a label, a probability outside 0..1, a label other than 0, 1 and NaN.
    """
    labels, probabilities = checked(labels, probabilities)
    known = ~np.isnan(labels)
    labels, probabilities = labels[known], probabilities[known]
    if not labels.size:
        raise ValueError("Calibration needs a case with a known label; there is none.")
    outside = probabilities[(probabilities < 0) | (probabilities > 1)]
    if outside.size:
        raise ValueError(
            f"{outside.size} of {labels.size} values are no probabilities, such as {outside[0]:g}."
        )
    # The middle of a case's group of equals decides its bin.
    place = (stats.rankdata(probabilities) - 0.5) / len(labels)
    _, bins = np.unique((place * num_bins).astype(int), return_inverse=True)
    num_cases = np.bincount(bins)
    mean = np.bincount(bins, probabilities) / num_cases
    positives = np.bincount(bins, labels)
    frequency = positives / num_cases
    low, high = _wilson(frequency, num_cases, confidence)
    error = float(np.sum(num_cases * np.abs(mean - frequency)) / len(labels))
    return Reliability(mean, frequency, low, high, num_cases, error)


def _wilson(share: np.ndarray, count: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a share (Wilson 1927)."""
    z = stats.norm.ppf((1 + confidence) / 2)
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)
