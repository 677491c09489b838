import numpy as np
import pytest

from lib.metrics.calibration import reliability


def test_bins_equal_sorting_and_cutting():
    generator = np.random.default_rng(0)
    probabilities = generator.random(1000)
    labels = (generator.random(1000) < probabilities**2).astype(float)
    found = reliability(labels, probabilities, num_bins=8)
    parts = np.split(np.argsort(probabilities), 8)
    mean = [probabilities[part].mean() for part in parts]
    frequency = [labels[part].mean() for part in parts]
    np.testing.assert_allclose(found.mean_probability, mean)
    np.testing.assert_allclose(found.frequency, frequency)
    assert found.num_cases.tolist() == [125] * 8
    assert found.error == pytest.approx(np.abs(np.subtract(mean, frequency)).mean())
    assert (found.low <= found.frequency + 1e-12).all() and (found.frequency < found.high).all()


def test_frequencies_are_calibrated_and_certainty_is_not():
    generator = np.random.default_rng(1)
    probabilities = generator.random(50_000)
    labels = (generator.random(50_000) < probabilities).astype(float)
    assert reliability(labels, probabilities).error < 0.01
    assert reliability(labels, np.full(50_000, 0.9)).error == pytest.approx(0.9 - labels.mean())


def test_equal_probabilities_stay_together_and_unknown_labels_are_left_out():
    labels = [0, 0, 0, 0, 0, 0, 0, 1, 1, np.nan]
    probabilities = [0.1] * 7 + [0.8, 0.9, 0.5]
    found = reliability(labels, probabilities, num_bins=3)
    assert found.num_cases.tolist() == [7, 2]
    np.testing.assert_allclose(found.mean_probability, [0.1, 0.85])
    np.testing.assert_allclose(found.frequency, [0.0, 1.0])
    assert found.error == pytest.approx((7 * 0.1 + 2 * 0.15) / 9)


def test_wilson_interval_of_a_textbook_case():
    """10 of 100: 0.0552 to 0.1744; 0 of 100 ends at 0.0370 (Wilson 1927, z = 1.96)."""
    found = reliability([1] * 10 + [0] * 90, [0.5] * 100)
    assert (found.low[0], found.high[0]) == pytest.approx((0.0552, 0.1744), abs=1e-4)
    none = reliability([0] * 100, [0.5] * 100)
    assert (none.low[0], none.high[0]) == pytest.approx((0.0, 0.0370), abs=1e-4)


@pytest.mark.parametrize(
    ("labels", "probabilities", "named"),
    [
        ([0, 1], [0.5, 1.05], r"1 of 2 values are no probabilities, such as 1\.05"),
        ([0, 1], [0.5, np.nan], "NaN"),
        ([np.nan], [0.5], "there is none"),
    ],
)
def test_nonsense_is_refused(labels, probabilities, named):
    with pytest.raises(ValueError, match=named):
        reliability(labels, probabilities)
