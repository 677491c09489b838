"""Bones and vessels: thin bent tubes, spread over the pixels that they cover with their mass kept."""

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np

from lib.data.phantom.picture.viewpoint import Viewpoint

HOLLOW = (0.75, 1.3, 0.95, 0.95, 1.3, 0.75)
"""How a bone's mass is spread across it: the cortex shows as two bright rims."""
SOLID = (0.6, 1.05, 1.35, 1.35, 1.05, 0.6)
"""The same for a filled round tube."""
SPACING = 1.15
"""Pixels between samples along and across a tube."""
BLOCK = 16384
"""Samples that are drawn at a time, so that they stay in the cache."""


@dataclasses.dataclass(frozen=True)
class Tubes:
    """Tubes of equally many nodes.

    Attributes:
        points: centre lines, float32 [tubes, nodes, 3], cm.
        heights: half-extent along z, float32 [tubes, nodes], cm.
        widths: half-extent in the horizontal plane, float32 [tubes, nodes], cm.
        mass: cm of water times square cm around each node, float32 [tubes, nodes].
        across: `HOLLOW` or `SOLID`.
    """

    points: np.ndarray
    heights: np.ndarray
    widths: np.ndarray
    mass: np.ndarray
    across: tuple[float, ...]


def make_tubes(points: np.ndarray, heights, widths, density, across: tuple[float, ...]) -> Tubes:
    """Weigh tubes.

    Args:
        points: centre lines [tubes, nodes, 3], cm.
        heights: half-extent along z, broadcast to [tubes, nodes].
        widths: half-extent in the horizontal plane, broadcast to [tubes, nodes].
        density: cm of water per cm, broadcast to [tubes, nodes].
        across: `HOLLOW` or `SOLID`.
    """
    points = np.asarray(points, np.float32)
    step = _slope(points)
    heights, widths, density = (
        np.broadcast_to(np.asarray(part, np.float32), points.shape[:2]) for part in (heights, widths, density)
    )
    mass = np.sqrt((step * step).sum(-1)) * heights * widths * density * np.float32(np.pi)
    return Tubes(points, heights, widths, mass, across)


def join_tubes(parts: Sequence[Tubes]) -> Tubes:
    """Put tubes of equally many nodes together; the first part's `across` holds for all."""
    names = ("points", "heights", "widths", "mass")
    return Tubes(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in names), parts[0].across
    )


def pick_tubes(tubes: Tubes, chosen: np.ndarray) -> Tubes:
    """Return some of the tubes, chosen by a mask [tubes]."""
    return Tubes(
        *(part[chosen] for part in (tubes.points, tubes.heights, tubes.widths, tubes.mass)), tubes.across
    )


def draw_tubes(image: np.ndarray, view: Viewpoint, tubes: Tubes) -> None:
    """Add tubes to a picture of path lengths.

    Args:
        image: cm of water, float32 [S, S]; changed in place.
        view: its geometry.
        tubes: what to add.
    """
    scale = view.pixels_per_cm
    x, y, z = tubes.points[..., 0], tubes.points[..., 1], tubes.points[..., 2]
    enlarge = view.distance / (view.distance - view.towards[0] * x - view.towards[1] * y)  # [tubes, nodes]
    u = ((view.right[0] * x + view.right[1] * y) * enlarge - view.centre[0]) * scale + (0.5 * view.size - 0.5)
    v = (view.centre[1] - z * enlarge) * scale + (0.5 * view.size - 0.5)
    du, dv = _slope(u), _slope(v)
    norm = np.sqrt(du * du + dv * dv) + 1e-3
    nu, nv = -dv / norm, du / norm  # across the tube in the picture
    half = np.sqrt((tubes.heights * nv) ** 2 + (tubes.widths * nu) ** 2) * scale
    fast = int(0.96 * (len(norm) - 1))
    refine, share = _refine(np.partition(norm, fast, axis=0)[fast])  # [nodes, samples], [samples]
    stacked = np.stack((u, v, half * nu, half * nv, tubes.mass)) @ refine  # [5, tubes, samples]
    stacked[4] *= share * (scale * scale)
    offsets, shares = _spread(tubes.across, max(1, round(2.0 * float(half.max()) / SPACING)))
    samples = stacked.reshape(5, -1)
    for start in range(0, samples.shape[1], max(1, BLOCK // len(offsets))):
        u, v, nu, nv, mass = samples[:, start : start + max(1, BLOCK // len(offsets))]
        _splat(image, u + offsets * nu, v + offsets * nv, mass * shares)  # [places, samples]


def _splat(image: np.ndarray, u: np.ndarray, v: np.ndarray, mass: np.ndarray) -> None:
    """Share masses at columns `u` and rows `v` among the four nearest pixels; those outside are lost."""
    size = image.shape[0]
    inside = (u > 0) & (u < size - 1.01) & (v > 0) & (v < size - 1.01)
    mass = mass * inside
    u, v = np.clip(u, 0.0, size - 1.01), np.clip(v, 0.0, size - 1.01)
    column, row = u.astype(np.intp), v.astype(np.intp)
    u -= column
    v -= row
    row *= size
    row += column
    lower = mass * v
    mass -= lower
    right, lower_right = mass * u, lower * u
    flat, row = image.reshape(-1), row.ravel()
    np.add.at(flat, row, (mass - right).ravel())
    np.add.at(flat[1:], row, right.ravel())
    np.add.at(flat[size:], row, (lower - lower_right).ravel())
    np.add.at(flat[size + 1 :], row, lower_right.ravel())


def _refine(speed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place samples so that tubes of this speed have them `SPACING` apart.

    Args:
        speed: pixels per node, [nodes].

    Returns:
        The linear interpolation of values at the nodes, float32 [nodes, samples], and how many nodes each
        sample stands for, float32 [samples].
    """
    nodes = len(speed)
    speed = np.maximum(speed, 0.15 * speed.max() + 1e-3)
    way = np.zeros(nodes)
    np.cumsum(0.5 * (speed[1:] + speed[:-1]), out=way[1:])
    samples = max(4, math.ceil(way[-1] / SPACING))
    borders = np.interp(np.linspace(0.0, way[-1], samples + 1), way, np.arange(nodes))
    at = 0.5 * (borders[1:] + borders[:-1])
    weights = np.maximum(0.0, 1.0 - np.abs(at - np.arange(nodes)[:, None]))
    return weights.astype(np.float32), (borders[1:] - borders[:-1]).astype(np.float32)


@functools.lru_cache(maxsize=64)
def _spread(across: tuple[float, ...], places: int) -> tuple[np.ndarray, np.ndarray]:
    """Return even places across a tube, -1 to 1, and the share of the mass at each, [places, 1]."""
    offsets = (np.arange(places) + 0.5) * (2.0 / places) - 1.0
    shares = np.interp(offsets, np.linspace(-0.9, 0.9, len(across)), across)
    return offsets.astype(np.float32)[:, None], (shares / shares.sum()).astype(np.float32)[:, None]


def _slope(values: np.ndarray) -> np.ndarray:
    """Return the step per node along axis 1."""
    slope = np.empty_like(values)
    slope[:, 1:-1] = values[:, 2:] - values[:, :-2]
    slope[:, 1:-1] *= 0.5
    slope[:, 0] = values[:, 1] - values[:, 0]
    slope[:, -1] = values[:, -1] - values[:, -2]
    return slope
