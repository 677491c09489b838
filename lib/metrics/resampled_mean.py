"""A mean (of AUROCs over labels, of hits over cases) with what it is on every resample of the test set.

A run keeps one of these (`lib.protocols.kept_resamples`): means over seeds, intervals and paired differences
are sums of them, and nothing is resampled again.

Letters: `K` labels, `R` resamples.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np


@dataclasses.dataclass(frozen=True)
class ResampledMean:
    """A mean, and how far it is from that on each resample.

    Attributes:
        estimate: NaN where there is nothing to average.
        distances: mean of each resample minus the estimate `[R]`; NaN where nothing was left to average.
    """

    estimate: float
    distances: np.ndarray

    @classmethod
    def over_labels(cls, estimates: np.ndarray, samples: np.ndarray) -> Self:
        """Average over labels; those with one class only are left out.

        Args:
            estimates: of each label `[K]`, NaN where it has one class only.
            samples: of each resample and label `[R, K]`, NaN where the label has one class only there.
        """
        usable = np.flatnonzero(~np.isnan(estimates))
        # A label that drops out of a resample must not move the mean by being easy or hard: average the
        # distances from the estimates of those that are there.
        distances = samples[:, usable] - estimates[usable]
        there = ~np.isnan(distances)
        number = there.sum(axis=1)
        total = np.where(there, distances, 0.0).sum(axis=1)
        mean = np.divide(total, number, out=np.full(len(samples), np.nan), where=number > 0)
        return cls(float(estimates[usable].mean()) if usable.size else np.nan, mean)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the percentiles of the resamples; NaN where there are none."""
        known = self.distances[~np.isnan(self.distances)]
        if not known.size:
            return np.nan, np.nan
        known.sort()
        low, high = (_percentile(known, chance) for chance in ((1 - confidence) / 2, (1 + confidence) / 2))
        return self.estimate + low, self.estimate + high

    def standard_error(self) -> float:
        """Return the standard deviation over the resamples; NaN for fewer than two."""
        known = self.distances[~np.isnan(self.distances)]
        return float(known.std(ddof=1)) if known.size > 1 else np.nan


def _percentile(ordered: np.ndarray, chance: float) -> float:
    """Return what `numpy.quantile` does to the last digit; thousands of calls of that take seconds."""
    place = (len(ordered) - 1) * chance
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    share = place - below
    return high - (high - low) * (1 - share) if share >= 0.5 else low + (high - low) * share


def average(means: Sequence[ResampledMean]) -> ResampledMean:
    """Average over seeds; all are of the same resamples."""
    return ResampledMean(
        float(np.mean([one.estimate for one in means])), np.mean([one.distances for one in means], axis=0)
    )


def weighted_sum(parts: Iterable[tuple[float, ResampledMean]]) -> ResampledMean:
    """Add means of the same resamples: with weights 1 and -1 it is a paired difference."""
    parts = list(parts)
    return ResampledMean(
        float(sum(weight * one.estimate for weight, one in parts)),
        sum(weight * one.distances for weight, one in parts),
    )
