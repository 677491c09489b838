"""A threshold on a map makes the boxes that a flood fill by hand makes."""

import time

import numpy as np
import pytest

from lib.explain.boxes import boxes_of_map, scale_maps
from lib.explain.frame import Frame


def flood(mask: np.ndarray) -> list[set[tuple[int, int]]]:
    """Return the regions of a mask, places that touch at a corner together."""
    left = {tuple(place) for place in np.argwhere(mask)}
    regions = []
    while left:
        region, border = set(), [left.pop()]
        while border:
            row, column = border.pop()
            region.add((row, column))
            near = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            border += near
        regions.append(region)
    return regions


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("min_area", [0, 4])
def test_boxes_equal_those_of_a_flood_fill(seed, min_area):
    values = np.random.default_rng(seed).random((24, 24)).astype(np.float32)
    expected = []
    for region in flood(values >= 0.75):
        rows, columns = zip(*region, strict=True)
        if len(region) >= min_area:
            confidence = max(float(values[place]) for place in region)
            box = (min(columns), min(rows), max(columns) + 1, max(rows) + 1)
            expected.append((confidence, box))
    expected.sort(reverse=True)
    found = boxes_of_map(values, 0.75, min_area=min_area)
    assert len(expected) > 2
    assert found.corners.tolist() == [list(map(float, box)) for _, box in expected]
    assert found.confidence.tolist() == [confidence for confidence, _ in expected]


def test_a_map_of_zeros_has_no_box_and_stays_zero():
    zeros = scale_maps(np.zeros((2, 7, 7)))
    assert not zeros.any()
    assert boxes_of_map(zeros[0], 0.1).corners.shape == (0, 4)


def test_each_map_is_divided_by_its_own_maximum():
    maps = np.stack([np.eye(3), 4 * np.ones((3, 3))])
    assert scale_maps(maps).max((1, 2)).tolist() == [1, 1]
    assert scale_maps(maps)[0].tolist() == np.eye(3).tolist()


@pytest.mark.parametrize("threshold", [0, -0.1, 1.01, float("nan")])
def test_a_threshold_is_a_share(threshold):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        boxes_of_map(np.ones((3, 3)), threshold)


def test_a_slider_can_move_at_full_size():
    """From the grid to boxes at 1,024 px, smoothed, in less than 100 ms of the processor."""
    frame, grid = Frame(1024, 896), np.random.default_rng(0).random((1, 14, 14), np.float32)
    taken = []
    for step in range(4):
        start = time.process_time()
        boxes_of_map(scale_maps(frame.to_store(grid, 12.0))[0], 0.3 + 0.1 * step)
        taken.append(time.process_time() - start)
    assert min(taken[1:]) < 0.1  # the first one prepares the smoothing
