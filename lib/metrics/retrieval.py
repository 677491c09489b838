"""Precision@k of retrieval by category: which share of the k best candidates is of the query's category.

Ties are counted fairly: where several candidates share the score at the border of the first k, the precision
is its mean over all orders of them, in closed form. So it does not depend on how a sort breaks ties, and a
constant score gives the chance level.

Letters: `Q` queries, `N` candidates, `K` values of k.
"""

import dataclasses
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lib.metrics.mean_interval import mean_interval
from lib.metrics.similarity import CosineSimilarity, checked_similarity, row_blocks


@dataclasses.dataclass(frozen=True, kw_only=True)
class CategoryRetrieval:
    """Precision of each query.

    Attributes:
        ks: the values of k.
        precision: float64 `[Q, K]`.
        chance: share of relevant candidates among those that are not excluded, float64 `[Q]`: what a random
            ranking gives at every k.
        num_excluded: candidates left out of the ranking of each query `[Q]`.
    """

    ks: tuple[int, ...]
    precision: np.ndarray
    chance: np.ndarray
    num_excluded: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean precision over queries, float64 `[K]`."""
        return self.precision.mean(axis=0)

    @property
    def mean_chance(self) -> float:
        """Mean chance level over queries."""
        return float(self.chance.mean())

    def by_class(self, classes: Sequence[Hashable]) -> dict[Hashable, np.ndarray]:
        """Return the mean precision `[K]` over the queries of each class, in order of first appearance.

        Args:
            classes: of each query `[Q]`.

        Raises:
            ValueError: another number of classes than queries.
        """
        if len(classes) != len(self.precision):
            raise ValueError(f"{len(classes)} classes for {len(self.precision)} queries.")
        rows: dict[Hashable, list[int]] = {}
        for row, name in enumerate(classes):
            rows.setdefault(name, []).append(row)
        return {name: self.precision[of_class].mean(axis=0) for name, of_class in rows.items()}

    def interval(
        self,
        clusters: Sequence | None = None,
        *,
        replicates: int = 2000,
        seed: int = 0,
        confidence: float = 0.95,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Bootstrap the mean precision over queries; the candidates stay as they are.

        Args:
            clusters: drawn whole, the patient of each query `[Q]`; None draws queries.
            replicates: resamples to draw.
            seed: of the resampling.
            confidence: of the interval.

        Returns:
            Lower and upper ends, float64 `[K]` each.

        Raises:
            ValueError: another number of clusters than queries.
        """
        return mean_interval(
            self.precision, clusters, replicates=replicates, seed=seed, confidence=confidence
        )


def precision_at(
    similarity: ArrayLike | CosineSimilarity,
    relevance: ArrayLike,
    *,
    excluded: ArrayLike | None = None,
    ks: Sequence[int] = (5, 10, 50, 100),
) -> CategoryRetrieval:
    """Compute the precision among the k candidates most similar to each query.

    Args:
        similarity: larger is more alike `[Q, N]`; `CosineSimilarity(queries, candidates)` of embeddings.
        relevance: whether a candidate is of the query's category, bool `[Q, N]`. A query for which nothing is
            relevant counts as 0, in its precision and in its chance.
        excluded: candidates that are left out of the ranking of a query, such as pictures of the same patient
            and the query itself, bool `[Q, N]`; None leaves out nothing.
        ks: how many candidates to look at.

    Raises:
        ValueError: shapes that do not fit, or a query with fewer than k candidates.
    """
    similarity = checked_similarity(similarity)
    ks = checked_ks(ks)
    relevance = _checked_mask(relevance, similarity.shape, "relevance")
    num_excluded = np.zeros(similarity.shape[0], np.int64)
    if excluded is not None:
        excluded = _checked_mask(excluded, similarity.shape, "excluded")
        num_excluded = excluded.sum(axis=1)
    left = similarity.shape[1] - num_excluded
    if left.min() < max(ks):
        query = int(left.argmin())
        raise ValueError(
            f"Query {query} has {left[query]} candidates ({num_excluded[query]} of {similarity.shape[1]} are "
            f"excluded), too few for precision@{max(ks)}. Take a smaller k or more candidates."
        )
    precision, chance = np.empty((len(left), len(ks))), np.empty(len(left))
    for rows in row_blocks(similarity.shape):
        scores, relevant = similarity[rows], relevance[rows]
        if excluded is not None:
            scores = np.where(excluded[rows], -np.inf, scores)
            relevant = relevant & ~excluded[rows]
        precision[rows] = _expected_precision(scores, relevant, ks)
        chance[rows] = relevant.sum(axis=1) / left[rows]
    return CategoryRetrieval(ks=ks, precision=precision, chance=chance, num_excluded=num_excluded)


def checked_ks(ks: Sequence[int]) -> tuple[int, ...]:
    """Return the values of k, or raise the ValueError that names one that is no whole number above 0."""
    for k in ks:
        if not isinstance(k, int | np.integer) or k < 1:
            raise ValueError(f"k = {k!r} is not a whole number above 0.")
    if not len(ks):
        raise ValueError("At least one k is needed.")
    return tuple(int(k) for k in ks)


def _expected_precision(scores: np.ndarray, relevant: np.ndarray, ks: tuple[int, ...]) -> np.ndarray:
    """Mean precision over all orders of tied candidates `[rows, K]`."""
    num_candidates = scores.shape[1]
    ordered = np.partition(scores, sorted({num_candidates - k for k in ks}), axis=1)
    precision = np.empty((len(scores), len(ks)))
    for column, k in enumerate(ks):
        border = ordered[:, num_candidates - k, None]  # the k-th best score
        above, tied = scores > border, scores == border
        hits_above = (above & relevant).sum(axis=1)
        share = (tied & relevant).sum(axis=1) / tied.sum(axis=1)  # of the ties, each place alike
        precision[:, column] = (hits_above + (k - above.sum(axis=1)) * share) / k
    return precision


def _checked_mask(mask: ArrayLike, shape: tuple[int, int], name: str) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != tuple(shape):
        raise ValueError(f"{name} must be bool of shape {tuple(shape)}; found {mask.dtype} {mask.shape}.")
    return mask
