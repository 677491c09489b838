"""Crops that belong together, mixtures, similarities of batches, and the queue against a naive ring."""

import collections

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny_baselines import BATCH, STEPS

from workbench.baselines.crops import (
    KINDS_OF_KEYS,
    ages_of,
    compare_queue,
    compared,
    crop_pairs,
    embed_crops,
    mixed_crops,
)
from workbench.baselines.pictures import open_loader
from workbench.embedded import INITIAL, TRAINED, Opened
from workbench.reopen import load_objective, open_data

pytestmark = pytest.mark.usefixtures("one_thread")

CROPS = ("c2l", "moco_v2", "simclr")


@pytest.mark.parametrize("size, keys_per_step", [(12, 3), (12, 4), (24, 2)])
@pytest.mark.parametrize("steps", [0, 1, 3, 4, 9])
def test_ages_are_those_of_a_ring(size, keys_per_step, steps):
    ring, position = np.zeros(size, int), 0
    for step in range(1, steps + 1):
        for _ in range(keys_per_step):
            ring[position] = step
            position = (position + 1) % size
    expected = np.where(ring > 0, steps - ring + 1, 0)
    np.testing.assert_array_equal(ages_of(size, position, keys_per_step, steps), expected)


def test_pairs_are_crops_of_the_picture_beside_them(trained):
    run = trained("simclr")
    store, manifest = open_data(run)
    (rows,) = crop_pairs(run, 3)
    assert [len(row) for row in rows.rows] == [6, 3]  # two pictures a row
    tiles = [tile.picture for row in rows.rows for tile in row]
    training = {
        store.images[row].tobytes()
        for row in np.isin(store.views["study_row"], manifest.rows("train")).nonzero()[0]
    }
    for stored, one, other in zip(tiles[::3], tiles[1::3], tiles[2::3], strict=True):
        assert stored.tobytes() in training
        assert one.shape == other.shape == (32, 32) and one.tobytes() != other.tobytes()


def test_a_mixture_is_the_weighted_sum_of_what_stands_before_it(trained):
    *_, mixed = mixed_crops(trained("c2l"), 4)
    assert len(mixed.rows) == 4
    weights = set()
    for first, second, query, key in mixed.rows:
        share, rest = (int(tile.caption.removesuffix(" %")) for tile in (first, second))
        assert share >= 50 and abs(share + rest - 100) <= 1
        assert query.caption == key.caption == f"{share} % + {rest} %"
        weights.add(share)
        mean = share / 100 * first.picture.astype(float) + (1 - share / 100) * second.picture
        np.testing.assert_allclose(query.picture, mean, atol=0.005 * 255 + 1)
        assert first.picture.tobytes() != second.picture.tobytes()
        assert query.picture.tobytes() != key.picture.tobytes()
    assert len(weights) > 1


@pytest.mark.parametrize("name", CROPS)
def test_similarities_are_those_of_the_objective(name, trained):
    run = trained(name)
    (value,) = compared(run, 0)
    store, _ = open_data(run)
    loader = open_loader(run.config, "validation", 256, batch_size=BATCH)
    batches = list(loader.epoch(0))
    assert value.own[TRAINED].shape == (BATCH * len(batches),)
    assert value.others[TRAINED].shape == (BATCH * (BATCH - 1) * len(batches),)
    names = store.studies["study_id"].to_numpy()
    order = [names[batches[0].study_rows].tolist().index(study) for study in value.study_ids]
    for weights in (INITIAL, TRAINED):
        objective = Opened(run, weights=weights).objective
        first, second = batches[0].images[:, 0], batches[0].images[:, 1]
        with torch.no_grad():
            if name == "simclr":
                query, key = (objective.projection(objective.encoder(one).pooled) for one in (first, second))
            else:
                query, key = objective.queries(first), objective.keys(second)
        expected = F.cosine_similarity(query[:, None], key[None], dim=-1).numpy()[order][:, order]
        np.testing.assert_allclose(value.by_weights[weights], expected, atol=1e-5)
        own = np.diagonal(expected)
        np.testing.assert_allclose(np.sort(value.own[weights][:BATCH]), np.sort(own), atol=1e-5)
        if len(batches) == 1:
            ranks = [1 + (row > row[place]).sum() for place, row in enumerate(expected)]
            assert value.ranks[weights] == pytest.approx(np.mean(ranks), abs=0.26)  # ties share a rank
    assert (value.queue is None) == (name == "simclr")


def test_embeddings_have_length_one(trained):
    images = torch.randn(3, 1, 32, 32)
    for name in CROPS:
        for rows in embed_crops(load_objective(trained(name)), images, images):
            np.testing.assert_allclose(rows.norm(dim=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("name", KINDS_OF_KEYS)
def test_the_queue_is_told_apart_by_age(name, trained):
    run = trained(name)
    objective = load_objective(run)
    queries = F.normalize(torch.randn(5, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    value = compare_queue(run, objective, queries)
    best, keys_per_step = run.result()["best_step"], KINDS_OF_KEYS[name] * BATCH
    num_ages = min(best, 48 // keys_per_step)
    assert value.ages.tolist() == list(range(1, num_ages + 1)) and best <= STEPS
    rows = collections.deque(range(48))
    rows.rotate(-int(objective.queue.position))  # the oldest row first
    newest = list(rows)[-keys_per_step:]
    similarity = (queries @ objective.queue.rows[newest].T).numpy()
    assert value.means[0] == pytest.approx(similarity.mean(), abs=1e-6)
    assert value.low[0] == pytest.approx(np.quantile(similarity, 0.1), abs=1e-6)
    assert value.high[0] == pytest.approx(np.quantile(similarity, 0.9), abs=1e-6)
    assert len(value.values) == 5 * keys_per_step * num_ages and value.num_queries == 5
