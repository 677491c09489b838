"""The three squares that a map and a box live in, and the ways between them.

    model     what the encoder looks at, `image_size` pixels wide; a map lies on its grid and covers all of it
    store     the stored picture, `store_size` pixels wide, in which boxes.parquet is written
    original  the pixels of the file, `width` by `height`, as views.parquet says of each view

Coordinates are those of edges, x to the right and y down: the first pixel reaches from 0 to 1, and the
corners x1, y1 of a box are exclusive.

Letters: N maps, r and c rows and columns of a grid, S `store_size`, B boxes.
"""

import dataclasses
import functools

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lib.data.augment import check_evaluation

GAUSSIAN_REACH = 4.0
"""Deviations after which a Gaussian is cut off, as in `scipy.ndimage.gaussian_filter`."""


@dataclasses.dataclass(frozen=True)
class Frame:
    """Where the model's input lies on the stored picture.

    Attributes:
        store_size: side of the stored square, pixels.
        image_size: side of the model's input, pixels.
        evaluation: "crop", the middle `image_size` stored pixels, or "whole", the stored square resized; see
            `lib.data.augment.AugmentConfig`.

    Raises:
        ValueError: another evaluation, or a crop that is larger than the picture.
    """

    store_size: int
    image_size: int
    evaluation: str = "crop"

    def __post_init__(self):
        check_evaluation(self.evaluation)
        if self.evaluation == "crop" and self.image_size > self.store_size:
            raise ValueError(
                f"A crop of {self.image_size} px does not fit pictures of {self.store_size} px; take a store "
                "with a larger image size."
            )

    @property
    def start(self) -> int:
        """Stored pixels left of, and above, what the model sees."""
        return (self.store_size - self.image_size) // 2 if self.evaluation == "crop" else 0

    @property
    def side(self) -> int:
        """Stored pixels along a side of what the model sees."""
        return self.image_size if self.evaluation == "crop" else self.store_size

    @property
    def window(self) -> np.ndarray:
        """What the model sees, as a box of the stored picture: `[1, 4]`."""
        stop = self.start + self.side
        return np.array([[self.start, self.start, stop, stop]], np.float64)

    def to_store(self, maps: ArrayLike, smoothing: float = 0.0) -> np.ndarray:
        """Lay maps over the stored picture: bilinear between the middles of the places, zero beside the crop.

        Interpolation and smoothing are linear and work along rows and columns apart, so both are one small
        matrix on each side of the map: a few ms at 1,024 px, where a Gaussian over all pixels takes 100.

        Args:
            maps: `[N, r, c]`, an array or a tensor on the CPU.
            smoothing: deviation of a Gaussian over the result, stored pixels; at the edge of what the model
                sees, the last value goes on.

        Returns:
            float32 `[N, S, S]`.

        Raises:
            ValueError: a smoothing below 0.
        """
        if smoothing < 0:
            raise ValueError(f"smoothing {smoothing} is negative; give a deviation in stored pixels, or 0.")
        maps = np.asarray(maps, np.float32)
        rows, columns = (_spread(count, self.side, float(smoothing)) for count in maps.shape[1:])
        laid = np.zeros((len(maps), self.store_size, self.store_size), np.float32)
        inside = slice(self.start, self.start + self.side)
        laid[:, inside, inside] = rows @ maps @ columns.T
        return laid

    def to_model(self, boxes: ArrayLike) -> np.ndarray:
        """Bring boxes of the stored picture, float `[B, 4]`, onto the model's input; none is cut off."""
        return (np.asarray(boxes, np.float64) - self.start) * (self.image_size / self.side)

    def from_model(self, boxes: ArrayLike) -> np.ndarray:
        """Bring boxes of the model's input, float `[B, 4]`, onto the stored picture."""
        return np.asarray(boxes, np.float64) * (self.side / self.image_size) + self.start


def to_original(boxes: ArrayLike, views: pd.DataFrame) -> np.ndarray:
    """Bring boxes of stored pictures back to the pixels of their files.

    Args:
        boxes: float `[B, 4]`: x0, y0, x1, y1.
        views: the row of `Store.views` of each box, `[B]` (one view for all: `views.iloc[[row] * B]`).

    Returns:
        float64 `[B, 4]`, cut off at the edges of the file.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    size = _both(views, "width", "height")
    corners = (boxes - _both(views, "pad_x", "pad_y")) * (
        size / _both(views, "content_width", "content_height")
    )
    return corners.clip(0, size)


def from_original(boxes: ArrayLike, views: pd.DataFrame) -> np.ndarray:
    """Bring boxes of files onto their stored pictures; arguments as in `to_original`."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    factor = _both(views, "content_width", "content_height") / _both(views, "width", "height")
    return boxes * factor + _both(views, "pad_x", "pad_y")


def _both(views: pd.DataFrame, along_x: str, along_y: str) -> np.ndarray:
    """Return two columns as x, y, x, y: float64 [B, 4]."""
    return views[[along_x, along_y, along_x, along_y]].to_numpy(np.float64)


@functools.lru_cache(maxsize=64)
def _spread(count: int, side: int, deviation: float) -> np.ndarray:
    """Return the matrix [side, count] that spreads `count` values over `side` pixels and smooths them."""
    places = (np.arange(side) + 0.5) * count / side - 0.5  # of the pixels, counted in values
    places = places.clip(0, count - 1)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, count - 1)
    matrix = np.zeros((side, count))
    matrix[np.arange(side), below] = 1 - (places - below)
    matrix[np.arange(side), above] += places - below
    reach = round(GAUSSIAN_REACH * deviation)
    if reach:
        steps = np.arange(-reach, reach + 1)
        weights = np.exp(-0.5 * (steps / deviation) ** 2)
        longer = np.pad(matrix, ((reach, reach), (0, 0)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(longer, len(steps), axis=0)  # [side, count, steps]
        matrix = windows @ (weights / weights.sum())
    return matrix.astype(np.float32)
