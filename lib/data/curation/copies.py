"""Copies: pictures that show the same as another one, in one store or across two."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from lib.data.curation.fingerprint import BLOCK, SAME, alike, fingerprints


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Some pictures of a store.

    Attributes:
        images: uint8 `[N, S, S]`, may be on disk.
        rows: which of them, `[n]`.
        hashes: of their pixels, `[n]`.
        sketches: `[n, D]`, see `lib.data.curation.fingerprint`.
    """

    images: np.ndarray
    rows: np.ndarray
    hashes: np.ndarray
    sketches: np.ndarray


@dataclasses.dataclass(frozen=True)
class Copies:
    """Pairs of pictures that show the same.

    Attributes:
        kind: "identical", "near_identical" or "mirrored".
        pairs: int64 `[M, 2]`, places in the two sets, in the order of the first.
        score: correlation of each pair, `[M]`.
    """

    kind: str
    pairs: np.ndarray
    score: np.ndarray


def find_copies(first: Pictures, second: Pictures) -> Iterator[Copies]:
    """Yield the identical, then the near-identical, then the mirrored pictures of two sets.

    Every pair is of one kind; of several identical pictures in the second set the first counts. Where both
    sets are one and the same object, a picture is paired with earlier ones alone.
    """
    is_same_set = first is second
    same = _identical(first.hashes, second.hashes)
    if is_same_set:
        same = same[same[:, 1] < same[:, 0]]
    yield Copies("identical", same, np.ones(len(same)))
    for kind, is_mirrored in (("near_identical", False), ("mirrored", True)):
        found = alike(first.sketches, second.sketches, is_mirrored=is_mirrored, is_same_set=is_same_set)
        pairs = np.array(list(found), np.int64).reshape(-1, 2)
        pairs = pairs[first.hashes[pairs[:, 0]] != second.hashes[pairs[:, 1]]]
        score = _correlations(first, second, pairs, is_mirrored)
        yield Copies(kind, pairs[score >= SAME], score[score >= SAME])


def _identical(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return for each hash that is in the second set too its place there, the first of several; `[M, 2]`."""
    values, places = np.unique(second, return_index=True)
    found = np.searchsorted(values, first)
    found[found == len(values)] = 0
    is_same = values[found] == first if len(values) else np.zeros(len(first), bool)
    return np.stack([np.flatnonzero(is_same), places[found[is_same]]], axis=1)


def _correlations(first: Pictures, second: Pictures, pairs: np.ndarray, is_mirrored: bool) -> np.ndarray:
    """Compare candidates in full; every picture of a block is looked at once."""
    scores = [np.empty(0)]
    for start in range(0, len(pairs), BLOCK):
        block = pairs[start : start + BLOCK]
        sides = []
        for pictures, places, flip in ((first, block[:, 0], False), (second, block[:, 1], is_mirrored)):
            wanted, inverse = np.unique(places, return_inverse=True)
            pixels = np.take(pictures.images, pictures.rows[wanted], axis=0)
            sides.append(fingerprints(pixels[:, :, ::-1] if flip else pixels)[inverse])
        scores.append((sides[0] * sides[1]).sum(1))
    return np.concatenate(scores)
