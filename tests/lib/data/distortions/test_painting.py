"""In-painting leaves a border, out-painting leaves its windows, both are made of noise elsewhere."""

import pytest
import torch
from pictures_to_distort import numbered, seeded

from lib.data.distortions.drawn import draw_noise
from lib.data.distortions.painting import MARGIN, SMALLEST, Boxes, draw_boxes, paint_

ROWS, COLUMNS = 42, 70


def draw(num_pictures: int, is_kept: bool, seed: int = 0, is_painted: bool = True) -> Boxes:
    painted, kept = (torch.full((num_pictures,), value) for value in (is_painted, is_kept))
    return draw_boxes(painted, kept, (ROWS, COLUMNS), most=5, probability=0.95, generator=seeded(seed))


def inside(boxes: Boxes, number: int) -> torch.Tensor:
    """Return which pixels are in a box of a picture, box by box."""
    mask = torch.zeros(ROWS, COLUMNS, dtype=torch.bool)
    for top, left, height, width in zip(*(values[number].tolist() for values in boxes[:4]), strict=True):
        mask[top : top + height, left : left + width] = True
    return mask


@pytest.mark.parametrize("is_kept", [False, True], ids=["in", "out"])
def test_noise_and_picture_are_where_they_belong(is_kept):
    pictures = 2 + numbered(60, ROWS, COLUMNS)
    noise = draw_noise(pictures.shape, seeded(1))
    boxes, painted = draw(60, is_kept), pictures.clone()
    assert paint_(painted, boxes, noise) is painted
    for number, found in enumerate(painted):
        is_noise = inside(boxes, number) ^ is_kept
        assert torch.equal(found[0][is_noise], (noise[number, 0].double() * (1 / 255))[is_noise])
        assert torch.equal(found[0][~is_noise], pictures[number, 0][~is_noise])
        assert is_kept is bool(is_noise[0, 0])


@pytest.mark.parametrize("is_kept", [False, True], ids=["in", "out"])
def test_boxes_have_the_published_sizes_numbers_and_margin(is_kept):
    boxes = draw(4000, is_kept)
    is_there = boxes.height > 0
    assert torch.equal(is_there, boxes.width > 0)
    for start, size, side in ((boxes.top, boxes.height, ROWS), (boxes.left, boxes.width, COLUMNS)):
        sizes = size[is_there]
        low, high = (side - 4 * side // 7, side - 3 * side // 7) if is_kept else (side // 6, side // 3)
        assert set(sizes.tolist()) == set(range(low, high + 1))
        assert start[is_there].min() == MARGIN
        assert (start + size)[is_there].max() == side - MARGIN
    # Five at most, each follows with 0.95; the first window is always there.
    counts = torch.bincount(is_there.sum(1), minlength=6) / 4000
    expected = [0.05 * 0.95**k for k in range(5)] + [0.95**5]
    if is_kept:
        expected = [0.0] + [0.05 * 0.95**k for k in range(4)] + [0.95**4]
    assert counts.tolist() == pytest.approx(expected, abs=0.035)
    assert not is_kept or counts[0] == 0
    assert (is_there.int().diff(dim=1) <= 0).all()  # none after one that did not follow


def test_in_painting_leaves_a_border_of_three_pixels():
    pictures = 2 + numbered(300, ROWS, COLUMNS)
    painted = paint_(pictures.clone(), draw(300, False), torch.zeros(pictures.shape, dtype=torch.uint8))
    inner = (slice(None), slice(None), slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    is_changed = painted != pictures
    assert is_changed.any(0)[0, MARGIN, MARGIN:-MARGIN].any()  # up to the border
    assert is_changed.sum() == is_changed[inner].sum() > 0


def test_what_is_not_painted_stays_as_it_is():
    pictures = 2 + numbered(20, ROWS, COLUMNS)
    noise = draw_noise(pictures.shape, seeded(1))
    for is_kept in (False, True):
        boxes = draw(20, is_kept, is_painted=False)
        assert torch.equal(paint_(pictures.clone(), boxes, noise), pictures)


def test_noise_has_all_greys_alike():
    noise = draw_noise(torch.Size((5, 1, 101, 203)), seeded())
    assert noise.shape == (5, 1, 101, 203) and noise.dtype == torch.uint8
    counts = torch.bincount(noise.flatten(), minlength=256)
    mean = noise.numel() / 256
    assert len(counts) == 256 and counts.all()
    assert ((counts - mean).square() / mean).sum() < 255 + 5 * 510**0.5  # chi-square, five deviations
    pairs = torch.stack([noise.flatten()[:-1], noise.flatten()[1:]]).float()
    assert abs(torch.corrcoef(pairs)[0, 1]) < 0.02


def test_the_same_seed_gives_the_same_boxes_and_noise():
    draws = [draw(5, True, seed) for seed in (1, 1, 2)]
    assert all(map(torch.equal, draws[0], draws[1])) and not torch.equal(draws[0].top, draws[2].top)
    noises = [draw_noise(torch.Size((3, 7)), seeded(seed)) for seed in (1, 1, 2)]
    assert torch.equal(noises[0], noises[1]) and not torch.equal(noises[0], noises[2])


def test_pictures_too_small_for_boxes_are_refused():
    chosen = torch.ones(4, dtype=torch.bool)
    settings = dict(most=5, probability=0.95)
    with pytest.raises(ValueError, match=r"image_size 13 is too small.*3 px; give 14 or more"):
        draw_boxes(chosen, chosen, (13, 20), **settings, generator=seeded())
    for seed in range(50):  # the smallest that is accepted does work
        boxes = draw_boxes(chosen, chosen, (SMALLEST, SMALLEST), **settings, generator=seeded(seed))
        assert boxes.top.min() >= MARGIN and (boxes.top + boxes.height).max() <= SMALLEST - MARGIN


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cpu_and_gpu_agree():
    pictures, noise = (
        numbered(8, ROWS, COLUMNS).float(),
        draw_noise(torch.Size((8, 1, ROWS, COLUMNS)), seeded()),
    )
    for is_kept in (False, True):
        boxes = draw(8, is_kept)
        on_gpu = paint_(pictures.cuda(), boxes, noise).cpu()
        assert torch.equal(on_gpu, paint_(pictures.clone(), boxes, noise))
