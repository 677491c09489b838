"""Ratios over resampled patients equal those of copied rows."""

import numpy as np
import pytest

from lib.metrics.bootstrap import draw_patients
from lib.metrics.cluster_ratios import cluster_ratios
from lib.metrics.mean_interval import mean_interval


def some_cases(seed: int = 0):
    random = np.random.default_rng(seed)
    groups, clusters = random.integers(3, size=60), random.integers(25, size=60)
    counts = random.integers(0, 4, (60, 2))
    return random.integers(0, 3, (60, 2)) * (counts > 0), counts, groups, clusters


def naive(top, bottom, groups):
    """Return the ratios of each of three groups and of all cases."""
    chosen = [groups == group for group in range(3)] + [np.ones(len(groups), bool)]
    rows = [[top[one, k].sum() / bottom[one, k].sum() for k in range(2)] for one in chosen]
    return np.array(rows)


def test_ratios_equal_those_of_copied_rows():
    top, bottom, groups, clusters = some_cases()
    found = cluster_ratios(top, bottom, groups, clusters, num_groups=3, replicates=300, seed=4)
    expected = naive(top, bottom, groups)
    np.testing.assert_allclose(found.estimate[:4], expected)
    np.testing.assert_allclose(found.estimate[4], expected[:3].mean(0))

    names, samples = np.unique(clusters), []
    for drawn in draw_patients(len(names), 300, 4):
        for counts in drawn.T.astype(int):
            rows = np.concatenate(
                [np.tile(np.flatnonzero(clusters == name), n) for name, n in zip(names, counts, strict=True)]
            ).astype(int)
            samples.append(naive(top[rows], bottom[rows], groups[rows]))
    samples = np.array(samples)
    samples = np.concatenate([samples, samples[:, :3].mean(1, keepdims=True)], axis=1)
    np.testing.assert_allclose(found.low, np.quantile(samples, 0.025, axis=0), atol=1e-12)
    np.testing.assert_allclose(found.high, np.quantile(samples, 0.975, axis=0), atol=1e-12)


def test_with_every_case_counting_once_it_is_the_interval_of_a_mean():
    values = np.random.default_rng(1).random((40, 3))
    clusters = np.arange(40) // 3
    found = cluster_ratios(values, np.ones((40, 3)), np.zeros(40, int), clusters, num_groups=1)
    low, high = mean_interval(values, clusters)
    for row in range(3):  # the only group, all cases, and the mean of the groups
        np.testing.assert_allclose(found.estimate[row], values.mean(0))
        np.testing.assert_allclose(found.low[row], low, atol=1e-12)
        np.testing.assert_allclose(found.high[row], high, atol=1e-12)


def test_cases_that_do_not_count_change_nothing():
    top, bottom, groups, clusters = some_cases()
    bottom[5:9] = top[5:9] = 0
    found = cluster_ratios(top, bottom, groups, clusters, num_groups=3)
    without = naive(*(np.delete(one, range(5, 9), axis=0) for one in (top, bottom, groups)))
    np.testing.assert_allclose(found.estimate[:4], without)


def test_a_group_that_drops_out_of_a_resample_does_not_move_the_mean():
    """One patient alone has the hard group: the mean without that patient must not jump to the easy one."""
    values = np.array([[1.0]] * 20 + [[0.0]])
    groups = np.array([0] * 20 + [1])
    found = cluster_ratios(values, np.ones((21, 1)), groups, np.arange(21), num_groups=2)
    assert found.estimate[3, 0] == 0.5
    assert (found.low[3, 0], found.high[3, 0]) == pytest.approx((0.5, 0.5))


def test_what_nothing_counts_for_is_unknown():
    found = cluster_ratios(np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4, int), range(4), num_groups=2)
    assert np.isnan(found.estimate).all() and np.isnan(found.low).all()
