"""Which pictures show the same: fingerprints that survive another encoding, size or mirror.

Letters: N pictures, S side of a stored picture, K side of a fingerprint, D length of a sketch.
"""

import functools
from collections.abc import Iterator

import numpy as np
from PIL import Image

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
"""Correlation of fingerprints from which on two pictures count as copies. Pictures of different patients stay
below 0.72 in Open-i, NIH and Kermany (but for copies that these hold), below 0.92 among 12,000 phantom
ones. Of copies saved as JPEG at 0.8 to 1.6 times the size all are above 0.95, 99 % above 0.97; a brighter
copy is above that too until it saturates, one cropped by 3 % is another picture."""

SKETCH = 128
"""Numbers in a sketch, a random projection of a fingerprint with which all pairs are compared first. The
correlation of two sketches is that of their fingerprints give or take (1 - SAME^2) / sqrt(SKETCH / 2) = 0.017
near SAME, so ..."""

CANDIDATE = SAME - 0.08
"""... pairs from five times that below are looked at in full, and all others are not."""

MOST_CANDIDATES = 16
"""Pairs of one picture that are looked at, the first ones: where thousands are alike, a few tell as much."""

BLOCK = 1024
"""Pictures compared with each other at a time."""


def fingerprints(pictures: np.ndarray) -> np.ndarray:
    """Compute the fingerprints of stored pictures.

    Args:
        pictures: uint8 `[N, S, S]`.

    Returns:
        float32 `[N, K * K]`, each of mean 0 and length 1, so that their products are correlations. All zero
        where a picture has no structure: it is like nothing.
    """
    small = np.empty((len(pictures), SIDE, SIDE), np.float32)
    for place, picture in enumerate(pictures):
        small[place] = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX)
    fine = small - _local_mean(small)
    fine /= np.sqrt(_local_mean(fine**2) + NOISE**2)
    prints = fine[:, RIM:-RIM, RIM:-RIM].reshape(len(fine), (SIDE - 2 * RIM) ** 2)  # [N, K * K]
    prints -= prints.mean(1, keepdims=True)
    length = np.linalg.norm(prints, axis=1, keepdims=True)
    return np.where(length > 1e-2 * SIDE, prints / np.maximum(length, 1e-6), 0.0)


def sketches(prints: np.ndarray) -> np.ndarray:
    """Project fingerprints `[N, K * K]` to sketches, float16 `[N, D]`, of length 1 or zero."""
    projected = prints @ _projection()
    length = np.linalg.norm(projected, axis=1, keepdims=True)
    return (projected / np.maximum(length, 1e-6)).astype(np.float16)


def mirrored(sketched: np.ndarray) -> np.ndarray:
    """Return the sketches of the mirrored pictures, without looking at them again."""
    signs = np.repeat(np.array([1, -1], sketched.dtype), SKETCH // 2)
    return sketched * signs


def alike(
    first: np.ndarray,
    second: np.ndarray,
    *,
    least: float = CANDIDATE,
    is_mirrored: bool = False,
    is_same_set: bool = False,
) -> Iterator[tuple[int, int]]:
    """Yield the pairs of like sketches of two sets, place in each, in the order of the first.

    Of one sketch of the first set at most `MOST_CANDIDATES` pairs.

    Args:
        first: sketches `[N1, D]`.
        second: sketches `[N2, D]`.
        least: smallest correlation of a pair.
        is_mirrored: compare with the mirror images of one set.
        is_same_set: both are of the same pictures; only the pairs with an earlier one in `second` are wanted.
    """
    for start in range(0, len(first), BLOCK):
        rows = first[start : start + BLOCK].astype(np.float32)
        rows = mirrored(rows) if is_mirrored else rows
        found = []
        for begin in range(0, start + len(rows) if is_same_set else len(second), BLOCK):
            products = rows @ second[begin : begin + BLOCK].astype(np.float32).T
            pairs = np.argwhere(products >= least) + (start, begin)
            found.append(_first_of_each(pairs[pairs[:, 1] < pairs[:, 0]] if is_same_set else pairs))
        pairs = np.concatenate(found) if found else np.empty((0, 2), np.int64)
        yield from map(tuple, _first_of_each(pairs[np.lexsort(pairs.T[::-1])]).tolist())


def _first_of_each(pairs: np.ndarray) -> np.ndarray:
    """Keep the first `MOST_CANDIDATES` pairs of each place in the first set; pairs are in their order."""
    rank = np.arange(len(pairs)) - np.searchsorted(pairs[:, 0], pairs[:, 0])
    return pairs[rank < MOST_CANDIDATES]


@functools.cache
def _projection() -> np.ndarray:
    """Return the projection [K * K, D]: half of its columns are even in x, half odd; mirroring is a sign."""
    side = SIDE - 2 * RIM
    columns = np.random.default_rng(0).standard_normal((SKETCH, side, side), np.float32)
    signs = np.repeat(np.array([1, -1], np.float32), SKETCH // 2)[:, None, None]
    return (columns + signs * columns[:, :, ::-1]).reshape(SKETCH, -1).T.copy()


def _local_mean(pictures: np.ndarray) -> np.ndarray:
    """Average around every pixel; reflected at the border, so that mirrored pictures stay mirrored."""
    reach = WINDOW // 2
    padded = np.pad(pictures, ((0, 0), (reach, reach), (reach, reach)), mode="reflect")
    for axis in (1, 2):
        windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=axis)
        padded = windows.mean(-1)
    return padded
