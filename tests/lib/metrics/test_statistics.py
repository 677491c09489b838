import numpy as np
import pytest
from scipy import stats

from lib.metrics.classification import auroc
from lib.metrics.statistics import delong_test, paired_bootstrap_auroc, seed_t_test


def two_methods(num_cases=80, seed=0):
    generator = np.random.default_rng(seed)
    labels = (generator.random(num_cases) < 0.3).astype(float)
    shared_noise = generator.standard_normal(num_cases)
    a = np.round(labels + shared_noise + 0.5 * generator.standard_normal(num_cases), 1)
    b = np.round(0.3 * labels + shared_noise + 0.5 * generator.standard_normal(num_cases), 1)
    return labels, a, b


def brute_force_delong(labels, a, b):
    """DeLong (1988) from the full matrix of placements psi(x_i, y_j)."""
    areas, by_positive, by_negative = [], [], []
    for scores in (a, b):
        difference = scores[labels == 1][:, None] - scores[labels == 0][None]
        placements = (difference > 0) + 0.5 * (difference == 0)
        areas.append(placements.mean())
        by_positive.append(placements.mean(1))
        by_negative.append(placements.mean(0))
    covariance = np.cov(by_positive) / (labels == 1).sum() + np.cov(by_negative) / (labels == 0).sum()
    contrast = np.array([1, -1])
    return areas[0] - areas[1], contrast @ covariance @ contrast


@pytest.mark.parametrize("seed", range(5))
def test_delong_equals_the_placement_matrix(seed):
    labels, a, b = two_methods(seed=seed)
    difference, variance = brute_force_delong(labels, a, b)
    result = delong_test(labels, a, b)
    assert result.difference == pytest.approx(difference, abs=1e-12)
    assert result.difference == pytest.approx(auroc(labels, a) - auroc(labels, b), abs=1e-12)
    assert result.statistic == pytest.approx(difference / variance**0.5, abs=1e-9)
    assert result.p_value == pytest.approx(2 * stats.norm.sf(abs(difference) / variance**0.5), abs=1e-12)
    assert result.high - result.low == pytest.approx(2 * 1.959964 * variance**0.5, rel=1e-6)


def test_delong_agrees_with_the_paired_bootstrap():
    labels, a, b = two_methods(num_cases=400)
    delong = delong_test(labels, a, b)
    bootstrap = paired_bootstrap_auroc(labels[:, None], a[:, None], b[:, None], np.arange(400))
    assert (delong.low, delong.high) == pytest.approx((bootstrap.low, bootstrap.high), abs=0.01)


def test_delong_leaves_unknown_labels_out_and_knows_two_equal_methods():
    labels, a, b = two_methods()
    unknown = np.append(labels, [np.nan, np.nan])
    padded = delong_test(unknown, np.append(a, [9, -9]), np.append(b, [-9, 9]))
    assert padded == delong_test(labels, a, b)
    same = delong_test(labels, a, 2 * a)
    assert (same.difference, same.statistic, same.p_value) == (0, 0, 1)
    with pytest.raises(ValueError, match="1 positives and 79 negatives"):
        delong_test(np.eye(80)[0], a, b)


def test_seed_t_test_equals_scipy_and_refuses_one_seed():
    a, b = [0.831, 0.828, 0.835], [0.774, 0.781, 0.769, 0.776]
    expected = stats.ttest_ind(a, b)
    result = seed_t_test(a, b)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-9)
    interval = expected.confidence_interval(0.95)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert seed_t_test([0.5, 0.5], [0.5, 0.5]).p_value == 1
    assert seed_t_test([0.6, 0.6], [0.5, 0.5]).p_value == 0
    with pytest.raises(ValueError, match="found 1 and 2"):
        seed_t_test([0.5], [0.5, 0.6])
