"""How sure an AUROC is: patient-clustered bootstrap, DeLong's test, t-test over seeds.

They answer different questions. The bootstrap and DeLong ask what another test set of the same kind
would give; the t-test asks what other seeds would give on this very test set.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from lib.metrics.bootstrap import BootstrapAUROC, ResampledAUROC, bootstrap_auroc, paired_bootstrap_auroc
from lib.metrics.delong import delong_test
from lib.metrics.difference_test import TestResult, difference_test
from lib.metrics.holm import holm
from lib.metrics.label_efficiency import label_efficiency, verdict
from lib.metrics.power import patients_needed, power

__all__ = [
    "BootstrapAUROC",
    "ResampledAUROC",
    "TestResult",
    "bootstrap_auroc",
    "delong_test",
    "holm",
    "label_efficiency",
    "paired_bootstrap_auroc",
    "patients_needed",
    "power",
    "seed_t_test",
    "verdict",
]


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
    return difference_test(float(a.mean() - b.mean()), error, stats.t(freedom), confidence)
