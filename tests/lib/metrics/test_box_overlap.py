"""Areas, IoU and matches of boxes equal those of drawn pixels and of trying everything."""

import itertools

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from lib.metrics.box_overlap import best_iou, count_matches, covered_areas, pairwise_iou


def some_boxes(number: int, seed: int, size: int = 20) -> np.ndarray:
    """Return boxes with whole corners: pixels draw them exactly."""
    random = np.random.default_rng(seed)
    low = random.integers(0, size - 1, (number, 2))
    return np.concatenate([low, low + random.integers(1, size - low)], axis=1).astype(float)


def drawn(boxes: np.ndarray, size: int = 20) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    for x0, y0, x1, y1 in boxes.astype(int):
        mask[y0:y1, x0:x1] = True
    return mask


@pytest.mark.parametrize(("first", "second"), list(itertools.product([0, 1, 3, 6], [0, 1, 4])))
@pytest.mark.parametrize("scale", [1.0, 0.37])
def test_areas_are_those_of_drawn_pixels(first, second, scale):
    for seed in range(10):
        one, other = some_boxes(first, seed), some_boxes(second, 100 + seed)
        masks = drawn(one), drawn(other)
        areas = covered_areas(one * scale, other * scale)
        expected = [masks[0].sum(), masks[1].sum(), (masks[0] & masks[1]).sum()]
        np.testing.assert_allclose(areas, np.array(expected) * scale**2, atol=1e-9)
        union = (masks[0] | masks[1]).sum()
        assert areas.iou == pytest.approx(expected[2] / union if union else 0)
        assert areas.iobb == pytest.approx(expected[2] / expected[0] if first else 0)


def test_pairs_equal_torchvision():
    one, other = some_boxes(7, 0) + 0.25, some_boxes(5, 1)
    expected = box_iou(torch.from_numpy(one), torch.from_numpy(other)).numpy()
    np.testing.assert_allclose(pairwise_iou(one, other), expected)
    assert best_iou(one, other) == expected.max()
    assert best_iou(one, np.zeros((0, 4))) == best_iou([], other) == 0


@pytest.mark.parametrize("seed", range(8))
def test_matches_equal_a_walk_through_the_found_boxes(seed):
    found, marked = some_boxes(6, seed), some_boxes(4, 50 + seed)
    overlaps = pairwise_iou(found, marked)
    for needed, count in zip((0.1, 0.3), count_matches(found, marked, (0.1, 0.3)), strict=True):
        free, expected = set(range(4)), 0
        for row in range(6):
            taken = max(free, key=lambda column: overlaps[row, column], default=None)
            if taken is not None and overlaps[row, taken] >= needed:
                free.remove(taken)
                expected += 1
        assert count == expected


def test_one_marked_box_is_matched_once():
    box = [[0, 0, 10, 10]]
    assert count_matches(box * 3, box, (0.5, 1.0)).tolist() == [1, 1]
    assert count_matches([], box, (0.5,)).tolist() == count_matches(box, [], (0.5,)).tolist() == [0]


def test_a_box_without_area_is_named():
    with pytest.raises(ValueError, match=r"\[5.0, 1.0, 5.0, 3.0\] has no area"):
        covered_areas([[0, 0, 1, 1], [5, 1, 5, 3]], [])
