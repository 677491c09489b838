import numpy as np
import pytest

from lib.metrics.accuracy import bootstrap_accuracy, is_correct


def drawn(num_seeds=3, num_cases=40):
    random = np.random.default_rng(0)
    labels = np.eye(3)[random.integers(3, size=num_cases)]
    probabilities = random.random((num_seeds, num_cases, 3)) + labels * 0.4
    return labels, probabilities / probabilities.sum(-1, keepdims=True), random.integers(12, size=num_cases)


def naive_accuracy(labels, probabilities, rows):
    hits = []
    for one in probabilities:
        for row in rows:
            best = max(range(3), key=lambda k: one[row][k])
            hits.append(labels[row][best] == 1)
    return sum(hits) / len(hits)


def test_it_equals_counting_one_by_one():
    labels, probabilities, patients = drawn()
    result = bootstrap_accuracy(labels, probabilities, patients, replicates=50)
    assert result.estimate == pytest.approx(naive_accuracy(labels, probabilities, range(40)))
    assert 0.4 < result.estimate < 0.95


def test_the_interval_resamples_patients_whole():
    labels, probabilities, patients = drawn()
    result = bootstrap_accuracy(labels, probabilities, patients)
    random = np.random.default_rng(5)
    names = np.unique(patients)
    samples = []
    for _ in range(1000):
        chosen = random.choice(names, len(names))
        rows = np.concatenate([np.flatnonzero(patients == name) for name in chosen])
        samples.append(is_correct(labels[rows], probabilities[:, rows]).mean())
    np.testing.assert_allclose(result[1:], np.quantile(samples, [0.025, 0.975]), atol=0.03)
    # With every case twice there is no more to know, as long as both are of one patient.
    twice = bootstrap_accuracy(
        np.repeat(labels, 2, axis=0), np.repeat(probabilities, 2, axis=1), np.repeat(patients, 2)
    )
    np.testing.assert_allclose(twice, result)


def test_the_first_of_equal_probabilities_counts():
    labels = np.array([[1, 0], [0, 1]])
    assert is_correct(labels, np.full((2, 2), 0.5)).tolist() == [True, False]
