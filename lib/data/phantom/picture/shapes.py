"""Convex bodies crossed by parallel rays: where each ray enters and leaves, in closed form.

A line integral is a length of an interval, a cut of two bodies is the overlap of two intervals, so
pictures are exact at every resolution and no volume is ever sampled.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from lib.data.phantom.picture.viewpoint import Viewpoint

Point = tuple[float, float, float]


@dataclasses.dataclass(frozen=True)
class Rays:
    """The pixel grid of one view.

    Attributes:
        view: its geometry.
        sideways: cm of each column at the middle of the patient, float32 [S].
        up: cm of each row at the middle of the patient, float32 [S].
    """

    view: Viewpoint
    sideways: np.ndarray
    up: np.ndarray

    def window(self, low: float, high: float, left: float, right: float) -> tuple[slice, slice]:
        """Return the rows and columns that cover cm [low, high] x [left, right], clipped to the picture."""
        size, scale = self.view.size, self.view.pixels_per_cm
        top = math.floor((self.view.centre[1] - high) * scale + 0.5 * size)
        bottom = math.ceil((self.view.centre[1] - low) * scale + 0.5 * size)
        start = math.floor((left - self.view.centre[0]) * scale + 0.5 * size)
        stop = math.ceil((right - self.view.centre[0]) * scale + 0.5 * size)

        def clip(pixel: int) -> int:
            return min(size, max(0, pixel))

        return slice(clip(top), clip(bottom)), slice(clip(start), clip(stop))


@dataclasses.dataclass(frozen=True)
class Span:
    """Where the rays of a window are inside a body.

    Attributes:
        window: rows and columns of the picture.
        near: depth of entry in cm, float32 [rows, columns].
        far: depth of exit; not above `near` where the ray misses the body.
    """

    window: tuple[slice, slice]
    near: np.ndarray
    far: np.ndarray

    def length(self) -> np.ndarray:
        """Return the path length in cm inside the body, float32 [rows, columns]."""
        return np.maximum(self.far - self.near, 0.0)

    def meet(self, other: "Span") -> "Span":
        """Return the span of the common part of two bodies."""
        window = tuple(_overlap(mine, others) for mine, others in zip(self.window, other.window, strict=True))
        mine, others = self._inside(window), other._inside(window)
        return Span(
            window,
            np.maximum(self.near[mine], other.near[others]),
            np.minimum(self.far[mine], other.far[others]),
        )

    def beyond(self, rays: Rays, sign: float, border: float) -> "Span":
        """Return the part where `sign * x > sign * border`.

        Args:
            rays: of the view.
            sign: +1.0 for the patient's left of the border, -1.0 for the right.
            border: x of the border, cm.
        """
        slope = rays.view.towards[0]
        slope = math.copysign(max(abs(slope), 1e-4), slope)
        crossing = (border - rays.view.right[0] * rays.sideways[None, self.window[1]]) / slope
        if sign * slope > 0:
            return Span(self.window, np.maximum(self.near, crossing), self.far)
        return Span(self.window, self.near, np.minimum(self.far, crossing))

    def _inside(self, window: tuple[slice, slice]) -> tuple[slice, slice]:
        return tuple(
            slice(part.start - mine.start, part.stop - mine.start)
            for part, mine in zip(window, self.window, strict=True)
        )


def cast_rays(view: Viewpoint) -> Rays:
    """Return the pixel grid of a view."""
    steps = (np.arange(view.size, dtype=np.float32) + 0.5 - 0.5 * view.size) / np.float32(view.pixels_per_cm)
    return Rays(view, view.centre[0] + steps, view.centre[1] - steps)


def ellipsoid(rays: Rays, centre: Point, radii: Point, tilt: float = 0.0, swing: float = 0.0) -> Span:
    """Cut an ellipsoid.

    Args:
        rays: of the view.
        centre: in patient coordinates, cm.
        radii: half-axes before turning, along x, y and z, cm.
        tilt: radians that its x axis is turned down on the patient's left.
        swing: radians that its z axis leans to the front.
    """
    view = rays.view
    (rx, ry), (tx, ty) = view.right, view.towards
    cos, sin, cos2, sin2 = math.cos(tilt), math.sin(tilt), math.cos(swing), math.sin(swing)
    axes = ((cos, 0.0, -sin), (-sin * sin2, cos2, -cos * sin2), (sin * cos2, sin2, cos * cos2))
    uu = uv = vv = uw = vw = ww = 0.0  # second moments over the picture's axes and depth
    for (x, y, z), radius in zip(axes, radii, strict=True):
        u, v, w = radius * (rx * x + ry * y), radius * z, radius * (tx * x + ty * y)
        uu, uv, vv = uu + u * u, uv + u * v, vv + v * v
        uw, vw, ww = uw + u * w, vw + v * w, ww + w * w
    depth = view.towards[0] * centre[0] + view.towards[1] * centre[1]
    side = view.right[0] * centre[0] + view.right[1] * centre[1]
    enlarge = view.magnification(depth)
    wide, high = math.sqrt(uu), math.sqrt(vv)
    window = rays.window(
        (centre[2] - high) * enlarge,
        (centre[2] + high) * enlarge,
        (side - wide) * enlarge,
        (side + wide) * enlarge,
    )
    u = (rays.sideways[window[1]] / enlarge - side)[None, :]  # [1, columns]
    v = (rays.up[window[0]] / enlarge - centre[2])[:, None]  # [rows, 1]
    det = uu * vv - uv * uv
    slope_u, slope_v = (uw * vv - vw * uv) / det, (vw * uu - uw * uv) / det
    left = ww - uw * slope_u - vw * slope_v  # variance of depth that the pixel does not explain
    reach = (1.0 - (vv / det) * u * u) - (uu / det) * v * v
    if abs(uv) > 1e-6:
        reach += (2.0 * uv / det * u) * v
    half = np.sqrt(np.maximum(reach, 0.0) * left)
    middle = depth + slope_u * u + slope_v * v
    return Span(window, middle - half, middle + half)


def stack(rays: Rays, low: float, high: float, section: Callable, *, fill: np.ndarray | None = None) -> Span:
    """Cut a body whose horizontal sections are ellipses.

    Args:
        rays: of the view.
        low: its lowest height, cm.
        high: its largest height, cm.
        section: rows of the picture -> centre x, centre y, half-width, half-depth, each [rows] or float.
        fill: how far sections have filled corners, 0 an ellipse to 1 nearly a rectangle, [S].
    """
    view = rays.view
    (rx, ry), (tx, ty) = view.right, view.towards
    rows, _ = rays.window(low, high, 0.0, 0.0)
    parts = np.empty((4, rows.stop - rows.start), np.float32)
    for part, value in zip(parts, section(rows), strict=True):
        part[:] = value
    x, y = parts[:2]
    a, b = np.maximum(parts[2:], 1e-3, out=parts[2:])
    side, middle = rx * x + ry * y, tx * x + ty * y  # [rows]
    uu = rx * rx * a * a + ry * ry * b * b
    uw = rx * tx * a * a + ry * ty * b * b
    wide = np.sqrt(uu)
    bounds = (side - wide).min(initial=0.0), (side + wide).max(initial=0.0)
    _, columns = rays.window(0.0, 0.0, *bounds)
    u = (rays.sideways[None, columns] - side[:, None]) * (1.0 / wide)[:, None]  # [rows, columns]
    half = u * u
    if fill is not None:
        half *= 1.0 + fill[rows, None] * (half - 1.0)
    np.subtract(1.0, half, out=half)
    np.maximum(half, 0.0, out=half)
    np.sqrt(half, out=half)
    half *= (a * b / wide)[:, None]
    centre = middle[:, None] + (uw / wide)[:, None] * u
    return Span((rows, columns), centre - half, centre + half)


def hull(rays: Rays, *spans: Span) -> Span:
    """Join bodies that overlap along every ray that crosses more than one of them."""
    size = rays.view.size
    near = np.full((size, size), 1e3, np.float32)
    far = np.full((size, size), -1e3, np.float32)
    for span in spans:
        missed = (span.far <= span.near) * np.float32(2e3)
        np.minimum(near[span.window], span.near + missed, out=near[span.window])
        np.maximum(far[span.window], span.far - missed, out=far[span.window])
    rows = slice(min(span.window[0].start for span in spans), max(span.window[0].stop for span in spans))
    columns = slice(min(span.window[1].start for span in spans), max(span.window[1].stop for span in spans))
    return Span((rows, columns), near[rows, columns], far[rows, columns])


def add_free_length(image: np.ndarray, span: Span, blockers: tuple[Span, ...], factor: float) -> None:
    """Add `factor` times the path length through a body outside all blockers, exactly.

    Args:
        image: float32 [S, S]; changed in place.
        span: the body.
        blockers: what takes its room, may overlap.
        factor: cm of water per cm.
    """
    if span.near.size == 0:
        return
    image[span.window] += factor * span.length()
    for place, blocker in enumerate(blockers):
        add_free_length(image, span.meet(blocker), blockers[:place], -factor)


def _overlap(a: slice, b: slice) -> slice:
    start = max(a.start, b.start)
    return slice(start, max(start, min(a.stop, b.stop)))
