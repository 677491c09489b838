"""How often 95 % bootstrap intervals hold the truth, by the number of positives.

    python bench/coverage.py [--sets 1000] [--replicates 1000]

Test sets are drawn from two normal distributions, so that the true AUROC is known. Percentile intervals hold
it too rarely where positives are few, the more so the higher the AUROC: it cannot pass 1, so that test sets
which happen to look too good have resamples that look just as good, and their interval lies above the truth.
"""

import argparse

import numpy as np
from scipy import stats

from lib.metrics.bootstrap import bootstrap_auroc

NUM_CASES = 400
SETS_AT_A_TIME = 100


def coverage(num_positives: int, auroc: float, num_sets: int, replicates: int) -> tuple[float, float]:
    """Return in which share of the test sets the interval holds the truth, and in which it lies above."""
    distance = np.sqrt(2) * stats.norm.ppf(auroc)
    held = above = 0
    for group in range(num_sets // SETS_AT_A_TIME):
        random = np.random.default_rng(group)
        labels = np.zeros((NUM_CASES, SETS_AT_A_TIME))
        labels[:num_positives] = 1
        scores = distance * labels + random.standard_normal(labels.shape)
        found = bootstrap_auroc(labels, scores, np.arange(NUM_CASES), replicates=replicates, seed=group)
        held += np.sum((found.label_low <= auroc) & (auroc <= found.label_high))
        above += np.sum(found.label_low > auroc)
    return held / num_sets, above / num_sets


def main() -> None:
    """Print the coverage by the number of positives among 400 cases and the AUROC."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=1000)
    given = parser.parse_args()
    for auroc in (0.75, 0.9):
        for num_positives in (5, 10, 20, 40, 100):
            held, above = coverage(num_positives, auroc, given.sets, given.replicates)
            print(
                f"AUROC {auroc:g}, {num_positives:>3} positives of {NUM_CASES}: the interval holds the truth "
                f"in {100 * held:.1f} %, lies above it in {100 * above:.1f} %",
                flush=True,
            )


if __name__ == "__main__":
    main()
