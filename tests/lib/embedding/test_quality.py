"""What maps keep, against scikit-learn and against counting; what neighbours share."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness as published

from lib.embedding import quality
from lib.embedding.neighbours import agreement, nearest, overlap
from lib.embedding.quality import stability, trustworthiness


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 5, 20])
def test_trustworthiness_is_that_of_scikit_learn(values, k):
    placed = values[:, :2]
    assert trustworthiness(values, placed, k) == pytest.approx(published(values, placed, n_neighbors=k))
    assert trustworthiness(placed, values, k) == pytest.approx(published(placed, values, n_neighbors=k))
    assert trustworthiness(values, values, k) == 1


def test_of_many_pictures_some_are_judged(values, monkeypatch):
    whole = trustworthiness(values, values[:, :2], 5)
    monkeypatch.setattr(quality, "MOST_JUDGED", 60)
    monkeypatch.setattr(quality, "BLOCK", 7)
    some = trustworthiness(values, values[:, :2], 5)
    assert some != whole and some == pytest.approx(whole, abs=0.05)


def test_a_map_drawn_by_lot_is_worth_a_half(values):
    lot = np.random.default_rng(1).normal(size=(120, 2))
    assert trustworthiness(values, lot, 5) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("k", [0, 60])
def test_too_many_neighbours_are_refused(values, k):
    with pytest.raises(ValueError, match=f"k={k} "):
        trustworthiness(values, values[:, :2], k)


@pytest.mark.parametrize("columns", [2, 6])
def test_neighbours_are_those_of_a_sorted_matrix(values, columns):
    values = values[:, :columns]
    patients = np.arange(120) // 3
    distances = np.linalg.norm(values[:, None] - values[None], axis=-1)
    alone = distances + np.diag(np.full(120, np.inf))
    np.testing.assert_array_equal(nearest(values, 4), np.argsort(alone, axis=1)[:, :4])
    alone[patients[:, None] == patients[None]] = np.inf
    np.testing.assert_array_equal(nearest(values, 4, groups=patients), np.argsort(alone, axis=1)[:, :4])


def test_copies_are_neighbours_but_nobody_is_his_own(values):
    copies = np.concatenate([values[:20], values[:20]])
    near = nearest(copies, 1)[:, 0]
    assert (near == (np.arange(40) + 20) % 40).all()


def test_without_enough_others_neighbours_are_refused(values):
    with pytest.raises(ValueError, match="only 20"):
        nearest(values, 21, groups=np.repeat([0, 1], [100, 20]))


def test_neighbours_in_common_are_counted():
    assert overlap(np.array([[1, 2], [0, 2]]), np.array([[2, 1], [5, 6]])).tolist() == [1.0, 0.0]


def test_agreement_counts_every_class_alike():
    # Nine of class 0 beside each other, one of class 1 beside them: 0 has its own kind, 1 has not.
    classes = np.array([0] * 9 + [1])
    near = np.array([[(place + 1) % 9] for place in range(9)] + [[0]])
    shares, chance = agreement(near, classes)
    assert shares.mean() == pytest.approx(0.5) and chance == 0.5
    # By lot, the mean is the level of chance, however rare a class is.
    random = np.random.default_rng(0)
    classes = (random.random(4000) < 0.1).astype(int)
    shares, chance = agreement(random.integers(4000, size=(4000, 15)), classes)
    assert shares.mean() == pytest.approx(chance, abs=0.01)


def test_what_is_not_known_is_left_out():
    shares, chance = agreement(np.array([[1], [0], [0]]), np.array([0, -1, 0]))
    assert np.isnan(shares[:2]).all() and shares[2] == 1 and chance == 1


def test_a_map_of_heaps_comes_again_and_one_of_noise_comes_less():
    random = np.random.default_rng(0)
    patients = np.repeat(np.arange(60), 2)
    grid = np.column_stack([np.repeat(np.arange(12), 10), np.tile(np.arange(10), 12), np.zeros(120)])
    grid[:, 0] *= 3.0  # so that the components do not turn
    firm = stability(grid + 0.1 * random.normal(size=grid.shape), patients, "pca", k=6)
    loose = stability(random.normal(size=(120, 40)), patients, "pca", k=6)
    assert firm.neighbours > 0.9 and firm.places > 0.99 and firm.num_maps == 3
    assert loose.neighbours < firm.neighbours - 0.2
    assert loose.chance == pytest.approx(6 / 97, abs=0.01)  # two tenths are left out of a pair


def test_one_map_is_not_compared():
    with pytest.raises(ValueError, match="two seeds"):
        stability(np.eye(20), np.arange(20), "pca", k=3, seeds=(0,))
