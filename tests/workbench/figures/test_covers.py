"""Maps on pictures: colours where the map is high, the picture untouched where it is zero."""

import numpy as np
import pytest

from workbench.figures.covered_sheet import cover_sheet
from workbench.figures.heat import OPACITY, RAMP, Cover, covered_uri, lay_heat
from workbench.figures.studies import contact_sheet


@pytest.fixture
def heat():
    heat = np.zeros((32, 32), np.float32)
    heat[8:16, 16:24] = 1
    return heat


def test_a_map_is_mixed_into_the_picture_where_it_is_high(heat):
    picture = np.full((32, 32), 100, np.uint8)
    laid = np.asarray(lay_heat(picture, heat, 0.5)).astype(int)
    assert laid.shape == (32, 32, 3) and (laid[24:, :8] == 100).all()
    top = np.array([int(RAMP[-1][1][at : at + 2], 16) for at in (1, 3, 5)])
    assert np.abs(laid[12, 20] - (top + 100) / 2).max() <= 2
    assert (np.asarray(lay_heat(picture, 0 * heat, 1.0)) == 100).all()


def test_a_map_of_another_size_lies_in_the_same_place(heat):
    laid = np.asarray(lay_heat(np.zeros((64, 64), np.uint8), heat, 1.0)).astype(int)
    assert laid[24, 40].sum() > 300 and laid[24, 10].sum() == 0
    assert covered_uri(np.zeros((64, 64), np.uint8), heat, 1.0).startswith("data:image/jpeg;base64,")


def test_values_below_the_threshold_are_fainter(heat):
    picture = np.zeros((32, 32), np.uint8)
    plain, faint = (
        np.asarray(lay_heat(picture, 0.5 * heat, 1.0, threshold=level)).sum() for level in (0.0, 0.6)
    )
    assert 0.2 * plain < faint < 0.5 * plain


def test_maps_lie_on_the_tiles_of_a_sheet(heat):
    images = np.zeros((3, 32, 32), np.uint8)
    sheet = contact_sheet(images, ["a", "b", "c"], columns=2, tile=40, title="t")
    cover_sheet(sheet, [Cover(heat, "one"), None, Cover(heat, "three")])
    first, third = sheet.layout.images
    assert (first.x, first.y, third.x, third.y) == (0, 0, 0, 44)
    assert first.sizex == first.sizey == 40 and first.opacity == OPACITY and first.layer == "above"
    assert list(sheet.data[1].hovertext) == ["a<br>one", "b", "c<br>three"]
