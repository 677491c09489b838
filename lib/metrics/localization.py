"""What a map is worth against the boxes of a reader, without any threshold of its own.

Letters: S side of a picture, T thresholds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

MAP_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Over which `map_iou` is averaged, as for the phrase grounding of MS-CXR."""


def draw_boxes(boxes: ArrayLike, size: int) -> np.ndarray:
    """Say which pixels have their middle in one of the boxes: bool `[size, size]`."""
    middles = np.arange(size) + 0.5
    inside = np.zeros((size, size), bool)
    for x0, y0, x1, y1 in np.asarray(boxes, np.float64).reshape(-1, 4):
        inside |= ((y0 <= middles) & (middles < y1))[:, None] & ((x0 <= middles) & (middles < x1))
    return inside


def pointing(values: ArrayLike, inside: np.ndarray) -> float:
    """Play the pointing game: does the maximum of a map `[S, S]` lie inside?

    Returns:
        1 or 0; where several pixels are maximal, the share of them that lie inside. A map of zeros points
        nowhere: 0.
    """
    values = np.asarray(values)
    peak = values.max()
    return float(inside[values == peak].mean()) if peak > 0 else 0.0


def contrast_to_noise(values: ArrayLike, inside: np.ndarray) -> float:
    """Compute the contrast-to-noise ratio of a map `[S, S]`.

    That is (mean inside - mean outside) / sqrt(variance inside + variance outside). It keeps its sign: a map
    that is dark on the finding has a negative one.

    Returns:
        0 for a map without any contrast; NaN where no pixel is inside or none outside, and for a map that
        has one value inside and another one outside.
    """
    values = np.asarray(values, np.float64)
    if inside.all() or not inside.any():
        return np.nan
    within, beside = values[inside], values[~inside]
    contrast, noise = within.mean() - beside.mean(), np.sqrt(within.var() + beside.var())
    if noise == 0:
        return 0.0 if contrast == 0 else np.nan
    return float(contrast / noise)


def map_iou(values: ArrayLike, inside: np.ndarray, thresholds: Sequence[float] = MAP_THRESHOLDS) -> float:
    """Compute the mean over thresholds of the IoU of the pixels that reach one with the pixels inside (mIoU).

    Args:
        values: a map, 0..1, `[S, S]`.
        inside: of the boxes, `[S, S]`.
        thresholds: above 0.
    """
    reached = np.asarray(values)[None] >= np.reshape(thresholds, (-1, 1, 1))  # [T, S, S]
    union = (reached | inside).sum((1, 2))
    return float(((reached & inside).sum((1, 2)) / np.maximum(union, 1)).mean())
