"""Whether other seeds would say the same on this very test set: the t-test of the papers."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from lib.metrics.difference_test import TestResult, difference_test


@dataclasses.dataclass(frozen=True)
class StudentT:
    """Student's distribution; `scipy.stats` has it too, and takes a second to import."""

    freedom: int

    def sf(self, value: float) -> float:
        """Return the chance of more than a value."""
        from scipy.special import stdtr

        return float(stdtr(self.freedom, -value))

    def ppf(self, chance: float) -> float:
        """Return the value that is not passed with a chance."""
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, chance))


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
    return difference_test(float(a.mean() - b.mean()), error, StudentT(freedom), confidence)
