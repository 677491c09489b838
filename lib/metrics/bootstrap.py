"""Patient-clustered bootstrap intervals of AUROCs.

Letters: `N` cases, `K` labels, `S` seeds, `M` patients, `R` resamples, `G` bins.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from lib.metrics.classification import auroc, checked

CHUNK = 250
"""Resamples worked on at once; bounds the memory."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BootstrapAUROC:
    """A mean AUROC, or a difference of two, with its percentile interval.

    Attributes:
        estimate: mean over labels and seeds; labels with one class only are left out.
        low: lower end of the interval.
        high: upper end of the interval.
        label_estimate: mean over seeds `[K]`; NaN where the label has one class only.
        label_low: `[K]`.
        label_high: `[K]`.
        num_patients: patients that were resampled.
        num_cases: cases with a known label `[K]`.
        num_positives: `[K]`.
        num_dropped: resamples in which the label had one class only `[K]`.
        replicates: resamples drawn.
        confidence: of the interval.
    """

    estimate: float
    low: float
    high: float
    label_estimate: np.ndarray
    label_low: np.ndarray
    label_high: np.ndarray
    num_patients: int
    num_cases: np.ndarray
    num_positives: np.ndarray
    num_dropped: np.ndarray
    replicates: int
    confidence: float


def bootstrap_auroc(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: Sequence,
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> BootstrapAUROC:
    """Resample patients with all their cases and take percentiles of the AUROC.

    Args:
        labels: 1, 0 or NaN `[N, K]`.
        probabilities: `[N, K]`, or `[S, N, K]` for several seeds, which are averaged.
        patients: patient of each case `[N]`.
        replicates: resamples to draw.
        seed: of the resampling.
        confidence: of the interval.

    Returns:
        The interval of the mean over labels and of each label.
    """
    labels, probabilities = _shaped(labels, probabilities)
    counted = _resample(labels, [probabilities], patients, replicates, seed)
    return _interval(labels, _by_label(labels, probabilities), counted[0], patients, confidence=confidence)


def paired_bootstrap_auroc(
    labels: ArrayLike,
    probabilities_a: ArrayLike,
    probabilities_b: ArrayLike,
    patients: Sequence,
    *,
    replicates: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> BootstrapAUROC:
    """Bootstrap the AUROC of A minus that of B, both on the same resamples.

    Arguments as in `bootstrap_auroc`; A and B may have different numbers of seeds.

    Returns:
        Differences in place of AUROCs.
    """
    labels, probabilities_a = _shaped(labels, probabilities_a)
    labels, probabilities_b = _shaped(labels, probabilities_b)
    samples_a, samples_b = _resample(labels, [probabilities_a, probabilities_b], patients, replicates, seed)
    difference = _by_label(labels, probabilities_a) - _by_label(labels, probabilities_b)
    return _interval(labels, difference, samples_a - samples_b, patients, confidence=confidence)


def _shaped(labels: ArrayLike, probabilities: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return labels `[N, K]` and probabilities `[S, N, K]`."""
    labels, probabilities = checked(labels, probabilities)
    if probabilities.ndim == labels.ndim:
        probabilities = probabilities[None]
    if labels.ndim != 2 or probabilities.shape[1:] != labels.shape:
        raise ValueError(
            f"Labels must be [N, K] and probabilities [N, K] or [S, N, K]; found {labels.shape} and "
            f"{probabilities.shape[1:]}."
        )
    return labels, probabilities


def _by_label(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """AUROC of each label, mean over seeds `[K]`."""
    return auroc(labels.T, probabilities.transpose(0, 2, 1)).mean(axis=0)


def _resample(
    labels: np.ndarray, methods: list[np.ndarray], patients: Sequence, replicates: int, seed: int
) -> list[np.ndarray]:
    """AUROC of each resample and label, mean over seeds: `[R, K]` for each method."""
    names, patient = np.unique(np.asarray(patients), return_inverse=True)
    if len(patient) != len(labels):
        raise ValueError(f"{len(patient)} patients for {len(labels)} cases.")
    columns = [
        [
            [_Column(labels[:, k], one[:, k], patient, len(names)) for one in method]
            for k in range(labels.shape[1])
        ]
        for method in methods
    ]
    samples = [[] for _ in methods]
    for counts in draw_patients(len(names), replicates, seed):  # [M, r]
        for method, sample in zip(columns, samples, strict=True):
            sample.append(
                np.stack([np.mean([one.auroc(counts) for one in seeds], axis=0) for seeds in method], axis=1)
            )
    return [np.concatenate(sample) for sample in samples]


def draw_patients(num_patients: int, replicates: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each patient is drawn `[M, r]`, some resamples at a time."""
    generator = np.random.default_rng(seed)
    for start in range(0, replicates, CHUNK):
        size = min(CHUNK, replicates - start)
        drawn = generator.integers(num_patients, size=(num_patients, size))
        flat = np.bincount((drawn * size + np.arange(size)).ravel(), minlength=num_patients * size)
        yield flat.reshape(num_patients, size).astype(np.float32)  # exact: far below 2 ** 24


class _Column:
    """One label of one method, sorted once, so that a resample costs one sparse product.

    The positives' distinct probabilities cut the line into bins: bin `2 i + 1` holds the cases equal
    to the i-th of them, bin `2 i` those between it and its lower neighbour.
    """

    def __init__(self, labels: np.ndarray, probabilities: np.ndarray, patient: np.ndarray, num_patients: int):
        self.cuts = np.unique(probabilities[labels == 1])
        self.positives = self._bins(probabilities, labels == 1, patient, num_patients)[1::2]
        self.negatives = self._bins(probabilities, labels == 0, patient, num_patients)

    def _bins(self, probabilities, chosen, patient, num_patients) -> sparse.csr_array:
        """How many of the chosen cases each patient has in each bin `[G, M]`."""
        chosen_probabilities = probabilities[chosen]
        # Left and right insertion place differ by one on a cut and are equal between two.
        bins = np.searchsorted(self.cuts, chosen_probabilities, "left")
        bins = bins + np.searchsorted(self.cuts, chosen_probabilities, "right")
        ones = np.ones(len(bins), np.float32)
        return sparse.csr_array((ones, (bins, patient[chosen])), shape=(2 * len(self.cuts) + 1, num_patients))

    def auroc(self, counts: np.ndarray) -> np.ndarray:
        """AUROC with patient m counted `counts[m, r]` times `[r]`; NaN where one class is missing."""
        positives = (self.positives @ counts).astype(np.float64)  # [U, r]
        negatives = (self.negatives @ counts).astype(np.float64)  # [2 U + 1, r]
        below = np.cumsum(negatives, axis=0)
        wins = np.sum(positives * (below[0:-1:2] + negatives[1::2] / 2), axis=0)
        pairs = positives.sum(0) * negatives.sum(0)
        return np.where(pairs > 0, wins / np.maximum(pairs, 1), np.nan)


def _interval(
    labels: np.ndarray, estimate: np.ndarray, samples: np.ndarray, patients: Sequence, *, confidence: float
) -> BootstrapAUROC:
    """Percentiles of `samples [R, K]` around `estimate [K]`."""
    missing = np.isnan(samples)
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    label_low, label_high = np.full((2, len(estimate)), np.nan)
    for k in np.flatnonzero(~np.isnan(estimate)):
        if not missing[:, k].all():
            label_low[k], label_high[k] = np.quantile(samples[~missing[:, k], k], tails)

    # A label that drops out of a resample must not move the mean by being easy or hard: average the
    # distances from the estimates of those that are there.
    usable = np.flatnonzero(~np.isnan(estimate))
    distances = np.ma.masked_invalid(samples[:, usable] - estimate[usable]).mean(axis=1).compressed()
    mean = float(estimate[usable].mean()) if usable.size else np.nan
    low, high = mean + np.quantile(distances, tails) if distances.size else (np.nan, np.nan)
    return BootstrapAUROC(
        estimate=mean,
        low=float(low),
        high=float(high),
        label_estimate=estimate,
        label_low=label_low,
        label_high=label_high,
        num_patients=len(np.unique(np.asarray(patients))),
        num_cases=(~np.isnan(labels)).sum(0),
        num_positives=(labels == 1).sum(0),
        num_dropped=missing.sum(0),
        replicates=len(samples),
        confidence=confidence,
    )
