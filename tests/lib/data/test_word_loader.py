"""Crops of visual words: the right pixels with the right word, reproducible from any position."""

import numpy as np
import pytest
import torch
from tiny_store import make_store

from lib.data.augment import AugmentConfig, denormalize, normalize
from lib.data.store import Store
from lib.data.visual_words import VisualWords
from lib.data.word_loader import WordLoader, cut_crops

SIZE = 16
VARIED = AugmentConfig(crop_size=SIZE, flip=0.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return make_store(tmp_path_factory.mktemp("words") / "store")


@pytest.fixture(scope="module")
def words(store) -> VisualWords:
    random = np.random.default_rng(0)
    shape = (3, 4, 2)
    side = np.broadcast_to([SIZE, 24], shape)
    place = random.integers(0, 8, (*shape, 2))
    view_rows = random.choice(len(store.views), shape[:2], replace=False)
    return VisualWords(view_rows, np.concatenate([place, side[..., None]], axis=-1))


def make(store, words, **options) -> WordLoader:
    return WordLoader(store, words, **({"batch_size": 5, "image_size": SIZE} | options))


def test_an_epoch_shows_every_crop_once_with_its_word(store, words):
    batches = list(make(store, words).epoch(0))
    assert [len(batch) for batch in batches] == [5, 5, 5, 5, 4]
    number = 0
    study_of_view = store.views["study_row"]
    for batch in batches:
        assert batch.images.shape == (len(batch), 1, 1, SIZE, SIZE) and batch.words.dtype == torch.int64
        for place in range(len(batch)):
            word, patient, crop = np.unravel_index(number, (3, 4, 2))
            view, (top, left, side) = words.view_rows[word, patient], words.boxes[word, patient, crop]
            assert batch.words[place].tolist() == [word] and batch.view_rows[place].tolist() == [view]
            assert batch.study_rows[place] == study_of_view[view]
            if side == SIZE:  # the very pixels
                stored = torch.from_numpy(store.images[view, top : top + side, left : left + side] / 255)
                torch.testing.assert_close(batch.images[place, 0, 0], normalize(stored.float()))
            number += 1
    assert number == 24


def test_larger_crops_are_resized(store, words):
    """Every pixel of a crop of 24 px in 16 px is what is stored in the middle of 1.5 x 1.5 px."""
    batch = next(make(store, words, batch_size=24).epoch(0))
    top, left, side = words.boxes[0, 0, 1]
    stored = torch.from_numpy(store.images[words.view_rows[0, 0], top : top + side, left : left + side] / 255)
    places = (torch.arange(SIZE) + 0.5) * 1.5 - 0.5
    low = places.floor().long()
    share = (places - low)[:, None]
    rows = stored[low] * (1 - share) + stored[low + 1] * share
    expected = rows[:, low] * (1 - share.T) + rows[:, low + 1] * share.T
    torch.testing.assert_close(denormalize(batch.images[1, 0, 0]), expected.float(), atol=1e-5, rtol=0)


def test_any_position_can_be_resumed(store, words):
    options = dict(augment=VARIED, shuffle=True, seed=3)
    whole = list(make(store, words, **options).epoch(2))
    later = list(make(store, words, **options).epoch(2, start=3))
    for expected, found in zip(whole[3:], later, strict=True):
        assert torch.equal(expected.images, found.images) and torch.equal(expected.words, found.words)
    other = list(make(store, words, **options).epoch(1))
    assert not torch.equal(torch.cat([b.words for b in whole]), torch.cat([b.words for b in other]))
    assert sorted(torch.cat([b.words for b in whole]).flatten().tolist()) == [0] * 8 + [1] * 8 + [2] * 8


def test_augmentation_changes_greys_and_angle_but_not_the_place(store, words):
    still, varied = (
        torch.cat([batch.images for batch in make(store, words, augment=augment).epoch(0)])
        for augment in (None, VARIED)
    )
    assert not torch.equal(still, varied)
    alike = [
        torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]
        for a, b in zip(still, varied, strict=True)
    ]
    assert min(alike) > 0.5


def test_shares_are_parts_of_one_batch(store, words):
    options = dict(batch_size=6, augment=VARIED, shuffle=True)
    whole = next(make(store, words, **options).epoch(0))
    parts = [next(make(store, words, share=(part, 2), **options).epoch(0)) for part in range(2)]
    assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
    assert torch.equal(torch.cat([part.words for part in parts]), whole.words)


def test_cut_crops_for_the_eye(store, words):
    crops = cut_crops(store, words.view_rows, words.boxes[:, :, 0], SIZE)
    assert crops.shape == (3, 4, SIZE, SIZE) and crops.dtype == np.uint8
    top, left, side = words.boxes[2, 1, 0]
    stored = store.images[words.view_rows[2, 1], top : top + side, left : left + side]
    assert np.array_equal(crops[2, 1], stored)


@pytest.mark.parametrize(
    "options, told",
    [
        ({"augment": AugmentConfig(crop_size=SIZE, flip=0.5)}, "augment.flip 0.5: a mirrored crop"),
        ({"augment": AugmentConfig(crop_size=SIZE, flip=0.0, scale=(0.5, 1.0))}, "augment.scale .*own sizes"),
        ({"augment": AugmentConfig(crop_size=24, flip=0.0)}, "crop_size 24 differs from image_size 16"),
        ({"batch_size": 25, "drop_last": True}, "24 crops of visual words make no batch of 25"),
        ({"share": (0, 2)}, "Batches of 5 cannot be shared equally by 2"),
    ],
)
def test_settings_that_do_not_fit_are_named(store, words, options, told):
    with pytest.raises(ValueError, match=told):
        make(store, words, **options)
