"""Cosine similarities a few rows at a time, so that 10,000 x 10,000 of them never lie in memory.

Letters: `Q` queries, `N` candidates, `E` embedding width.
"""

import functools

import numpy as np
from numpy.typing import ArrayLike

DECIMALS = 9
"""Cosines are rounded to so many: equal embeddings must tie, and sums differ in their last bits with their
place in the matrix."""

BLOCK_BYTES = 32 * 2**20
"""About how large a block of float64 similarities may be."""


class CosineSimilarity:
    """A matrix `[Q, N]` of cosines, computed when rows are taken: `similarity[3:9]`.

    The metrics of retrieval take it wherever they take an array.
    """

    def __init__(self, queries: ArrayLike, candidates: ArrayLike):
        """Normalise both.

        Args:
            queries: embeddings `[Q, E]`.
            candidates: embeddings `[N, E]`.

        Raises:
            ValueError: another shape, or an embedding that is zero or not finite.
        """
        self._queries, self._candidates = _unit(queries, "query"), _unit(candidates, "candidate")
        if self._queries.shape[1] != self._candidates.shape[1]:
            raise ValueError(
                f"Query embeddings are {self._queries.shape[1]} wide and candidate embeddings "
                f"{self._candidates.shape[1]}; both must come from one shared space."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Q and N."""
        return len(self._queries), len(self._candidates)

    @functools.cached_property
    def T(self) -> "CosineSimilarity":  # noqa: N802
        """The same with queries and candidates exchanged."""
        return CosineSimilarity(self._candidates, self._queries)

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Return the float64 cosines of some queries with all candidates."""
        return np.round(self._queries[rows] @ self._candidates.T, DECIMALS)


def checked_similarity(similarity: ArrayLike | CosineSimilarity) -> np.ndarray | CosineSimilarity:
    """Return a matrix that is fit to rank by.

    Raises:
        ValueError: it has no two dimensions, no candidates or no queries, or is not finite.
    """
    if not isinstance(similarity, CosineSimilarity):
        similarity = np.asarray(similarity)
        if similarity.ndim != 2:
            raise ValueError(f"Similarities must be [queries, candidates]; found shape {similarity.shape}.")
        if wrong := similarity.size - int(np.isfinite(similarity).sum()):
            raise ValueError(f"{wrong} of {similarity.size} similarities are not finite.")
    if 0 in similarity.shape:
        queries, candidates = similarity.shape
        raise ValueError(f"There is nothing to rank: {queries} queries and {candidates} candidates.")
    return similarity


def row_blocks(shape: tuple[int, int]) -> list[slice]:
    """Cut the rows of a matrix into blocks of a bounded size."""
    size = max(1, BLOCK_BYTES // (8 * shape[1]))
    return [slice(start, min(start + size, shape[0])) for start in range(0, shape[0], size)]


def _unit(embeddings: ArrayLike, what: str) -> np.ndarray:
    """Return embeddings of length 1, float64."""
    embeddings = np.asarray(embeddings, np.float64)
    if embeddings.ndim != 2:
        raise ValueError(f"Embeddings must be [{what}, width]; found shape {embeddings.shape}.")
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    wrong = np.flatnonzero(~np.isfinite(length[:, 0]) | (length[:, 0] == 0))
    if wrong.size:
        raise ValueError(
            f"{wrong.size} {what} embeddings are zero or not finite, for example row {wrong[0]}: they have "
            "no direction. Look at the encoder's output for them."
        )
    return embeddings / length
