"""Pointing game, contrast and mIoU of a map equal their definitions, pixel by pixel."""

import numpy as np
import pytest

from lib.metrics.localization import contrast_to_noise, draw_boxes, map_iou, pointing


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).random((16, 16))


def test_pixels_are_drawn_by_their_middles():
    boxes = np.array([[1.4, 2, 4.6, 3], [8, 8, 10, 20], [0.6, 0.6, 1.4, 1.4]])
    expected = np.zeros((16, 16), bool)
    for y in range(16):
        for x in range(16):
            expected[y, x] = any(
                x0 <= x + 0.5 < x1 and y0 <= y + 0.5 < y1 for x0, y0, x1, y1 in boxes.tolist()
            )
    assert expected.sum() == 4 + 16
    assert (draw_boxes(boxes, 16) == expected).all()


def test_pointing_asks_where_the_maximum_is(values):
    y, x = np.unravel_index(values.argmax(), values.shape)
    assert pointing(values, draw_boxes([[x, y, x + 1, y + 1]], 16)) == 1
    assert pointing(values, ~draw_boxes([[x, y, x + 1, y + 1]], 16)) == 0


def test_a_flat_top_points_to_all_its_places_and_zeros_to_none():
    flat = np.zeros((16, 16))
    flat[4, 4:8] = 1
    assert pointing(flat, draw_boxes([[0, 0, 5, 16]], 16)) == 0.25
    assert pointing(np.zeros((16, 16)), np.ones((16, 16), bool)) == 0


def test_contrast_equals_its_formula_and_keeps_its_sign(values):
    inside = draw_boxes([[2, 3, 7, 9]], 16)
    within = [values[y, x] for y in range(16) for x in range(16) if inside[y, x]]
    beside = [values[y, x] for y in range(16) for x in range(16) if not inside[y, x]]
    expected = (np.mean(within) - np.mean(beside)) / np.sqrt(np.var(within) + np.var(beside))
    assert contrast_to_noise(values, inside) == pytest.approx(expected)
    assert contrast_to_noise(values, ~inside) == pytest.approx(-expected)
    assert contrast_to_noise(np.zeros((16, 16)), inside) == 0
    assert np.isnan(contrast_to_noise(values, np.zeros((16, 16), bool)))
    assert np.isnan(contrast_to_noise(inside, inside))  # no noise at all


def test_map_iou_is_a_mean_over_thresholds(values):
    inside = draw_boxes([[2, 3, 7, 9]], 16)
    expected = []
    for threshold in (0.2, 0.9):
        reached = values >= threshold
        expected.append((reached & inside).sum() / (reached | inside).sum())
    assert map_iou(values, inside, (0.2, 0.9)) == pytest.approx(np.mean(expected))
    assert map_iou(np.zeros((16, 16)), inside) == 0
