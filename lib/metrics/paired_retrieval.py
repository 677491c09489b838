"""R@k of paired retrieval: does a study find its own report among all reports, and a report its study?

Many reports share their words ("no acute disease"), so every candidate whose report is the same counts as a
hit. Ties are counted fairly: with several candidates at the score of the best hit, a query's value is the
probability of a hit among the first k over all orders of them, in closed form.

Letters: `N` pairs, `K` values of k.
"""

import dataclasses
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from lib.metrics.mean_interval import mean_interval
from lib.metrics.retrieval import checked_ks
from lib.metrics.similarity import CosineSimilarity, checked_similarity, row_blocks


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairedRetrieval:
    """One direction of paired retrieval.

    Attributes:
        ks: the values of k.
        hits: probability that one of the first k candidates is a hit, float64 `[N, K]`.
        ranks: expected place of the first hit, 1 is best, float64 `[N]`.
        chance: R@k of a random ranking, float64 `[K]`.
    """

    ks: tuple[int, ...]
    hits: np.ndarray
    ranks: np.ndarray
    chance: np.ndarray

    @property
    def recall(self) -> np.ndarray:
        """R@k, the mean over queries, float64 `[K]`."""
        return self.hits.mean(axis=0)

    @property
    def median_rank(self) -> float:
        """Median over queries of the expected place of the first hit."""
        return float(np.median(self.ranks))

    def interval(
        self,
        clusters: Sequence | None = None,
        *,
        replicates: int = 2000,
        seed: int = 0,
        confidence: float = 0.95,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Bootstrap R@k over queries; the candidates stay as they are. As `CategoryRetrieval.interval`."""
        return mean_interval(self.hits, clusters, replicates=replicates, seed=seed, confidence=confidence)


def paired_retrieval(
    similarity: ArrayLike | CosineSimilarity,
    *,
    duplicates: Sequence[Hashable] | None = None,
    ks: Sequence[int] = (1, 5, 10),
) -> tuple[PairedRetrieval, PairedRetrieval]:
    """Retrieve reports by studies and studies by reports.

    Args:
        similarity: study i (row) with report j (column) `[N, N]`; larger is more alike.
        duplicates: reports with equal entries count as the same, such as the texts themselves `[N]`; None
            takes all reports for different.
        ks: how many candidates to look at.

    Returns:
        Study to report, report to study.

    Raises:
        ValueError: no square matrix, another number of entries in `duplicates`, or a k above N.
    """
    similarity = checked_similarity(similarity)
    ks = checked_ks(ks)
    num_pairs, num_reports = similarity.shape
    if num_pairs != num_reports:
        raise ValueError(f"{num_pairs} studies and {num_reports} reports are no pairs.")
    if max(ks) > num_pairs:
        raise ValueError(f"R@{max(ks)} of {num_pairs} pairs; take a smaller k or more pairs.")
    groups = np.arange(num_pairs) if duplicates is None else _codes(duplicates)
    if len(groups) != num_pairs:
        raise ValueError(f"{len(groups)} entries in duplicates for {num_pairs} pairs.")
    return _retrieve(similarity, groups, ks), _retrieve(similarity.T, groups, ks)


def _codes(names: Sequence[Hashable]) -> np.ndarray:
    codes: dict[Hashable, int] = {}
    return np.array([codes.setdefault(name, len(codes)) for name in names])


def _retrieve(similarity, groups: np.ndarray, ks: tuple[int, ...]) -> PairedRetrieval:
    num_pairs = len(groups)
    hits, ranks = np.empty((num_pairs, len(ks))), np.empty(num_pairs)
    for rows in row_blocks(similarity.shape):
        scores = similarity[rows]
        is_hit = groups[rows, None] == groups
        best = np.where(is_hit, scores, -np.inf).max(axis=1, keepdims=True)
        tied = scores == best
        num_above, num_tied = (scores > best).sum(axis=1), tied.sum(axis=1)
        num_hits = (tied & is_hit).sum(axis=1)
        hits[rows] = _hit_probability(num_above, num_tied, num_hits, ks)
        ranks[rows] = num_above + (num_tied + 1) / (num_hits + 1)  # the first of h hits in a random order
    group_size = np.bincount(groups)[groups]
    nothing = np.zeros_like(group_size)
    chance = _hit_probability(nothing, np.full_like(group_size, num_pairs), group_size, ks).mean(axis=0)
    return PairedRetrieval(ks=ks, hits=hits, ranks=ranks, chance=chance)


def _hit_probability(
    num_above: np.ndarray, num_tied: np.ndarray, num_hits: np.ndarray, ks: tuple[int, ...]
) -> np.ndarray:
    """Probability of a hit in the first k: `num_above` misses, then ties, `num_hits` of them hits `[N, K]`.

    The first `d = k - num_above` of the tied are all misses with probability C(misses, d) / C(tied, d).
    """
    drawn = np.asarray(ks) - num_above[:, None]  # [N, K]
    tied, misses = num_tied[:, None], (num_tied - num_hits)[:, None]
    is_open = (drawn > 0) & (drawn <= misses)
    count = np.where(is_open, drawn, 0)
    log_missed = (
        gammaln(misses + 1)
        - gammaln(np.where(is_open, misses - count, 0) + 1)
        - gammaln(tied + 1)
        + gammaln(np.where(is_open, tied - count, 0) + 1)
    )
    return np.where(is_open, 1 - np.exp(np.where(is_open, log_missed, 0)), drawn > 0)
