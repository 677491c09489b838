"""Batches: the right views in the right order, reproducible from any position."""

import numpy as np
import pytest
import torch
from tiny_loader import PLAIN, SIZE, make_loader
from tiny_store import make_store

from lib.data.augment import AugmentConfig, normalize
from lib.data.laterality import swap_laterality
from lib.data.loader import Batch, tokenize_reports
from lib.data.store import Store
from lib.data.tokenizer import ReportTokenizer


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return make_store(tmp_path_factory.mktemp("loader") / "store", num_studies=24)


@pytest.fixture(scope="module")
def tokenizer(store) -> ReportTokenizer:
    return ReportTokenizer.train(store.texts, vocab_size=200)


def assert_same(first: Batch, second: Batch) -> None:
    for name, value in vars(first).items():
        other = getattr(second, name)
        assert (value is None) == (other is None), name
        assert value is None or torch.equal(value.nan_to_num(-1), other.nan_to_num(-1)), name


def test_shapes_and_types(store, tokenizer):
    tokens = tokenize_reports(store, tokenizer, tokenizer, 30, 20)
    batch = next(make_loader(store, tokens=tokens).epoch(0))
    length = int(batch.report_lengths.max())
    for name, dtype, shape in (
        ("images", torch.float32, (5, 3, 1, SIZE, SIZE)),
        ("view_mask", torch.bool, (5, 3)),
        ("labels", torch.float32, (5, 2)),
        ("report_tokens", torch.int64, (5, length)),
        ("report_lengths", torch.int64, (5,)),
        ("text_tokens", torch.int64, (5, min(length, 20))),
        ("text_mask", torch.bool, (5, min(length, 20))),
        ("study_rows", torch.int64, (5,)),
        ("view_rows", torch.int64, (5, 3)),
        ("flipped", torch.bool, (5,)),
    ):
        value = getattr(batch, name)
        assert (value.dtype, tuple(value.shape)) == (dtype, shape), name
    assert len(batch) == 5


def test_an_epoch_shows_every_study_once(store):
    loader = make_loader(store, shuffle=True)
    assert len(loader) == 5
    orders = [torch.cat([batch.study_rows for batch in loader.epoch(epoch)]).tolist() for epoch in range(2)]
    assert orders[0] != orders[1] and orders[0] != list(range(24))
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(24))
    whole = make_loader(store, shuffle=True, drop_last=True)
    assert len(whole) == 4 and [len(batch) for batch in whole.epoch(0)] == [5] * 4


def test_view_rule_of_the_paper(store):
    seen = {study: set() for study in range(24)}
    for epoch in range(30):
        for batch in make_loader(store, augment=PLAIN).epoch(epoch):
            for study, views, mask in zip(batch.study_rows, batch.view_rows, batch.view_mask, strict=True):
                own = list(range(*store.view_offsets[study : study + 2]))
                shown, study = views.tolist(), int(study)
                new = [view for view, is_new in zip(shown, mask.tolist(), strict=True) if is_new]
                assert len(shown) == 3 and set(shown) <= set(own)
                assert new == sorted(set(shown)) and len(new) == min(3, len(own))
                seen[study].add(tuple(shown))
    for study in range(24):
        num_views, start = 1 + study % 4, store.view_offsets[study]
        views = [tuple(start + np.array(choice)) for choice in EVERY_CHOICE[num_views]]
        assert seen[study] == set(views)


EVERY_CHOICE = {
    1: [(0, 0, 0)],
    2: [(0, 1, 0), (0, 1, 1)],
    3: [(0, 1, 2)],
    4: [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)],
}


def test_evaluation_is_the_middle_of_the_first_views(store):
    loader = make_loader(store, augment=None)
    images = torch.from_numpy(np.array(store.images))
    for batch, again in zip(loader.epoch(0), loader.epoch(5), strict=True):
        assert_same(batch, again)
        middle = images[batch.view_rows][:, :, None, 4:28, 4:28]
        assert torch.equal(batch.images, normalize(middle.float() * (1 / 255)))
        assert not batch.flipped.any()
    views = np.concatenate([batch.view_rows for batch in loader.epoch(0)])
    np.testing.assert_array_equal(views, loader.items.view_rows)
    np.testing.assert_array_equal(loader.items.study_rows, np.arange(24))
    np.testing.assert_array_equal(
        views[:4] - store.view_offsets[:4, None], [[0, 0, 0], [0, 1, 0], [0, 1, 2], [0, 1, 2]]
    )


def test_pictures_are_crops_of_the_views_named(store):
    images = normalize(torch.from_numpy(np.array(store.images)).float() * (1 / 255))
    for batch in make_loader(store, augment=PLAIN).epoch(0):
        for picture, row in zip(batch.images.flatten(0, 1), batch.view_rows.flatten(), strict=True):
            windows = images[row].unfold(0, SIZE, 1).unfold(1, SIZE, 1)
            assert (windows == picture).all((2, 3)).any()


def test_labels_are_those_of_the_study(store):
    batch = next(make_loader(store, shuffle=True).epoch(0))
    np.testing.assert_array_equal(batch.labels, store.labels[batch.study_rows])
    assert batch.labels.isnan().any()


@pytest.mark.parametrize("start", [0, 1, 3, 5])
def test_an_epoch_continues_bit_equal(store, tokenizer, start):
    tokens = tokenize_reports(store, tokenizer)
    loader = make_loader(store, shuffle=True, tokens=tokens, seed=4)
    whole = list(loader.epoch(2))
    rest = list(make_loader(store, shuffle=True, tokens=tokens, seed=4).epoch(2, start))
    assert len(rest) == len(whole) - start
    for first, second in zip(whole[start:], rest, strict=True):
        assert_same(first, second)


def test_seed_epoch_and_step_all_matter(store):
    batches = {
        key: next(make_loader(store, seed=key[0], rows=np.arange(10)).epoch(*key[1:])).images
        for key in [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)]
    }
    batches[0, 0, 1] = next(make_loader(store, rows=np.r_[5:10, 0:5]).epoch(0, 1)).images  # the same studies
    values = list(batches.values())
    for i, first in enumerate(values):
        assert not any(torch.equal(first, second) for second in values[i + 1 :])


def test_flipped_studies_have_their_sides_swapped(store, tokenizer):
    tokens = tokenize_reports(store, tokenizer, tokenizer, 40, 40)
    flips = 0
    for epoch in range(3):
        for batch in make_loader(store, tokens=tokens).epoch(epoch):
            for i, study in enumerate(batch.study_rows.tolist()):
                text = store.texts[study]
                wanted = swap_laterality(text) if batch.flipped[i] else text
                assert ("left" in wanted) == (("left" in text) != bool(batch.flipped[i]))
                expected = tokenizer.encode([wanted], 40)[0]
                length = int(batch.report_lengths[i])
                assert (
                    batch.report_tokens[i, :length].tolist()
                    == expected[expected != tokenizer.pad_id].tolist()
                )
                assert (batch.report_tokens[i, length:] == tokenizer.pad_id).all()
                assert (
                    batch.text_tokens[i][batch.text_mask[i]].tolist()
                    == batch.report_tokens[i, :length].tolist()
                )
                assert batch.text_mask[i].sum() == length
            flips += int(batch.flipped.sum())
    assert 15 < flips < 57


def test_flipped_pictures_are_mirrored(store):
    mirror = AugmentConfig(crop_size=32, rotation=0, flip=1, brightness=(1, 1), contrast=(1, 1))
    batch = next(make_loader(store, image_size=32, augment=mirror).epoch(0))
    images = torch.from_numpy(np.array(store.images))[batch.view_rows][:, :, None]
    assert batch.flipped.all()
    assert torch.equal(batch.images, normalize(images.flip(-1).float() * (1 / 255)))


def test_single_images_of_chosen_positions(store):
    rows = np.array([3, 7, 2])
    loader = make_loader(store, rows=rows, unit="image", num_views=1, positions=("PA", "AP"), augment=None)
    batches = list(loader.epoch(0))
    study_rows = np.concatenate([batch.study_rows for batch in batches])
    view_rows = np.concatenate([batch.view_rows for batch in batches])
    expected = [
        (row, view)
        for row in rows
        for view in range(*store.view_offsets[row : row + 2])
        if store.views.position[view] in ("PA", "AP")
    ]
    assert list(zip(study_rows, view_rows[:, 0], strict=True)) == expected
    assert batches[0].images.shape[1] == 1 and all(batch.view_mask.all() for batch in batches)
    np.testing.assert_array_equal(loader.items.study_rows, study_rows)
    np.testing.assert_array_equal(loader.items.view_rows, view_rows)


def test_studies_without_a_view_of_the_positions_are_no_items(store):
    loader = make_loader(store, positions=("UNKNOWN",), augment=None)  # only studies of four views have one
    np.testing.assert_array_equal(loader.items.study_rows, np.arange(3, 24, 4))
    assert (store.views.position[loader.items.view_rows.ravel()] == "UNKNOWN").all()


def test_a_batch_moves_as_a_whole(store, tokenizer):
    batch = next(make_loader(store, tokens=tokenize_reports(store, tokenizer)).epoch(0))
    moved = batch.to("meta")
    assert moved.images.device.type == moved.report_tokens.device.type == "meta"
    assert moved.text_tokens is None and len(moved) == len(batch) == 5


def test_shares_are_parts_of_the_batches_that_one_process_sees(store, tokenizer):
    tokens = tokenize_reports(store, tokenizer, tokenizer, 30, 20)
    options = dict(batch_size=6, tokens=tokens, shuffle=True)
    whole = list(make_loader(store, **options).epoch(1))
    shares = [list(make_loader(store, share=(part, 3), **options).epoch(1)) for part in range(3)]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert [len(part) for part in parts] == [2, 2, 2]
        for name in ("images", "view_mask", "labels", "study_rows", "view_rows", "flipped", "report_lengths"):
            joined = torch.cat([getattr(part, name) for part in parts])
            assert torch.equal(joined.nan_to_num(-1), getattr(batch, name).nan_to_num(-1)), name
        for part, rows in zip(parts, batch.report_tokens.split(2), strict=True):
            length = part.report_tokens.shape[1]  # of the longest report of the share
            assert torch.equal(part.report_tokens, rows[:, :length]) and not rows[:, length:].any()


def test_the_rest_of_a_last_batch_is_shared_equally_or_left_out(store):
    def sizes(batch_size, part):
        loader = make_loader(store, rows=np.arange(19), batch_size=batch_size, share=(part, 3))
        return len(loader), [len(batch) for batch in loader.epoch(0)]

    assert sizes(6, 0) == sizes(6, 2) == (3, [2, 2, 2])  # 19 = 3 * 6 + 1
    assert sizes(15, 1) == (2, [5, 1])  # 19 = 15 + 4
    with pytest.raises(ValueError, match="Batches of 5 cannot be shared equally by 3 processes"):
        make_loader(store, share=(0, 3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gets_the_same_batches(store):
    for batch, other in zip(
        make_loader(store).epoch(0), make_loader(store, device="cuda").epoch(0), strict=True
    ):
        assert other.images.is_cuda and batch.pin().images.is_pinned()
        torch.testing.assert_close(other.images.cpu(), batch.images, atol=1e-3, rtol=0)
        assert torch.equal(other.view_rows.cpu(), batch.view_rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "patient"}, "unit 'patient'"),
        ({"unit": "image"}, "num_views 3"),
        ({"image_size": 20}, "crop_size 24 differs from image_size 20"),
        ({"image_size": 64, "augment": None}, "image_size 64 exceeds the 32 px"),
        ({"image_size": 16, "augment": None}, "would cut 50% of a side out of the 32 px"),
        ({"rows": np.array([], int)}, "0 study items of 0 studies make no batch"),
        ({"positions": ("FRONTAL",)}, "0 study items of 24 studies.*FRONTAL"),
        ({"batch_size": 32, "drop_last": True}, "make no batch of 32"),
        ({"batch_size": 0}, "Batches of 0 hold nothing"),
        ({"batch_size": -4}, "Batches of -4 hold nothing"),
    ],
)
def test_settings_that_make_no_sense_are_refused(store, options, message):
    with pytest.raises(ValueError, match=message):
        make_loader(store, **options)


def test_reports_of_a_store_without_any_are_refused(tmp_path, tokenizer):
    silent = make_store(tmp_path / "store", has_reports=False)
    with pytest.raises(ValueError, match="has no reports"):
        tokenize_reports(silent, tokenizer)
