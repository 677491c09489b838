"""Which ids were read before, in a few bytes each."""

import hashlib
from collections.abc import Sequence

import numpy as np

DIGEST_BYTES = 16
"""Of a hash of 16 bytes no two of a billion ids are alike: one chance in 10 to the 20."""

MAX_LATEST = 4096
"""Ids that are kept apart until they are sorted in among the others."""


class SeenIds:
    """A set of ids that only grows; 16 bytes an id, where a set of strings takes ten times as much."""

    def __init__(self):
        self._sorted = np.empty(0, f"S{DIGEST_BYTES}")
        self._latest: set[bytes] = set()

    def mark(self, ids: Sequence[str]) -> tuple[bool, ...]:
        """Say for each id whether it is there already, and put it there."""
        digests = [
            hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()
            for name in ids
        ]
        marks = []
        for digest, is_old in zip(digests, self._are_sorted(digests), strict=True):
            marks.append(is_old or digest in self._latest)
            if not marks[-1]:
                self._latest.add(digest)
        if len(self._latest) >= MAX_LATEST:
            self._sorted = np.concatenate([self._sorted, np.array(sorted(self._latest), self._sorted.dtype)])
            self._sorted.sort(kind="stable")  # two sorted runs: they are merged
            self._latest.clear()
        return tuple(marks)

    def _are_sorted(self, digests: Sequence[bytes]) -> list[bool]:
        """Say for each digest whether it is among the sorted ones."""
        if not len(self._sorted):
            return [False] * len(digests)
        wanted = np.array(digests, self._sorted.dtype)
        places = np.minimum(np.searchsorted(self._sorted, wanted), len(self._sorted) - 1)
        return (self._sorted[places] == wanted).tolist()
