"""Thumbnails: what is left of a picture for the question whether it looks like the others.

Letters: n pictures, T side of a thumbnail.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image

SIDE = 16
"""Pixels a side. Where lungs and diaphragm lie is plain at this size, and 400,000 of them are 100 MB."""


MOST = 5_000
"""Pictures that anything is fitted to; more do not change it."""

BLOCK = 2048
"""Pictures whose thumbnails are in floating point at a time: many are kept, as bytes."""


def content(picture: np.ndarray, pad_x: int, pad_y: int, width: int, height: int) -> np.ndarray:
    """Return the part of a stored picture that is no padding."""
    return picture[pad_y : pad_y + height, pad_x : pad_x + width]


def shrink(picture: np.ndarray, side: int) -> np.ndarray:
    """Average a picture to a square, whatever its aspect, uint8 `[side, side]`."""
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BOX))


def standardise(thumbnails: np.ndarray) -> np.ndarray:
    """Return thumbnails uint8 `[n, T, T]` as float32 `[n, T * T]` of mean 0 and length 1."""
    flat = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1.0)


def fitting_rows(folds: np.ndarray, fold: int) -> np.ndarray:
    """Return up to `MOST` places outside of a fold, evenly spread: what its judge is fitted to."""
    outside = np.flatnonzero(folds != fold)
    return outside[:: -(-len(outside) // MOST)]


def fold_blocks(
    thumbnails: np.ndarray, folds: np.ndarray, fold: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the places inside of a fold and their standardised thumbnails, a block at a time."""
    inside = np.flatnonzero(folds == fold)
    for start in range(0, len(inside), BLOCK):
        places = inside[start : start + BLOCK]
        yield places, standardise(thumbnails[places])
