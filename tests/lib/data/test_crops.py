"""Several crops of every view, and what contrastive methods vary beside the crop."""

import numpy as np
import pytest
import torch
from tiny_loader import FULL, PLAIN, SIZE, make_loader
from tiny_store import make_store

from lib.data.augment import AugmentConfig, apply_variation, augment, draw_variation, normalize
from lib.data.loader import tokenize_reports
from lib.data.store import Store
from lib.data.tokenizer import ReportTokenizer

STILL = dict(crop_size=32, rotation=0.0, flip=0.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return make_store(tmp_path_factory.mktemp("crops") / "store", num_studies=24)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(num_studies: int, num_views: int = 2, size: int = 40) -> torch.Tensor:
    return torch.randint(
        0, 256, (num_studies, num_views, 1, size, size), dtype=torch.uint8, generator=seeded()
    )


def test_crops_are_of_the_same_views_one_after_the_other(store):
    images = normalize(torch.from_numpy(np.array(store.images)).float() * (1 / 255))
    batch = next(make_loader(store, augment=PLAIN, num_views=2, crops=3).epoch(0))
    assert batch.images.shape == (5, 6, 1, SIZE, SIZE) and batch.view_rows.shape == (5, 6)
    assert torch.equal(batch.view_rows[:, 2:], batch.view_rows[:, :2].repeat(1, 2))
    assert not batch.view_mask[:, 2:].any() and batch.view_mask[:, 0].all()
    for picture, row in zip(batch.images.flatten(0, 1), batch.view_rows.flatten(), strict=True):
        windows = images[row].unfold(0, SIZE, 1).unfold(1, SIZE, 1)
        assert (windows == picture).all((2, 3)).any()
    first, second, third = batch.images.split(2, dim=1)
    assert not torch.equal(first, second) and not torch.equal(second, third)


def test_the_first_crop_is_that_of_a_loader_of_one(store):
    one, two = (make_loader(store, shuffle=True, num_views=2, crops=crops) for crops in (1, 2))
    for batch, twice in zip(one.epoch(3), two.epoch(3), strict=True):
        for name in ("images", "view_rows", "view_mask"):
            assert torch.equal(getattr(twice, name)[:, :2], getattr(batch, name)), name
        assert torch.equal(twice.flipped, batch.flipped)


def test_every_crop_is_flipped_by_itself(store):
    mirror = AugmentConfig(crop_size=32, rotation=0, flip=0.5, brightness=(1, 1), contrast=(1, 1))
    loader = make_loader(store, image_size=32, augment=mirror, num_views=1, crops=2)
    images = normalize(torch.from_numpy(np.array(store.images)).float() * (1 / 255))
    flips = []
    for batch in (batch for epoch in range(4) for batch in loader.epoch(epoch)):
        mirrored = images[batch.view_rows].flip(-1)[:, :, None]
        flips.append((batch.images == mirrored).all((2, 3, 4)))
        assert torch.equal(flips[-1][:, 0], batch.flipped)
    first, second = torch.cat(flips).unbind(1)
    assert 20 < (first != second).sum() < 76  # of 96


def test_shares_are_parts_of_the_same_crops(store):
    options = dict(batch_size=6, num_views=1, crops=2, shuffle=True)
    whole = list(make_loader(store, **options).epoch(1))
    shares = [list(make_loader(store, share=(part, 3), **options).epoch(1)) for part in range(3)]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert torch.equal(torch.cat([part.images for part in parts]), batch.images)


def test_crops_that_make_no_sense_are_refused(store):
    with pytest.raises(ValueError, match="2 crops of a view that is not augmented are all the same"):
        make_loader(store, augment=None, crops=2)
    tokens = tokenize_reports(store, ReportTokenizer.train(store.texts, vocab_size=200))
    with pytest.raises(ValueError, match="2 crops are flipped one by one, and a report only once"):
        make_loader(store, tokens=tokens, crops=2)


def test_brightness_and_contrast_change_together_or_not_at_all():
    images = pictures(400, 2, 34)
    config = AugmentConfig(**STILL, jitter_probability=0.8)
    variation = draw_variation(images.shape, config, seeded())
    same = variation.brightness == 1
    assert torch.equal(same, variation.contrast == 1) and 0.15 < same.float().mean() < 0.25
    always = draw_variation(images.shape, AugmentConfig(**STILL), seeded())
    assert torch.equal(variation.brightness[~same], always.brightness[~same])
    varied = apply_variation(images, variation, 32)
    for study, view in same.nonzero()[:20].tolist():
        top, left = int(variation.top[study, view]), int(variation.left[study, view])
        stored = images[study, view, :, top : top + 32, left : left + 32]
        torch.testing.assert_close(varied[study, view], stored / 255, atol=1e-6, rtol=0)


def test_some_pictures_are_blurred():
    shape = pictures(400).shape
    sharp = draw_variation(shape, AugmentConfig(**STILL, blur=(0.1, 2.0), blur_probability=0.5), seeded())
    none = sharp.blur == 0
    assert 0.45 < none.float().mean() < 0.55
    assert (sharp.blur[~none] >= 0.1).all() and (sharp.blur[~none] <= 2).all()


def test_cutouts_are_grey_and_different_in_every_view():
    config = AugmentConfig(**STILL, brightness=(0, 0), num_cutouts=3, cutout_size=8)  # black but for them
    varied, _ = augment(pictures(20), config, seeded())
    assert set(varied.unique().tolist()) == {0.0, 0.5}
    areas = (varied == 0.5).sum((2, 3, 4))
    assert (areas >= 16).all() and (areas <= 192).all() and areas.max() > 128
    assert len({tuple(view.flatten().tolist()) for view in varied.flatten(0, 1)}) == 40
    share = draw_variation(pictures(20).shape, config, seeded()).of(slice(5, 7))
    assert torch.equal(apply_variation(pictures(20)[5:7], share, 32), varied[5:7])


@pytest.mark.parametrize(
    "values",
    [
        {"jitter_probability": 1.2},
        {"blur_probability": -0.1},
        {"num_cutouts": -1},
        {"cutout_size": 225, "num_cutouts": 1},
        {"cutout_size": 0, "num_cutouts": 1},
    ],
)
def test_wrong_settings_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        AugmentConfig(**values)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_varies_alike():
    config = AugmentConfig(
        crop_size=32, scale=(0.2, 1.0), blur=(0.1, 2.0), blur_probability=0.5, num_cutouts=3
    )
    on_cpu, _ = augment(pictures(4), config, seeded())
    on_gpu, _ = augment(pictures(4).cuda(), config, seeded())
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, atol=2e-4, rtol=0)


def test_a_loader_of_full_augmentation_repeats_its_crops(store):
    first, again = (next(make_loader(store, augment=FULL, crops=2).epoch(2)) for _ in range(2))
    assert torch.equal(first.images, again.images)
