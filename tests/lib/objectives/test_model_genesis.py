"""Model Genesis: which distortions a picture meets, how often, in which order; flips take the target too."""

import pytest
import torch
from tiny_restoration import ENCODER, make, make_batch, make_pixels

from lib.data.augment import denormalize, normalize
from lib.objectives.model_genesis import ModelGenesis

NOTHING = dict(flip_probability=0.0, shuffle_probability=0.0, curve_probability=0.0, paint_probability=0.0)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def distort(num_pictures: int = 6, seed: int = 0, **changes):
    """Return pixels, and the pair that a Model Genesis of only these distortions makes of them, in 0..1."""
    objective = make(ModelGenesis, **(NOTHING | changes))
    pixels = make_pixels(num_pictures)
    return pixels, *distort_pixels(objective, pixels, seed)


def distort_pixels(objective, pixels: torch.Tensor, seed: int = 0):
    """Return what is to be restored and what is distorted, in 0..1."""
    before, generator = pixels.clone(), seeded(seed)
    original = objective.arrange(pixels, generator)
    distorted = objective.distort_pixels(original.clone(), generator)
    assert torch.equal(pixels, before)
    return original, distorted


def is_same(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return which pictures are equal, `[N]`."""
    return (first == second).flatten(1).all(1)


def test_the_loss_is_the_mean_squared_error_against_the_flipped_original():
    objective, batch = make(ModelGenesis).eval(), make_batch(6, 2)
    images = batch.images.flatten(0, 1)
    shown = objective.show(images)
    assert not torch.equal(shown.original, images)  # some are flipped
    expected = (denormalize(shown.restored) - denormalize(shown.original)).square().mean()
    assert objective(batch)["restoration"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_flips_take_target_and_input_along():
    pixels, original, distorted = distort(60, flip_probability=0.4)
    assert torch.equal(original, distorted)
    mirrored = torch.stack([pixels, pixels.flip(2), pixels.flip(3), pixels.flip(2, 3)])  # [4, N, ...]
    matches = torch.stack([is_same(original, version) for version in mirrored])
    assert (matches.sum(0) == 1).all()  # each picture is one of the four
    assert matches.any(1).all()  # and all four occur


def test_without_distortions_a_picture_stays_as_it_is():
    pixels, original, distorted = distort()
    assert torch.equal(original, pixels) and torch.equal(distorted, pixels)


def test_shuffling_alone_takes_values_from_nearby():
    pixels, original, distorted = distort(shuffle_probability=1.0, num_windows=5, largest_window=0.25)
    assert torch.equal(original, pixels) and not is_same(pixels, distorted).any()
    for before, after in zip(pixels, distorted, strict=True):
        for row, column in (before != after)[0].nonzero().tolist():
            near = before[0, max(0, row - 7) : row + 8, max(0, column - 7) : column + 8]
            assert (near == after[0, row, column]).any()


def test_curves_alone_map_equal_greys_alike_and_in_order():
    pixels, original, distorted = distort(40, curve_probability=1.0)
    assert torch.equal(original, pixels)
    falling = 0
    for before, after in zip(pixels.flatten(1), distorted.flatten(1), strict=True):
        steps = after[before.argsort()].diff()
        assert (steps >= -1e-6).all() or (steps <= 1e-6).all()
        falling += bool((steps <= 1e-6).all())
    assert 8 <= falling <= 32
    assert 0 <= distorted.min() and distorted.max() <= 1


def test_out_painting_restores_from_what_was_distorted_before():
    """The windows show shuffled and bent pixels, not those of the original."""
    settings = dict(shuffle_probability=1.0, curve_probability=1.0)
    _, _, plain = distort(8, **settings)
    _, _, painted = distort(8, **settings, paint_probability=1.0, in_paint_share=0.0)
    is_kept = painted == plain
    assert 0.2 < is_kept.float().mean() < 0.8
    for kept in is_kept[:, 0]:  # of each side 3/7 at least, in one piece
        rows, columns = kept.sum(1).max(), kept.sum(0).max()
        assert rows >= 32 * 3 // 7 and columns >= 32 * 3 // 7
    greys = (painted[~is_kept] * 255).sub((painted[~is_kept] * 255).round()).abs()
    assert greys.max() < 1e-3  # noise


def test_chances_are_met_over_many_draws():
    pixels = make_pixels(2000, 14)
    sizes = {"encoder": ENCODER | {"image_size": 14, "patch_size": 7}}
    defaults = ModelGenesis.Config()

    def share(name: str, **fixed) -> float:
        """Return how many pictures one distortion alone has changed, at its default chance."""
        objective = make(ModelGenesis, **sizes, **(NOTHING | {name: getattr(defaults, name)} | fixed))
        original, distorted = distort_pixels(objective, pixels)
        changed = original if name == "flip_probability" else distorted
        return 1 - is_same(pixels, changed).double().mean().item()

    # Five deviations of 2000 draws: 0.056 at most.
    # Windows of one pixel only would change nothing, so they are larger here.
    assert share("shuffle_probability", largest_window=1.0) == pytest.approx(0.5, abs=0.056)
    assert share("curve_probability") == pytest.approx(0.9, abs=0.034)
    assert share("paint_probability", in_paint_share=0.0) == pytest.approx(0.9, abs=0.034)
    assert share("paint_probability", in_paint_share=1.0) == pytest.approx(0.9 * 0.95, abs=0.04)
    # One flip or three of one axis, or two of both axes: all but those that undo each other.
    assert share("flip_probability") == pytest.approx(0.24 + 0.096 / 2 + 0.064, abs=0.054)
    objective = make(ModelGenesis, **sizes, **(NOTHING | {"paint_probability": 1.0}))
    _, distorted = distort_pixels(objective, pixels)
    is_out = (distorted != pixels)[:, 0, 0, 0]  # in-painting leaves the corner
    assert is_out.double().mean().item() == pytest.approx(0.8, abs=0.045)


def test_the_same_seed_gives_the_same_pictures():
    settings = dict(
        flip_probability=0.4, shuffle_probability=0.5, curve_probability=0.9, paint_probability=0.9
    )
    first, second, other = (distort(12, seed=seed, **settings)[2] for seed in (1, 1, 2))
    assert torch.equal(first, second) and not is_same(first, other).any()


def test_pictures_of_the_loader_are_distorted_in_their_own_scale():
    objective, pixels = make(ModelGenesis), make_pixels(20)
    images = normalize(pixels)
    pair, expected = objective.distort(images, seeded()), distort_pixels(objective, pixels)
    assert torch.equal(images, normalize(pixels))
    for found, wanted in zip(pair, expected, strict=True):
        torch.testing.assert_close(denormalize(found), wanted, atol=3e-3, rtol=0)
        assert wanted.min() >= 0 and wanted.max() <= 1


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"shuffle_probability": 1.5}, "shuffle_probability 1.5 is not a share"),
        ({"largest_window": 2.0}, "largest_window 2.0 is not a share"),
        ({"num_windows": 0}, "num_windows 0 is too few"),
        ({"max_boxes": 0}, "max_boxes 0 is too few"),
        ({"max_flips": -1}, "max_flips -1 is too few"),
        ({"encoder": ENCODER | {"image_size": 8}}, "image_size 8 is too small to paint into"),
    ],
)
def test_settings_that_do_not_fit_are_named(changes, told):
    with pytest.raises(ValueError, match=told):
        make(ModelGenesis, **changes)
