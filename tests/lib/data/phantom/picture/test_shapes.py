"""Closed-form intervals against points sampled along the rays."""

import math

import numpy as np
import pytest

from lib.data.phantom.picture.shapes import add_free_length, cast_rays, ellipsoid, hull, stack
from lib.data.phantom.picture.viewpoint import build_viewpoint

STEP = 0.02
DEPTHS = np.arange(-12.0, 12.0, STEP) + 0.5 * STEP


def parallel_rays(yaw=0.0, position="PA"):
    return cast_rays(build_viewpoint(position, yaw, 1e7, 20.0, (0.5, -0.3), 24))


def sampled(rays, contains):
    """Return the path length inside a body by asking it at every point of every ray."""
    view = rays.view
    u, w = rays.sideways[None, :, None], DEPTHS[None, None, :]
    x = view.right[0] * u + view.towards[0] * w
    y = view.right[1] * u + view.towards[1] * w
    z = rays.up[:, None, None]
    return STEP * contains(x, y, z).sum(-1)


def in_ellipsoid(centre, radii, tilt=0.0, swing=0.0):
    ct, st, cs, ss = math.cos(tilt), math.sin(tilt), math.cos(swing), math.sin(swing)
    turned_by_tilt = np.array([[ct, 0, st], [0, 1, 0], [-st, 0, ct]])
    turned_by_swing = np.array([[1, 0, 0], [0, cs, ss], [0, -ss, cs]])
    axes = turned_by_tilt @ turned_by_swing  # columns are the axes of the body

    def contains(x, y, z):
        away = np.stack(np.broadcast_arrays(x - centre[0], y - centre[1], z - centre[2]), -1) @ axes
        return ((away / np.array(radii)) ** 2).sum(-1) < 1.0

    return contains


def full(rays, span):
    image = np.zeros((rays.view.size,) * 2, np.float32)
    image[span.window] += span.length()
    return image


@pytest.mark.parametrize("position", ["PA", "AP", "LATERAL"])
@pytest.mark.parametrize("yaw", [0.0, 0.4])
@pytest.mark.parametrize(("tilt", "swing"), [(0.0, 0.0), (0.6, 0.0), (0.0, 0.5), (-0.4, 0.7)])
def test_ellipsoid_equals_sampling(position, yaw, tilt, swing):
    rays = parallel_rays(yaw, position)
    centre, radii = (1.0, -2.0, 0.7), (4.0, 2.0, 3.0)
    image = full(rays, ellipsoid(rays, centre, radii, tilt, swing))
    expected = sampled(rays, in_ellipsoid(centre, radii, tilt, swing))
    assert np.abs(image - expected).max() < 2.5 * STEP
    assert image.max() > 2.0


def test_tilt_goes_down_on_the_left_and_swing_leans_to_the_front():
    rays = parallel_rays()
    image = full(rays, ellipsoid(rays, (0.0, 0.0, 0.0), (6.0, 1.0, 1.0), tilt=0.5))
    row, column = np.indices(image.shape)
    covariance = (image * (row - np.average(row, weights=image)) * (column - 11.5)).sum()
    assert covariance > 0  # the right side of the picture, the patient's left, is lower
    side = parallel_rays(position="LATERAL")
    image = full(side, ellipsoid(side, (0.0, 0.0, 0.0), (1.0, 1.0, 6.0), swing=0.5))
    assert (image[:8] * np.arange(24)).sum() / image[:8].sum() < (image[-8:] * np.arange(24)).sum() / image[
        -8:
    ].sum()


@pytest.mark.parametrize("position", ["PA", "LATERAL"])
@pytest.mark.parametrize("yaw", [0.0, -0.3])
def test_stack_equals_sampling(position, yaw):
    rays = parallel_rays(yaw, position)

    def profile(z):
        return 0.1 * z, 1.0 - 0.05 * z, 3.0 + 0.2 * z, 2.0 + 0.0 * z

    def contains(x, y, z):
        cx, cy, a, b = profile(z)
        return (((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1.0) & (z > -6.0) & (z < 5.0)

    image = full(rays, stack(rays, -6.0, 5.0, lambda rows: profile(rays.up[rows])))
    inner = np.abs(rays.up + 0.5) < 4.5  # rows that the ends do not touch
    assert np.abs(image - sampled(rays, contains))[inner].max() < 2.5 * STEP
    assert not image[rays.up > 6.0].any()


def test_filled_corners_are_the_quartic_curve():
    rays = parallel_rays()
    span = stack(rays, -5.0, 5.0, lambda rows: (0.0, 0.0, 4.0, 3.0), fill=np.ones(24))
    u = np.clip(rays.sideways / 4.0, -1.0, 1.0)
    middle = full(rays, span)[12]
    assert np.allclose(middle, 6.0 * np.sqrt(1.0 - u**4), atol=1e-4)


@pytest.mark.parametrize("yaw", [0.0, 0.3, -0.3])
@pytest.mark.parametrize("position", ["PA", "LATERAL"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_beyond_equals_sampling(position, yaw, sign):
    rays = parallel_rays(yaw, position)
    ball = in_ellipsoid((0.0, 0.0, 0.0), (4.0, 4.0, 4.0))
    half = ellipsoid(rays, (0.0, 0.0, 0.0), (4.0, 4.0, 4.0)).beyond(rays, sign, sign * 0.83)
    expected = sampled(rays, lambda x, y, z: ball(x, y, z) & (sign * x > 0.83))
    off = np.abs(full(rays, half) - expected)
    assert np.quantile(off, 0.99) < 2.5 * STEP  # a ray inside the border's plane may fall to either side


@pytest.mark.parametrize("position", ["PA", "LATERAL"])
def test_free_length_equals_sampling(position):
    rays = parallel_rays(0.1, position)
    bodies = [
        ((0, 0, 0), (6, 5, 7)),
        ((2, 1, -3), (3, 4, 3)),
        ((3, -1, -1), (2, 3, 4)),
        ((-4, 0, 5), (3, 3, 3)),
    ]
    spans = [ellipsoid(rays, *body) for body in bodies]
    image = np.zeros((24, 24), np.float32)
    add_free_length(image, spans[0], tuple(spans[1:]), 2.0)
    inside = [in_ellipsoid(*body) for body in bodies]

    def contains(x, y, z):
        return inside[0](x, y, z) & ~inside[1](x, y, z) & ~inside[2](x, y, z) & ~inside[3](x, y, z)

    assert np.abs(image - 2.0 * sampled(rays, contains)).max() < 6 * STEP


def test_hull_of_touching_bodies_is_their_union():
    rays = parallel_rays()
    bodies = [((0, 0, 0), (2, 3, 5)), ((2, 2, -1), (4, 3, 3))]
    image = full(rays, hull(rays, *(ellipsoid(rays, *body) for body in bodies)))
    inside = [in_ellipsoid(*body) for body in bodies]
    expected = sampled(rays, lambda x, y, z: inside[0](x, y, z) | inside[1](x, y, z))
    assert np.abs(image - expected).max() < 4 * STEP


def test_enlargement_follows_depth():
    view = build_viewpoint("AP", 0.0, 100.0, 40.0, (0.0, 0.0), 400)
    rays = cast_rays(view)
    front, back = (
        full(rays, ellipsoid(rays, (0.0, y, 0.0), (5.0, 5.0, 5.0))).any(0).sum() / view.pixels_per_cm
        for y in (10.0, -10.0)
    )
    assert front == pytest.approx(10.0 / 0.9, abs=0.2)
    assert back == pytest.approx(10.0 / 1.1, abs=0.2)
