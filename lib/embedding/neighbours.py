"""Neighbours among features or on a map, and what pictures share with theirs.

Letters: `N` pictures, `D` width, `k` neighbours.
"""

import numpy as np


def nearest(values: np.ndarray, k: int, *, groups: np.ndarray | None = None) -> np.ndarray:
    """Return the k nearest of each picture, the closest first; never the picture itself.

    Args:
        values: features or coordinates `[N, D]`; distances are Euclidean.
        k: how many.
        groups: patients `[N]`: pictures of one's own are left out. Two of one patient lie side by side for
            reasons that have nothing to do with a finding.

    Returns:
        Places, int64 `[N, k]`.

    Raises:
        ValueError: a picture has fewer than k others.
    """
    from sklearn.neighbors import NearestNeighbors

    size = len(values)
    group = np.arange(size) if groups is None else np.unique(groups, return_inverse=True)[1]
    largest = np.bincount(group).max()
    if k > size - largest:
        raise ValueError(
            f"k={k} neighbours of other patients: some pictures have only {size - largest}. Take a smaller k."
        )
    # Brute force where the plane ends: trees lose to it in high dimensions.
    search = NearestNeighbors(algorithm="kd_tree" if values.shape[1] < 4 else "brute").fit(values)
    found = search.kneighbors(values, n_neighbors=k + largest, return_distance=False)  # [N, k + largest]
    foreign = group[found] != group[:, None]
    order = np.argsort(~foreign, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, axis=1)


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return for each picture the share of its neighbours that are so in both, float64 `[N]`.

    Args:
        first: places `[N, k]`.
        second: places `[N, k]` of the same pictures.
    """
    return np.array([np.isin(a, b).mean() for a, b in zip(first, second, strict=True)])


def agreement(neighbours: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, float]:
    """Return how many neighbours have a picture's own class, and how many would by chance.

    Every class counts alike, however many pictures it has: a map of nine in ten healthy people is not good
    because healthy people lie beside healthy people.

    Args:
        neighbours: places `[N, k]`.
        classes: int64 `[N]`, -1 where not known; such pictures and such neighbours are left out.

    Returns:
        For each picture the share, times the weight of its class (mean 1 over the pictures that count), NaN
        where not known, float64 `[N]`; and the level of chance.
    """
    known = classes >= 0
    counts = np.bincount(classes[known])
    present = counts > 0
    theirs = classes[neighbours]  # [N, k]
    usable = theirs >= 0
    same = ((theirs == classes[:, None]) & usable).sum(axis=1)
    judged = known & usable.any(axis=1)
    share = np.divide(same, usable.sum(axis=1), out=np.full(len(classes), np.nan), where=judged)
    weight = np.zeros(len(counts))
    weight[present] = counts.sum() / (present.sum() * counts[present])
    return np.where(judged, share * weight[np.where(known, classes, 0)], np.nan), 1 / max(1, present.sum())
