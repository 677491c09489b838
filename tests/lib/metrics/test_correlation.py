"""The rank correlation against scipy and a bootstrap written out."""

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from lib.metrics.correlation import rank_correlation


@pytest.mark.parametrize("num_cases", [2, 3, 7, 40])
@pytest.mark.parametrize("ties", [False, True])
def test_it_is_spearmans(num_cases, ties):
    first, second = np.random.default_rng(num_cases).normal(size=(2, num_cases))
    second = second + 0.5 * first
    if ties:
        first = np.round(first * 2)
        first[0] = first.max() + 1  # it varies
    found = rank_correlation(first, second)
    assert found.estimate == pytest.approx(spearmanr(first, second).statistic)
    assert found.num_cases == num_cases


def test_the_interval_is_that_of_resampled_cases():
    first, second = np.random.default_rng(3).normal(size=(2, 15))
    second += first
    found = rank_correlation(first, second, replicates=300, seed=5, confidence=0.9)
    generator, values = np.random.default_rng(5), []
    for chosen in generator.integers(15, size=(300, 15)):
        values.append(np.corrcoef(rankdata(first[chosen]), rankdata(second[chosen]))[0, 1])
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.05, 0.95])))
    assert found.low < found.estimate < found.high


def test_it_sees_order_and_nothing_else():
    steps = np.arange(10.0)
    assert rank_correlation(steps, np.exp(steps))[:3] == pytest.approx((1, 1, 1))
    assert rank_correlation(steps, -(steps**3))[:3] == pytest.approx((-1, -1, -1))


def test_what_says_nothing_has_no_number():
    constant = rank_correlation([1.0, 2.0, 3.0, 4.0], [5.0] * 4)
    assert np.isnan(constant[:3]).all()
    few = rank_correlation([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])
    assert few.estimate == pytest.approx(0.5) and np.isnan(few.low) and np.isnan(few.high)


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ([1.0, 2.0], [1.0, 2.0, 3.0], r"\(2,\) and \(3,\)"),
        ([1.0], [1.0], "two values or more"),
        ([1.0, np.nan], [1.0, 2.0], "finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(first, second, named):
    with pytest.raises(ValueError, match=named):
        rank_correlation(first, second)
