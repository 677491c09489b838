import numpy as np
import pytest

from lib.data.phantom.picture.tubes import HOLLOW, SOLID, draw_tubes, join_tubes, make_tubes
from lib.data.phantom.picture.viewpoint import build_viewpoint


def straight(start, stop, nodes=12):
    return np.linspace(start, stop, nodes, dtype=np.float32)[None]


def drawn(tubes, position="PA", size=128, distance=1e7):
    image = np.zeros((size, size), np.float32)
    draw_tubes(image, build_viewpoint(position, 0.2, distance, 30.0, (0.0, 0.0), size), tubes)
    return image


@pytest.mark.parametrize("across", [HOLLOW, SOLID])
@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("position", ["PA", "LATERAL"])
def test_volume_is_kept_in_every_view_and_size(across, size, position):
    tubes = make_tubes(straight((-6, -3, -4), (7, 5, 8)), 0.8, 0.5, 2.0, across)
    volume = drawn(tubes, position, size).sum() * (30.0 / size) ** 2
    length = np.sqrt(13**2 + 8**2 + 12**2)
    assert volume == pytest.approx(2.0 * np.pi * 0.8 * 0.5 * length, rel=0.01)


def test_hollow_tube_is_bright_at_its_rims_and_has_its_width():
    tubes = make_tubes(straight((-10, 0, 0), (10, 0, 0)), 2.0, 2.0, 1.0, HOLLOW)
    profile = drawn(tubes, size=256)[:, 128]
    rows = np.flatnonzero(profile > 0.2 * profile.max())
    assert (rows[-1] - rows[0]) * 30 / 256 == pytest.approx(4.0, abs=0.5)
    assert profile[rows[0] : rows[-1]].max() > 1.15 * profile[124:132].mean()


def test_no_combs_along_a_bone():
    # Uneven nodes, as a rib has them that bends away from the viewer.
    x = 20.0 * np.linspace(0.1, 1.0, 30) ** 1.6 - 10.0
    line = np.stack((x, 0 * x, 0 * x), -1)[None]
    profile = drawn(make_tubes(line, 0.6, 0.6, 1.0, SOLID), size=256).sum(0)[60:196]
    assert profile.std() < 0.06 * profile.mean()


def test_what_is_outside_is_lost_without_a_trace():
    inside = make_tubes(straight((-5, 0, 0), (5, 0, 0)), 0.5, 0.5, 1.0, SOLID)
    outside = make_tubes(straight((-5, 0, 40), (5, 0, 44)), 0.5, 0.5, 1.0, SOLID)
    alone, both = drawn(inside), drawn(join_tubes([inside, outside]))
    assert both.sum() == pytest.approx(alone.sum(), rel=0.01)
    assert not drawn(outside).any()
