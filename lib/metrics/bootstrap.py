"""Patient-clustered bootstrap intervals of AUROCs.

Letters: `N` cases, `K` labels, `S` seeds, `M` patients, `R` resamples.
"""

import dataclasses
from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lib.metrics.classification import auroc, checked
from lib.metrics.resampled_mean import ResampledMean, average, weighted_sum
from lib.metrics.weighted_auroc import SortedLabel

CHUNK = 250
"""Resamples worked on at once; bounds the memory."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BootstrapAUROC:
    """A mean AUROC, or a difference of two, with its percentile interval.

    Attributes:
        estimate: mean over labels and seeds; labels with one class only are left out.
        low: lower end of the interval.
        high: upper end of the interval.
        standard_error: standard deviation over the resamples.
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
    standard_error: float
    label_estimate: np.ndarray
    label_low: np.ndarray
    label_high: np.ndarray
    num_patients: int
    num_cases: np.ndarray
    num_positives: np.ndarray
    num_dropped: np.ndarray
    replicates: int
    confidence: float


class ResampledAUROC:
    """AUROCs of several methods on the same resamples of patients.

    Resampling is what costs; afterwards each method alone and each pair of methods is read from it.

    Args:
        labels: 1, 0 or NaN `[N, K]`.
        methods: name -> probabilities `[N, K]`, or `[S, N, K]` for several seeds, which are averaged. The
            numbers of seeds may differ.
        patients: patient of each case `[N]`.
        replicates: resamples to draw.
        seed: of the resampling.

    Raises:
        ValueError: shapes that do not fit, a label other than 0, 1 and NaN, a probability that is NaN.
    """

    def __init__(
        self,
        labels: ArrayLike,
        methods: Mapping[Hashable, ArrayLike],
        patients: Sequence,
        *,
        replicates: int = 2000,
        seed: int = 0,
    ):
        shaped = {name: _shaped(labels, probabilities) for name, probabilities in methods.items()}
        self.labels = np.asarray(labels, np.float64)
        estimates = {name: auroc(self.labels.T, one.transpose(0, 2, 1)) for name, one in shaped.items()}
        names, patient = np.unique(np.asarray(patients), return_inverse=True)
        if len(patient) != len(self.labels):
            raise ValueError(f"{len(patient)} patients for {len(self.labels)} cases.")
        self.num_patients = len(names)
        samples = _resample(self.labels, shaped, patient, len(names), replicates, seed)  # [S, R, K]
        self._estimates = {name: one.mean(axis=0) for name, one in estimates.items()}  # [K]
        self._samples = {name: one.mean(axis=0) for name, one in samples.items()}  # [R, K]
        self._means = {
            name: average(list(map(ResampledMean.over_labels, estimates[name], samples[name])))
            for name in shaped
        }

    def mean(self, method: Hashable) -> ResampledMean:
        """Return the mean AUROC of a method over labels and seeds, and on every resample."""
        return self._means[method]

    def interval(self, method: Hashable, *, confidence: float = 0.95) -> BootstrapAUROC:
        """Return the mean AUROC of a method and that of each label, with intervals."""
        return self.contrast({method: 1}, confidence=confidence)

    def difference(self, a: Hashable, b: Hashable, *, confidence: float = 0.95) -> BootstrapAUROC:
        """Return the AUROCs of method A minus those of method B, with intervals."""
        return self._sum([(1, a), (-1, b)], confidence)

    def contrast(self, weights: Mapping[Hashable, float], *, confidence: float = 0.95) -> BootstrapAUROC:
        """Return a weighted sum of AUROCs, with intervals.

        Args:
            weights: method -> weight; A and B together, each alone and neither with 1, -1, -1 and 1 give the
                interaction of A and B.
            confidence: of the intervals.
        """
        return self._sum([(weight, name) for name, weight in weights.items()], confidence)

    def _sum(self, parts: Sequence[tuple[float, Hashable]], confidence: float) -> BootstrapAUROC:
        """Add methods by weight, and read percentiles of the mean and of each label."""
        estimate = sum(weight * self._estimates[name] for weight, name in parts)  # [K]
        samples = sum(weight * self._samples[name] for weight, name in parts)  # [R, K]
        mean = weighted_sum((weight, self._means[name]) for weight, name in parts)
        missing = np.isnan(samples)
        tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
        label_low, label_high = np.full((2, len(estimate)), np.nan)
        for k in np.flatnonzero(~np.isnan(estimate)):
            if not missing[:, k].all():
                label_low[k], label_high[k] = np.quantile(samples[~missing[:, k], k], tails)

        low, high = mean.interval(confidence)
        return BootstrapAUROC(
            estimate=mean.estimate,
            low=low,
            high=high,
            standard_error=mean.standard_error(),
            label_estimate=estimate,
            label_low=label_low,
            label_high=label_high,
            num_patients=self.num_patients,
            num_cases=(~np.isnan(self.labels)).sum(0),
            num_positives=(self.labels == 1).sum(0),
            num_dropped=missing.sum(0),
            replicates=len(samples),
            confidence=confidence,
        )


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
    resampled = ResampledAUROC(labels, {"a": probabilities}, patients, replicates=replicates, seed=seed)
    return resampled.interval("a", confidence=confidence)


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
    methods = {"a": probabilities_a, "b": probabilities_b}
    resampled = ResampledAUROC(labels, methods, patients, replicates=replicates, seed=seed)
    return resampled.difference("a", "b", confidence=confidence)


def draw_patients(num_patients: int, replicates: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each patient is drawn `[M, r]`, some resamples at a time."""
    generator = np.random.default_rng(seed)
    for start in range(0, replicates, CHUNK):
        size = min(CHUNK, replicates - start)
        drawn = generator.integers(num_patients, size=(num_patients, size))
        flat = np.bincount((drawn * size + np.arange(size)).ravel(), minlength=num_patients * size)
        yield flat.reshape(num_patients, size).astype(np.float32)  # exact: far below 2 ** 24


def _shaped(labels: ArrayLike, probabilities: ArrayLike) -> np.ndarray:
    """Return probabilities `[S, N, K]`."""
    labels, probabilities = checked(labels, probabilities)
    if probabilities.ndim == labels.ndim:
        probabilities = probabilities[None]
    if labels.ndim != 2 or probabilities.shape[1:] != labels.shape:
        raise ValueError(
            f"Labels must be [N, K] and probabilities [N, K] or [S, N, K]; found {labels.shape} and "
            f"{probabilities.shape[1:]}."
        )
    return probabilities


def _resample(
    labels: np.ndarray,
    methods: Mapping[Hashable, np.ndarray],
    patient: np.ndarray,
    num_patients: int,
    replicates: int,
    seed: int,
) -> dict[Hashable, np.ndarray]:
    """AUROC of each seed, resample and label: name -> `[S, R, K]`."""
    columns = {
        name: [
            [SortedLabel(labels[:, k], one[:, k], patient, num_patients) for k in range(labels.shape[1])]
            for one in probabilities
        ]
        for name, probabilities in methods.items()
    }
    samples = {name: [] for name in methods}
    for counts in draw_patients(num_patients, replicates, seed):  # [M, r]
        for name, by_seed in columns.items():
            areas = [np.stack([label.auroc(counts) for label in one], axis=1) for one in by_seed]  # [r, K]
            samples[name].append(np.stack(areas))
    return {name: np.concatenate(parts, axis=1) for name, parts in samples.items()}
