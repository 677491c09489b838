"""From a map to boxes: a threshold, connected regions, and the box around each.

Letters: N maps, S side of a stored picture, B boxes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage


class MapBoxes(NamedTuple):
    """Boxes of one map, the surest first."""

    corners: np.ndarray  # float64 [B, 4]: x0, y0, x1, y1, the last two exclusive
    confidence: np.ndarray  # float64 [B], largest value of the map inside the region


def scale_maps(maps: ArrayLike) -> np.ndarray:
    """Divide each map by its largest value; one that is zero everywhere stays so.

    Args:
        maps: at least 0, `[..., r, c]`.

    Returns:
        float32, the same shape, 0..1.
    """
    maps = np.asarray(maps, np.float32)
    peaks = maps.max((-2, -1), keepdims=True)
    return maps / np.where(peaks > 0, peaks, 1)


def boxes_of_map(values: ArrayLike, threshold: float, *, min_area: float = 0.0) -> MapBoxes:
    """Find the regions of a map that reach a threshold, and put a box around each (REFERS, Figure 3).

    Places that touch at a corner belong to one region. Smooth a map before this (`Frame.to_store`), and scale
    it after the smoothing, so that a threshold means the same for all.

    Args:
        values: one map, 0..1, `[S, S]`.
        threshold: above 0, at most 1.
        min_area: smallest region that counts, pixels.

    Returns:
        No box for a map of zeros.

    Raises:
        ValueError: a threshold outside of these limits.
    """
    check_threshold(threshold)
    values = np.asarray(values)
    regions, _ = ndimage.label(values >= threshold, structure=np.ones((3, 3)))
    corners, confidence = [], []
    for number, (rows, columns) in enumerate(ndimage.find_objects(regions), start=1):
        inside = regions[rows, columns] == number
        if inside.sum() >= min_area:
            corners.append((columns.start, rows.start, columns.stop, rows.stop))
            confidence.append(values[rows, columns][inside].max())
    order = np.argsort(confidence)[::-1]
    return MapBoxes(
        np.array(corners, np.float64).reshape(-1, 4)[order], np.array(confidence, np.float64)[order]
    )


def check_threshold(threshold: float) -> None:
    """Raise the ValueError that says what a threshold may be."""
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold {threshold} is not above 0 and at most 1, a share of the map's maximum.")
