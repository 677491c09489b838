"""Means that are kept with their resamples: sums of them are what resampling everything at once gives."""

import numpy as np
import pytest

from lib.metrics.accuracy import bootstrap_accuracy, resampled_accuracy
from lib.metrics.bootstrap import ResampledAUROC, bootstrap_auroc, paired_bootstrap_auroc
from lib.metrics.resampled_mean import ResampledMean, average, weighted_sum

NAN = float("nan")


def drawn(num_seeds=3, num_labels=9):
    """Return labels of which some are rare, so that resamples lack a class, and two methods."""
    random = np.random.default_rng(0)
    labels = (random.random((90, num_labels)) < np.linspace(0.03, 0.5, num_labels)).astype(float)
    labels[random.random(labels.shape) < 0.1] = NAN
    labels[:, -1] = 0  # one class only
    signal = np.nan_to_num(labels) + random.standard_normal((2, num_seeds, *labels.shape))
    return labels, *signal, np.arange(90) // 2


def naive_mean(estimates, samples):
    """Go through resamples and labels one by one."""
    known = [k for k, value in enumerate(estimates) if value == value]
    distances = []
    for row in samples:
        there = [row[k] - estimates[k] for k in known if row[k] == row[k]]
        distances.append(sum(there) / len(there) if there else NAN)
    return sum(estimates[k] for k in known) / len(known) if known else NAN, distances


@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
def test_a_mean_over_labels_equals_the_loop(missing):
    random = np.random.default_rng(1)
    estimates, samples = random.random(5), random.random((40, 5))
    estimates[2] = NAN
    samples[random.random(samples.shape) < missing] = NAN
    mean = ResampledMean.over_labels(estimates, samples)
    expected, distances = naive_mean(list(estimates), samples.tolist())
    assert mean.estimate == pytest.approx(expected)
    np.testing.assert_allclose(mean.distances, distances, atol=1e-12)
    nothing = ResampledMean.over_labels(np.full(5, NAN), samples)
    assert np.isnan([nothing.estimate, *nothing.interval(), nothing.standard_error()]).all()


def test_the_percentiles_leave_out_resamples_that_had_nothing():
    distances = np.array([-0.2, NAN, 0.0, 0.1, NAN])
    mean = ResampledMean(0.5, distances)
    known = [0.3, 0.5, 0.6]
    assert mean.interval(0.9) == pytest.approx(tuple(np.quantile(known, [0.05, 0.95])))
    assert mean.standard_error() == pytest.approx(np.std(known, ddof=1))
    assert np.isnan(ResampledMean(0.5, np.array([NAN])).interval()).all()


@pytest.mark.parametrize("size", [1, 2, 3, 39, 40, 41, 999, 2000])
def test_percentiles_are_those_of_numpy_to_the_last_digit(size):
    distances = np.random.default_rng(size).standard_normal(size)
    for confidence in (0.5, 0.9, 0.95, 0.99, 1.0):
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        expected = 0.7 + np.quantile(distances, tails)
        assert ResampledMean(0.7, distances).interval(confidence) == tuple(expected)


def test_seeds_one_by_one_give_the_last_digit_of_all_at_once():
    labels, a, b, patients = drawn()
    each = [
        [ResampledAUROC(labels, {"": one}, patients, replicates=300).mean("") for one in method]
        for method in (a, b)
    ]
    together, paired = (
        bootstrap_auroc(labels, a, patients, replicates=300),
        paired_bootstrap_auroc(labels, a, b, patients, replicates=300),
    )
    assert together.num_dropped[0] > 0
    mean, other = map(average, each)
    for found, expected in (
        (mean, together),
        (weighted_sum([(1, mean), (-1, other)]), paired),
    ):
        assert found.estimate == expected.estimate and found.standard_error() == expected.standard_error
        assert found.interval() == (expected.low, expected.high)


def test_accuracies_one_by_one_give_the_last_digit_of_all_at_once():
    random = np.random.default_rng(2)
    labels = np.eye(3)[random.integers(3, size=50)]
    probabilities = random.random((4, 50, 3)) + 0.4 * labels
    patients = random.integers(15, size=50)
    each = [resampled_accuracy(labels, one[None], patients, replicates=200)[0] for one in probabilities]
    mean = average(each)
    assert (mean.estimate, *mean.interval()) == bootstrap_accuracy(
        labels, probabilities, patients, replicates=200
    )
