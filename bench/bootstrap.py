"""How long a paired bootstrap takes, beside a loop over scikit-learn's AUROC.

    python bench/bootstrap.py [--images 22433] [--findings 14] [--replicates 2000] [--loop 3]

Two methods with continuous scores, so that no ties help, on a test set of the size of NIH's in REFERS;
patients are resampled with all their images. The loop does the same for a few of the same resamples and is
extrapolated to all; both must give the same numbers. Target: under 20 s on two cores and under 2 GiB.
"""

import argparse
import resource
import time

import numpy as np
from sklearn.metrics import roc_auc_score

from lib.metrics.bootstrap import ResampledAUROC, draw_patients


def draw_cases(num_images: int, num_patients: int, num_findings: int) -> tuple[np.ndarray, list, np.ndarray]:
    """Draw labels of 0.2 to 18 %, as NIH has them, scores of two methods and the patient of each image."""
    random = np.random.default_rng(0)
    prevalence = np.geomspace(0.002, 0.18, num_findings)
    labels = (random.random((num_images, num_findings)) < prevalence).astype(np.float64)
    common = random.standard_normal(labels.shape)
    scores = [labels + common + random.standard_normal(labels.shape) for _ in range(2)]
    return labels, scores, np.sort(random.integers(num_patients, size=num_images))


def loop(labels: np.ndarray, scores: list, patients: np.ndarray, replicates: int) -> np.ndarray:
    """Copy the images of the drawn patients and ask scikit-learn; returns mean differences."""
    _, patient = np.unique(patients, return_inverse=True)
    counts = next(draw_patients(patient.max() + 1, replicates, 0)).astype(int)
    differences = []
    for column in counts.T:
        rows = np.repeat(np.arange(len(patient)), column[patient])
        areas = [
            [roc_auc_score(labels[rows, k], one[rows, k]) for k in range(labels.shape[1])] for one in scores
        ]
        differences.append(np.mean(np.subtract(*areas)))
    return np.array(differences)


def main() -> None:
    """Print both times, their ratio and the memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=22_433)
    parser.add_argument("--patients", type=int, default=6187)
    parser.add_argument("--findings", type=int, default=14)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--loop", type=int, default=3, help="resamples of the loop")
    given = parser.parse_args()
    labels, scores, patients = draw_cases(given.images, given.patients, given.findings)

    start = time.perf_counter()
    methods = dict(zip("ab", scores, strict=True))
    resampled = ResampledAUROC(labels, methods, patients, replicates=given.replicates)
    found = resampled.difference("a", "b")
    ours = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    start = time.perf_counter()
    slow = loop(labels, scores, patients, given.loop)
    theirs = (time.perf_counter() - start) * given.replicates / given.loop
    same = ResampledAUROC(labels, methods, patients, replicates=given.loop)
    # Two resamples decide a mean and a distance: the same draws must have the same spread.
    assert np.isclose(slow.std(ddof=1), same.difference("a", "b").standard_error, rtol=1e-6)
    print(
        f"{given.replicates:,} resamples, {given.findings} findings x {given.images:,} images x 2 methods: "
        f"{ours:.1f} s, {memory:,.0f} MiB; a loop over scikit-learn {theirs:,.0f} s "
        f"(from {given.loop} resamples): ratio {theirs / ours:.0f}"
    )
    print(f"difference {found.estimate:+.4f} [{found.low:+.4f}, {found.high:+.4f}]")


if __name__ == "__main__":
    main()
