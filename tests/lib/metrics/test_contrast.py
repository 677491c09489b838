"""Weighted sums of AUROCs on the same resamples, against those of the same resamples drawn one by one."""

import numpy as np
import pytest

from lib.metrics.bootstrap import ResampledAUROC, draw_patients
from lib.metrics.classification import auroc


@pytest.fixture
def drawn():
    generator = np.random.default_rng(0)
    labels = (generator.random((60, 2)) < 0.4).astype(float)
    patients = np.repeat(np.arange(30), 2)
    methods = {
        name: labels * weight + generator.standard_normal((60, 2))
        for name, weight in zip("abcd", (2, 1, 1, 0), strict=True)
    }
    return labels, methods, patients, ResampledAUROC(labels, methods, patients, replicates=40)


def test_a_contrast_of_two_is_their_difference(drawn):
    resampled = drawn[3]
    one, other = resampled.contrast({"a": 1, "b": -1}), resampled.difference("a", "b")
    assert (one.estimate, one.low, one.high) == (other.estimate, other.low, other.high)
    np.testing.assert_array_equal(one.label_low, other.label_low)


def test_an_interaction_is_that_of_every_resample(drawn):
    labels, methods, patients, resampled = drawn
    weights = {"a": 1, "b": -1, "c": -1, "d": 1}
    values = []
    for counts in draw_patients(30, 40, seed=0):
        for count in counts.T:
            rows = np.repeat(np.arange(60), count[patients].astype(int))
            values.append(
                sum(weight * auroc(labels[rows].T, methods[name][rows].T) for name, weight in weights.items())
            )
    found = resampled.contrast(weights)
    mean = np.mean(values, axis=1)
    expected = sum(weight * auroc(labels.T, methods[name].T).mean() for name, weight in weights.items())
    assert found.estimate == pytest.approx(expected)
    np.testing.assert_allclose([found.low, found.high], np.quantile(mean, [0.025, 0.975]))
    np.testing.assert_allclose(found.label_low, np.quantile(values, 0.025, axis=0))
