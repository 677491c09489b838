"""How much boxes of a picture overlap: areas of unions, exactly and without drawing them.

Boxes are rows x0, y0, x1, y1 in pixels, the last two exclusive. Where a reader, or a map, has several boxes
of one finding, what counts is the area that they cover together.

Letters: A and B boxes of two sides, T values of an IoU.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class CoveredAreas(NamedTuple):
    """Areas that two sets of boxes cover, square pixels."""

    first: float
    second: float
    both: float

    @property
    def iou(self) -> float:
        """Intersection over union; 0 where neither covers anything."""
        return _share(self.both, self.first + self.second - self.both)

    @property
    def iobb(self) -> float:
        """Intersection over the area of the first, the found boxes (ChestX-ray8, 4.3); 0 without any."""
        return _share(self.both, self.first)


def covered_areas(first: ArrayLike, second: ArrayLike) -> CoveredAreas:
    """Compute the areas that boxes `[A, 4]` and `[B, 4]` cover, and what both cover."""
    first, second = _boxes(first), _boxes(second)
    corners = np.concatenate([first, second])
    # Between neighbouring edges a box covers all or nothing; edges that coincide have nothing between them.
    xs, ys = np.sort(corners[:, 0::2], axis=None), np.sort(corners[:, 1::2], axis=None)
    cells = np.diff(ys)[:, None] * np.diff(xs)
    by_first, by_second = (_covered(boxes, xs, ys) for boxes in (first, second))
    return CoveredAreas(*(float(cells[one].sum()) for one in (by_first, by_second, by_first & by_second)))


def pairwise_iou(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Return the IoU of each box `[A, 4]` with each of `[B, 4]`: `[A, B]`."""
    first, second = _boxes(first)[:, None], _boxes(second)[None]
    low, high = np.maximum(first[..., :2], second[..., :2]), np.minimum(first[..., 2:], second[..., 2:])
    both = (high - low).clip(0).prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (first, second)]
    return both / (areas[0] + areas[1] - both)


def best_iou(first: ArrayLike, second: ArrayLike) -> float:
    """Return the largest IoU of a box with one of the other side; 0 where a side has none."""
    return float(pairwise_iou(first, second).max(initial=0.0))


def count_matches(found: ArrayLike, marked: ArrayLike, ious: Sequence[float]) -> np.ndarray:
    """Count found boxes that match a marked one, each marked one matched once, as detectors are judged.

    Args:
        found: `[A, 4]`, the surest first; each takes the free marked box that it overlaps most.
        marked: `[B, 4]`.
        ious: what a match needs.

    Returns:
        int64 `[T]`. Divided by A the precision of a picture, by B the recall.
    """
    overlaps = pairwise_iou(found, marked)
    counts = np.zeros(len(ious), np.int64)
    for place, needed in enumerate(ious):
        free = np.ones(overlaps.shape[1], bool)
        for row in overlaps:
            rest = np.where(free, row, -1.0)
            if rest.size and rest.max() >= needed:
                free[rest.argmax()] = False
                counts[place] += 1
    return counts


def _boxes(boxes: ArrayLike) -> np.ndarray:
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    if (boxes[:, 2:] <= boxes[:, :2]).any():
        wrong = boxes[(boxes[:, 2:] <= boxes[:, :2]).any(1)][0].tolist()
        raise ValueError(f"Box {wrong} has no area; corners are x0, y0, x1, y1 with x0 < x1 and y0 < y1.")
    return boxes


def _covered(boxes: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Say which cells between the edges lie in a box: bool [ys - 1, xs - 1]."""
    across = (boxes[:, :1] <= xs[:-1]) & (xs[1:] <= boxes[:, 2:3])  # [boxes, xs - 1]
    down = (boxes[:, 1:2] <= ys[:-1]) & (ys[1:] <= boxes[:, 3:])
    return (down[:, :, None] & across[:, None]).any(0)


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
