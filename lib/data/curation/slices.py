"""Slices of a CT among radiographs: an oval body with air all around it."""

import numpy as np
from scipy import ndimage

from lib.data.curation.thumbnail import shrink

SIDE = 48
"""A picture is looked at with this many pixels a side."""

TISSUE = 0.15
"""Brightness, between air (2 % of the pixels are darker) and bone (98 %), from which on it is tissue."""

RIM = 0.03
"""A body touches at most this share of the edge. Nearly all radiographs cut through the patient."""

CLUTTER = 0.2
"""Share of the edge that may be bright for other reasons: a table, letters. Most radiographs end here."""

OVAL = 0.88
"""Smallest overlap of the body with an ellipse of its own moments ..."""

EXTENT = (0.60, 0.87)
"""... and share that it fills of its own rectangle. An ellipse fills 0.785; a collimated picture more."""

SMALLEST = 0.15
"""Share of the picture; smaller things are markers, not bodies."""


def oval_in_air(picture: np.ndarray) -> float:
    """Return how well a picture fits an oval body in air: the overlap with an ellipse, 0 where it is none.

    Args:
        picture: uint8 `[height, width]`, without padding.
    """
    small = shrink(picture, SIDE).astype(np.float32)
    low, high = np.quantile(small, (0.02, 0.98))
    tissue = small > low + TISSUE * (high - low)
    if _edge_share(tissue) > CLUTTER:
        return 0.0
    parts, count = ndimage.label(ndimage.binary_opening(tissue))
    if count == 0:
        return 0.0
    body = ndimage.binary_fill_holes(parts == 1 + np.bincount(parts.ravel())[1:].argmax())
    rows, columns = np.nonzero(body)
    extent = len(rows) / ((np.ptp(rows) + 1) * (np.ptp(columns) + 1))
    if _edge_share(body) > RIM or body.mean() < SMALLEST or not EXTENT[0] <= extent <= EXTENT[1]:
        return 0.0
    overlap = _overlap_with_ellipse(body, rows, columns)
    return overlap if overlap >= OVAL else 0.0


def _edge_share(mask: np.ndarray) -> float:
    """Return how much of the edge of a picture is true."""
    return float(np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean())


def _overlap_with_ellipse(body: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> float:
    """Return intersection over union of a body and the ellipse that has its moments."""
    centre = np.array([rows.mean(), columns.mean()])
    inverse = np.linalg.inv(np.cov(np.stack([rows, columns])))
    away = np.stack(np.mgrid[: len(body), : len(body)], axis=-1) - centre
    ellipse = np.einsum("yxi,ij,yxj->yx", away, inverse, away) <= 4  # two deviations are its half axes
    return float((ellipse & body).sum() / (ellipse | body).sum())
