"""How sure an AUROC is: patient-clustered bootstrap, DeLong's test, t-test over seeds.

They answer different questions. The bootstrap and DeLong ask what another test set of the same kind
would give; the t-test asks what other seeds would give on this very test set.
"""

from lib.metrics.bootstrap import BootstrapAUROC, ResampledAUROC, bootstrap_auroc, paired_bootstrap_auroc
from lib.metrics.delong import delong_test
from lib.metrics.difference_test import TestResult
from lib.metrics.holm import holm
from lib.metrics.label_efficiency import label_efficiency, verdict
from lib.metrics.power import patients_needed, power
from lib.metrics.seed_t_test import seed_t_test

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
