"""The boxes of a case, and quick scores beside those at full size."""

import numpy as np
import pytest

from lib.explain.boxes import boxes_of_map, scale_maps
from lib.explain.frame import Frame
from workbench.box_reading.case_boxes import mean_iou, read_case
from workbench.box_reading.map_table import MapTable, Reading
from workbench.box_reading.quick_scores import LARGEST, _shrunk


def drawn(boxes, size):
    mask = np.zeros((size, size), bool)
    for x0, y0, x1, y1 in np.asarray(boxes).astype(int):
        mask[y0:y1, x0:x1] = True
    return mask


def naive_iou(found, marked, size):
    first, second = drawn(found, size), drawn(marked, size)
    return (first & second).sum() / (first | second).sum()


def test_a_case_is_read_as_a_person_would_by_hand():
    values = np.zeros((20, 20), np.float32)
    values[2:6, 3:9], values[12:15, 12:18] = 0.6, 1.0
    marked = {"R1": np.array([[3.0, 2, 9, 6]]), "R2": np.array([[10.0, 10, 20, 20]])}
    read = read_case(values, marked, 0.5)
    assert read.boxes.corners.tolist() == [[12, 12, 18, 15], [3, 2, 9, 6]]
    both = [naive_iou(read.boxes.corners, boxes, 20) for boxes in marked.values()]
    assert read.iou == pytest.approx(np.mean(both))
    assert (read.pointed, read.num_readers, read.is_zero) == (1, 2, False)
    assert read_case(values, marked, 0.7).iou == pytest.approx(18 / 100 / 2)  # only the second is left


def test_a_map_of_zeros_has_no_box_and_no_reader_no_iou():
    read = read_case(np.zeros((8, 8), np.float32), {}, 0.5)
    assert read.is_zero and len(read.boxes.corners) == 0 and np.isnan(read.iou)
    assert np.isnan(mean_iou(np.empty((0, 4)), {}))


@pytest.mark.parametrize("smoothing", [0.0, 2.0])
def test_quick_scores_are_the_exact_ones_where_pictures_are_small(planted, smoothing):
    table = MapTable([planted()], "cam")
    reading = Reading(0.6, smoothing)
    cases = np.arange(len(table.cases))[::-1]
    quick = table.quick_iou(0, cases, reading)
    exact = [table.read(0, case, reading).iou for case in cases]
    np.testing.assert_allclose(quick, exact, atol=1e-9)
    assert np.ptp(quick) > 0
    one = table.quick_iou(0, cases, reading, "R2")
    np.testing.assert_allclose(one, [table.read(0, case, reading, "R2").iou for case in cases], atol=1e-9)
    assert (one != quick).any()


@pytest.mark.parametrize(("image_size", "evaluation"), [(896, "crop"), (500, "crop"), (224, "whole")])
def test_they_are_near_those_of_large_pictures(image_size, evaluation):
    frame = Frame(1024, image_size, evaluation)
    small = _shrunk(frame)
    assert small.store_size == LARGEST
    assert small.start / small.store_size == pytest.approx(frame.start / frame.store_size, abs=0.01)
    maps = np.random.default_rng(0).random((6, 7, 7)) ** 4
    factor, ious = frame.store_size / small.store_size, []
    for values, quick in zip(
        scale_maps(frame.to_store(maps, 40.0)), scale_maps(small.to_store(maps, 5.0)), strict=True
    ):
        large = boxes_of_map(values, 0.5).corners
        ious.append(mean_iou(factor * boxes_of_map(quick, 0.5).corners, {"same": large}))
    # Two regions that nearly touch may be one on a smaller picture, so not every single one.
    assert np.mean(ious) > 0.9 and np.median(ious) > 0.93
