import numpy as np
import pytest

from lib.metrics.holm import holm


def test_the_usual_example():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def naive(p_values):
    """Step down: the smallest times m, the next times m - 1, never below the one before, at most 1."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, before = [0.0] * len(p_values), 0.0
    for step, index in enumerate(order):
        before = max(before, min(1.0, (len(p_values) - step) * p_values[index]))
        adjusted[index] = before
    return adjusted


@pytest.mark.parametrize("num_tests", [1, 2, 14, 40])
def test_it_equals_stepping_down_and_takes_families_in_rows(num_tests):
    families = np.round(np.random.default_rng(num_tests).random((6, num_tests)) ** 3, 2)  # with ties
    np.testing.assert_allclose(holm(families), [naive(list(row)) for row in families])


def test_a_label_without_a_test_does_not_count():
    with_gaps = holm([0.01, np.nan, 0.04, np.nan])
    np.testing.assert_allclose(with_gaps[[0, 2]], holm([0.01, 0.04]))
    assert np.isnan(with_gaps[[1, 3]]).all()
    assert np.isnan(holm([np.nan, np.nan])).all()
    assert holm([]).shape == (0,)


def test_what_is_no_p_value_is_refused():
    with pytest.raises(ValueError, match=r"found 1\.5"):
        holm([0.1, 1.5])
