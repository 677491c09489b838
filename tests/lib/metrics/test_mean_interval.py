"""Intervals of means over clustered cases, against a naive bootstrap."""

import numpy as np
import pytest

from lib.metrics.bootstrap import draw_patients
from lib.metrics.mean_interval import mean_interval


def test_it_is_the_mean_over_cases_of_whole_clusters():
    random = np.random.default_rng(0)
    values, clusters = random.random((30, 2)), random.integers(8, size=30).astype(str)
    names = np.unique(clusters)
    means = []
    for counts in draw_patients(len(names), 500, 3):
        for drawn in counts.T.astype(int):
            rows = np.concatenate(
                [
                    np.flatnonzero(clusters == name)
                    for name, n in zip(names, drawn, strict=True)
                    for _ in range(n)
                ]
            )
            means.append(values[rows].mean(axis=0))
    low, high = mean_interval(values, clusters, replicates=500, seed=3, confidence=0.9)
    np.testing.assert_allclose([low, high], np.quantile(means, [0.05, 0.95], axis=0))


def test_without_clusters_each_case_is_one():
    values = np.random.default_rng(1).random((20, 1))
    for left, right in zip(mean_interval(values), mean_interval(values, np.arange(20)), strict=True):
        np.testing.assert_array_equal(left, right)
    with pytest.raises(ValueError, match="3 clusters for 20"):
        mean_interval(values, ["a", "b", "c"])
