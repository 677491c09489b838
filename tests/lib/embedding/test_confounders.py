"""Probes read what is there, nothing where there is nothing, and nobody by his face."""

import numpy as np
import pytest

from lib.embedding.confounders import _half, read_off


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_what_is_there_is_read(random):
    sexes = np.array(["F", "M"])[random.integers(2, size=200)]
    values = random.normal(size=(200, 16)) + 2 * (sexes == "M")[:, None]
    probe = read_off(values, sexes, np.arange(200), replicates=100)
    assert probe.estimate > 0.97 and probe.low > 0.95
    assert (probe.classes, probe.num_cases, probe.num_patients) == (("F", "M"), 100, 100)


def test_where_there_is_nothing_the_interval_holds_a_half(random):
    inside = []
    for seed in range(20):
        classes = np.array(["a", "b"])[(random.random(150) < 0.2).astype(int)]
        probe = read_off(random.normal(size=(150, 30)), classes, np.arange(150), seed=seed, replicates=200)
        inside.append(probe.low <= 0.5 <= probe.high)
    assert sum(inside) >= 17


def test_patients_are_not_recognised(random):
    # Each patient has features of his own, and one class: by picture it could be told, by patient it cannot.
    patients = np.repeat(np.arange(40), 6)
    faces = 4 * random.normal(size=(40, 30))
    classes = np.array(["a", "b"])[random.integers(2, size=40)][patients]
    values = faces[patients] + 0.1 * random.normal(size=(240, 30))
    assert read_off(values, classes, patients, replicates=100).estimate < 0.75
    by_picture = read_off(values, classes, np.arange(240), replicates=100)
    assert by_picture.estimate > 0.95


def test_three_classes_are_judged_each_against_the_others(random):
    codes = random.integers(3, size=240)
    values = random.normal(size=(240, 8)) + 3 * np.eye(8)[codes]
    probe = read_off(values, np.array(["PA", "AP", "LATERAL"])[codes], np.arange(240), replicates=50)
    assert probe.estimate > 0.97 and probe.classes == ("AP", "LATERAL", "PA")


def test_rare_classes_and_unknown_ones_are_left_out(random):
    classes = np.array(["a"] * 40 + ["b"] * 40 + ["rare"] * 4 + [""] * 16)
    probe = read_off(random.normal(size=(100, 5)), classes, np.arange(100), replicates=50)
    assert probe.classes == ("a", "b") and probe.num_cases == 40
    with pytest.raises(ValueError, match="only 'a' has"):
        read_off(random.normal(size=(50, 5)), np.array(["a"] * 45 + ["b"] * 5), np.arange(50))
    with pytest.raises(ValueError, match="none has"):
        read_off(random.normal(size=(50, 5)), np.array([""] * 50), np.arange(50))


def test_halves_take_patients_whole_and_share_the_rare(random):
    patients = np.repeat(np.arange(50), 3)
    codes = np.repeat((np.arange(50) < 10).astype(int), 3)
    half = _half(codes, patients, 0)
    for patient in range(50):
        assert len(set(half[patients == patient])) == 1
    assert len(set(patients[half & (codes == 1)])) == 5 and half.sum() == 75
    assert not np.array_equal(half, _half(codes, patients, 1))
