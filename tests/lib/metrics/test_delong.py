import numpy as np
import pytest

from lib.metrics.delong import delong_moments, delong_test


def test_a_case_that_can_be_done_by_hand():
    """Two positives, three negatives.

    A wins 5 of 6 pairs, B 3. Placements of the positives: A 1, 2/3; B 2/3, 1/3, so that A - B does not vary.
    Of the negatives: A 1, 1, 1/2; B 1, 0, 1/2; A - B 0, 1, 0, of variance 1/3, divided by 3.
    """
    labels = [1, 1, 0, 0, 0]
    a = [0.9, 0.5, 0.1, 0.2, 0.7]
    b = [0.6, 0.3, 0.1, 0.8, 0.4]
    result = delong_test(labels, a, b)
    assert result.difference == pytest.approx(1 / 3)
    assert result.statistic == pytest.approx(1.0)
    assert result.p_value == pytest.approx(0.3173105)
    assert (result.low, result.high) == pytest.approx((1 / 3 - 1.959964 / 3, 1 / 3 + 1.959964 / 3))


def test_many_pairs_at_once_are_those_pairs():
    generator = np.random.default_rng(0)
    labels = (generator.random(60) < 0.4).astype(float)
    labels[:3] = np.nan
    a, b = np.round(generator.standard_normal((2, 4, 5, 60)) + np.nan_to_num(labels), 1)  # with ties
    difference, variance = delong_moments(labels, a, b)
    assert difference.shape == variance.shape == (4, 5)
    for index in np.ndindex(4, 5):
        one = delong_test(labels, a[index], b[index])
        assert one.difference == pytest.approx(difference[index], abs=1e-15)
        assert one.statistic == pytest.approx(difference[index] / variance[index] ** 0.5, abs=1e-12)


def test_it_is_quick_with_many_cases():
    """A matrix of all pairs would need 10 ** 10 bytes and more."""
    generator = np.random.default_rng(0)
    labels = (generator.random(200_000) < 0.5).astype(float)
    common = generator.standard_normal(200_000)
    a = labels + common + generator.standard_normal(200_000)
    b = labels + common + generator.standard_normal(200_000)
    result = delong_test(labels, a, b)
    assert 0 < result.high - result.low < 0.01


@pytest.mark.parametrize(
    ("a", "named"), [([0.1, np.nan, 0.2, 0.3], "1 of 8 probabilities are NaN"), ([0.1] * 4, None)]
)
def test_nan_is_refused_and_what_never_varies_is_not_told_apart(a, named):
    labels = [0, 0, 1, 1]
    if named:
        with pytest.raises(ValueError, match=named):
            delong_test(labels, a, [0.1, 0.2, 0.3, 0.4])
    else:
        assert delong_test(labels, a, a).p_value == 1
