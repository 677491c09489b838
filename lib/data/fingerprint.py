"""Which pictures show the same: fingerprints that survive another encoding, size or mirror.

Letters: N pictures, S side of a stored picture, K side of a fingerprint.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F

SIDE = 48
"""A picture is compared at this many pixels a side ..."""

RIM = 5
"""... without so many at each edge, where collimators and padding draw lines that all pictures share."""

WINDOW = 5
"""Window, in these pixels, whose mean and deviation are taken away: chests agree in what is coarse and in
their strong edges, copies in the rest too."""

NOISE = 3.0
"""Grey values that are added to the deviation, so that flat places do not count."""

SAME = 0.93
"""Correlation of fingerprints from which on two pictures count as copies. Of 2,500 Open-i pictures no two of
different studies come above 0.68, of as many phantom pictures none above 0.89; copies saved as JPEG at 0.8 to
1.6 times the size are all above 0.97."""

BLOCK = 2048
"""Pictures compared with each other at a time."""


def fingerprints(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Compute the fingerprints of some pictures of a store.

    Args:
        images: uint8 `[N, S, S]`, may be on disk.
        rows: which of them, ascending.

    Returns:
        float16 `[len(rows), K * K]`, each of mean 0 and length 1, so that their products are correlations.
        All zero where a picture has no structure: it is like nothing.
    """
    side = SIDE - 2 * RIM
    parts = [np.empty((0, side**2), np.float16)]
    for start in range(0, len(rows), BLOCK):
        pictures = torch.from_numpy(np.take(images, rows[start : start + BLOCK], axis=0))
        parts.append(_fingerprint(pictures).half().numpy())
    return np.concatenate(parts)


def mirrored(prints: np.ndarray) -> np.ndarray:
    """Return the fingerprints of the mirrored pictures, without looking at them again."""
    side = SIDE - 2 * RIM
    return np.ascontiguousarray(prints.reshape(-1, side, side)[:, :, ::-1]).reshape(len(prints), -1)


def alike(first: np.ndarray, second: np.ndarray, same: float = SAME) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs of like pictures of two sets: place in each, correlation.

    Args:
        first: fingerprints `[N1, K * K]`.
        second: fingerprints `[N2, K * K]`.
        same: smallest correlation of a pair.
    """
    for start in range(0, len(first), BLOCK):
        rows = torch.from_numpy(first[start : start + BLOCK]).float()
        for begin in range(0, len(second), BLOCK):
            columns = torch.from_numpy(second[begin : begin + BLOCK]).float()
            products = rows @ columns.T
            for i, j in (products >= same).nonzero().tolist():
                yield start + i, begin + j, float(products[i, j])


def _fingerprint(pictures: torch.Tensor) -> torch.Tensor:
    """Return fingerprints [n, K * K] of pictures [n, S, S]."""
    small = F.adaptive_avg_pool2d(pictures[:, None].float(), SIDE)
    fine = small - _local_mean(small)
    fine = fine / (_local_mean(fine.square()) + NOISE**2).sqrt()
    fine = fine[:, :, RIM:-RIM, RIM:-RIM].flatten(1)
    fine = fine - fine.mean(1, keepdim=True)
    length = fine.norm(dim=1, keepdim=True)
    return torch.where(length > 1e-2 * SIDE, fine / length.clamp(min=1e-6), 0.0)


def _local_mean(pictures: torch.Tensor) -> torch.Tensor:
    """Average around every pixel; reflected at the border, so that mirrored pictures stay mirrored."""
    padded = F.pad(pictures, (WINDOW // 2,) * 4, mode="reflect")
    return F.avg_pool2d(padded, WINDOW, stride=1)
