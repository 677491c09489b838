"""Maps keep apart what is apart, refuse what cannot be laid out, and can be laid over each other."""

import numpy as np
import pytest

from lib.embedding import METHODS
from lib.embedding.align import align
from lib.embedding.project import ProjectConfig, project, reduce, unit_length

QUICK = ProjectConfig(steps=250)


@pytest.fixture(scope="module")
def heaps():
    """Return features of three far heaps, and which heap each is of."""
    random = np.random.default_rng(0)
    heap = np.repeat(np.arange(3), 30)
    return random.normal(size=(90, 12)) + 8 * np.eye(12)[heap], heap


@pytest.mark.parametrize("method", ["pca", "tsne", "umap"])
def test_heaps_stay_apart(heaps, method):
    values, heap = heaps
    placed = project(values, method, config=QUICK)
    assert placed.shape == (90, 2) and placed.dtype == np.float32 and np.isfinite(placed).all()
    distances = np.linalg.norm(placed[:, None] - placed[None], axis=-1) + np.diag(np.full(90, np.inf))
    assert (heap[distances.argmin(axis=1)] == heap).mean() > 0.95


def test_the_table_has_the_methods_of_the_test():
    assert set(METHODS) == {"pca", "tsne", "umap"}


def test_a_seed_gives_the_same_map(heaps):
    maps = [project(heaps[0], "tsne", seed=3, config=QUICK) for _ in range(2)]
    np.testing.assert_array_equal(*maps)


def test_principal_components_are_those_of_the_covariance(heaps):
    values = heaps[0]
    covariance = np.cov((values - values.mean(axis=0)).T)
    largest = np.sort(np.linalg.eigvalsh(covariance))[::-1]
    np.testing.assert_allclose(reduce(values, 4).var(axis=0, ddof=1), largest[:4], rtol=1e-4)
    assert reduce(values, 50).shape == (90, 12)


def test_length_one_keeps_directions_and_zeros():
    values = unit_length([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(values, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)


def test_one_column_lies_on_a_line():
    assert (project(np.arange(20.0)[:, None], "pca")[:, 1] == 0).all()
    assert project(np.arange(20.0)[:, None], "tsne", config=QUICK).shape == (20, 2)


@pytest.mark.parametrize(
    ("values", "method", "named"),
    [
        (np.ones((30, 4)), "pca", "same feature"),
        (np.full((30, 4), np.nan), "pca", "30 of 30 features are not finite"),
        (np.eye(5), "tsne", "at least 10"),
        (np.eye(30), "tsnee", "Did you mean 'tsne'"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(values, method, named):
    with pytest.raises(ValueError, match=named):
        project(values, method)


def test_a_turned_mirrored_scaled_map_is_laid_over(heaps):
    fixed = heaps[0][:, :2]
    turn = np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]]) @ np.diag([1, -1])
    moved, explained = align(3 * fixed @ turn + [5, -2], fixed)
    np.testing.assert_allclose(moved, fixed, atol=1e-9)
    assert explained == pytest.approx(1)
    _, unrelated = align(np.random.default_rng(1).normal(size=(90, 2)), fixed)
    assert unrelated < 0.2
    assert align(np.zeros((90, 2)), fixed)[1] == 0
