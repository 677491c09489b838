"""TransVW: both losses with their weights, the target before any distortion, one distortion in four."""

import dataclasses

import pytest
import torch
from tiny_restoration import ENCODER, make, make_batch, make_pixels

from lib.data.augment import denormalize, normalize
from lib.data.distortions.painting import MARGIN
from lib.objectives.transvw import BENT, IN_PAINTED, OUT_PAINTED, SHUFFLED, TransVW, draw_kinds

WORDS = {"words": {"num_words": 4}}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_words_batch(num_studies: int = 6, num_views: int = 2):
    batch = make_batch(num_studies, num_views)
    return dataclasses.replace(batch, words=torch.arange(num_studies * num_views).view(-1, num_views) % 4)


def test_the_losses_equal_naive_doubles_with_the_published_weights():
    objective, batch = make(TransVW, **WORDS).eval(), make_words_batch()
    images = batch.images.flatten(0, 1)
    shown = objective.show(images)
    restoration = (denormalize(shown.restored) - denormalize(images)).square().mean()
    logits = objective.classifier(objective.encoder(shown.distorted).pooled)
    chances = logits.double().exp() / logits.double().exp().sum(1, keepdim=True)
    classification = (
        -torch.stack([row[word] for row, word in zip(chances, batch.words.flatten(), strict=True)])
        .log()
        .mean()
    )
    losses = objective(batch)
    assert losses.keys() == {"restoration", "classification"}
    assert losses["restoration"].item() == pytest.approx(restoration.item(), rel=1e-5)
    assert losses["classification"].item() == pytest.approx(0.01 * classification.item(), rel=1e-5)
    other = make(TransVW, **WORDS, restoration_weight=2.0, classification_weight=0.5).eval()(batch)
    assert other["restoration"].item() == pytest.approx(2 * restoration.item(), rel=1e-5)
    assert other["classification"].item() == pytest.approx(0.5 * classification.item(), rel=1e-5)


def test_the_target_is_the_crop_before_its_deformation():
    objective, images = make(TransVW), normalize(make_pixels())
    pair = objective.distort(images, seeded())
    assert torch.equal(pair.original, images)
    assert not (pair.distorted == images).flatten(1).all(1).any()


def test_both_losses_teach_the_encoder():
    objective, batch = make(TransVW, **WORDS), make_words_batch()
    for name, own, others in (
        ("restoration", objective.decoder, objective.classifier),
        ("classification", objective.classifier, objective.decoder),
    ):
        objective.zero_grad()
        objective(batch)[name].backward()
        assert all(parameter.grad.abs().max() > 0 for parameter in own.parameters())
        assert all(parameter.grad is None for parameter in others.parameters())
        first = next(objective.encoder.parameters())
        assert first.grad.abs().max() > 0


def test_every_crop_is_deformed_and_meets_one_of_four_distortions():
    pixels = make_pixels(200)
    still = make(TransVW, displacement=0.0)
    distorted = still.distort_pixels(pixels.clone(), seeded())
    kinds = draw_kinds(200, seeded())
    assert kinds.unique().tolist() == [SHUFFLED, BENT, IN_PAINTED, OUT_PAINTED]
    not_painted = 0
    for kind, before, after in zip(kinds.tolist(), pixels[:, 0], distorted[:, 0], strict=True):
        same = (before - after).abs() < 1e-4
        if kind == SHUFFLED:
            around = torch.nn.functional.unfold(before[None, None], 5, padding=2).view(25, *before.shape)
            assert not same.all() and ((around - after).abs().amin(0) < 1e-4).all()  # windows of 3 px
        elif kind == BENT:
            steps = after.flatten()[before.flatten().argsort()].diff()
            assert (steps >= -1e-6).all() or (steps <= 1e-6).all()
        elif kind == IN_PAINTED:
            inner = same[MARGIN:-MARGIN, MARGIN:-MARGIN]
            assert same.sum() - inner.sum() == same.numel() - inner.numel()  # the border is left
            not_painted += bool(inner.all())
        else:
            assert same[:MARGIN].float().mean() < 0.1 and same.any()
    assert not_painted < 15  # 1 in 20 of about 50


def test_chances_are_equal():
    counts = draw_kinds(4000, seeded()).bincount()
    assert len(counts) == 4 and (counts - 1000).abs().max() < 137  # five deviations


def test_what_is_shown_is_what_is_learnt_from():
    objective, images = make(TransVW), normalize(make_pixels())
    first, second, other = (objective.show(images, seed=seed) for seed in (3, 3, 4))
    assert all(map(torch.equal, first, second))
    assert not torch.equal(first.distorted, other.distorted)
    assert torch.equal(first.distorted, objective.distort(images, seeded(3)).distorted)


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"classification_weight": -1.0}, "classification_weight -1.0 is negative"),
        ({"displacement": -0.1}, "displacement -0.1 is negative"),
        ({"smoothness": 0.0}, "smoothness 0.0 is not a share of a side; give 0.01 to 1"),
        ({"box_probability": 1.5}, "box_probability 1.5 is not a share"),
        ({"num_windows": 0}, "num_windows 0 is too few"),
        ({"num_views": 0}, "num_views 0 is too few"),
        ({"words": {"num_words": 1}}, "num_words 1 is too few"),
        ({"encoder": ENCODER | {"image_size": 8}}, "image_size 8 is too small to paint into"),
    ],
)
def test_settings_that_do_not_fit_are_named(changes, told):
    with pytest.raises(ValueError, match=told):
        make(TransVW, **changes)
