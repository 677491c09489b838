import numpy as np
import pytest
from scipy.ndimage import zoom

from lib.data.phantom.draw import Draw
from lib.data.phantom.picture.exposure import blur_matrix, soften, spread_matrix
from lib.data.phantom.picture.marker import LETTERS, burn_marker


def test_soften_keeps_the_sum_of_an_inner_pattern_and_equals_the_kernel():
    image = np.zeros((9, 9), np.float32)
    image[4, 4] = 16.0
    expected = np.outer([1, 2, 1], [1, 2, 1])
    assert np.allclose(soften(image)[3:6, 3:6], expected)
    assert image[4, 4] == 16.0


def test_spread_equals_linear_interpolation():
    nodes = np.random.default_rng(0).random(6).astype(np.float32)
    at = (np.arange(24) + 0.5) * 6 / 24 - 0.5
    assert np.allclose(spread_matrix(24, 6) @ nodes, np.interp(at, np.arange(6), nodes), atol=1e-6)
    assert zoom(nodes, 4, order=1, grid_mode=True, mode="nearest") == pytest.approx(
        spread_matrix(24, 6) @ nodes, abs=1e-6
    )


def test_blur_keeps_a_flat_picture():
    assert np.allclose(blur_matrix(64, 16, 0.06).sum(1), 1.0, atol=1e-6)


@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("style", ["letter", "boxed"])
def test_marker_stands_on_its_own_side_of_frontal_views_only(size, style):
    seen = set()
    for number in range(20):
        frontal, lateral = np.zeros((2, size, size), np.uint8)
        burn_marker(frontal, "AP", style, Draw("marker", number))
        burn_marker(lateral, "LATERAL", style, Draw("marker", number))
        assert not lateral.any()
        assert not frontal[size // 2 :].any()
        columns = np.flatnonzero(frontal.any(0))
        is_left_letter = columns.min() > size // 2
        assert is_left_letter or columns.max() < size // 2
        seen.add(is_left_letter)
        dots = sum(stroke == "#" for row in LETTERS["L" if is_left_letter else "R"] for stroke in row)
        dot = max(1, round(size / 128)) ** 2
        assert (frontal > 0).sum() == dot * (dots if style == "letter" else 9 * 7 - dots)
    assert seen == {True, False}
