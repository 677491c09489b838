"""What a map keeps of the features: trustworthiness and continuity, stability over seeds and people.

Letters: `N` pictures, `D` width of a feature, `k` neighbours, `Q` pictures that are judged.
"""

import itertools
from typing import NamedTuple

import numpy as np

from lib.embedding.align import align
from lib.embedding.neighbours import nearest, overlap
from lib.embedding.project import ProjectConfig, project

MOST_JUDGED = 2000
"""Pictures that are asked; a mean over so many is sure to two digits."""
BLOCK = 256
"""Pictures whose distances to all others are in memory at once."""
LEFT_OUT = 0.1
"""Share of the patients that each seed leaves out of its map."""


def trustworthiness(values: np.ndarray, coordinates: np.ndarray, k: int, *, seed: int = 0) -> float:
    """Return how far neighbours on the map are neighbours among the features (Venna and Kaski, 2001).

    1 where all are; about 0.5 where the map is drawn by lot. With the two arguments exchanged it is the
    continuity: how far neighbours among the features are neighbours on the map.

    Args:
        values: features `[N, D]`.
        coordinates: the map `[N, 2]`.
        k: neighbours, fewer than half of the pictures.
        seed: draws the pictures that are judged, where there are more than `MOST_JUDGED`.

    Raises:
        ValueError: too many neighbours.
    """
    size = len(values)
    if not 1 <= k < size / 2:
        raise ValueError(f"k={k} neighbours of {size} pictures; take at least 1 and fewer than half.")
    judged = np.sort(np.random.default_rng(seed).permutation(size)[:MOST_JUDGED])  # [Q]
    neighbours = nearest(coordinates, k)[judged]  # [Q, k]
    values = np.asarray(values, np.float32)
    squares = np.square(values).sum(axis=1)
    excess = 0
    for start in range(0, len(judged), BLOCK):
        rows = judged[start : start + BLOCK]
        distances = squares - 2 * values[rows] @ values.T  # [b, N]; the own square orders nothing
        distances[np.arange(len(rows)), rows] = np.inf
        theirs = np.take_along_axis(distances, neighbours[start : start + BLOCK], axis=1)  # [b, k]
        ordered = np.sort(distances, axis=1)
        ranks = np.array([np.searchsorted(a, b) for a, b in zip(ordered, theirs, strict=True)]) + 1
        excess += np.maximum(ranks - k, 0).sum()
    return float(1 - 2 * excess / (len(judged) * k * (2 * size - 3 * k - 1)))


class Stability(NamedTuple):
    """How much of a map comes again.

    Attributes:
        neighbours: share of the k neighbours on one map that are neighbours on the other, mean over pairs.
        chance: of that, for maps drawn by lot.
        places: how much of one map's spread the other explains when it is laid over it, mean over pairs.
        num_maps: that were made.
    """

    neighbours: float
    chance: float
    places: float
    num_maps: int


def stability(
    values: np.ndarray,
    patients: np.ndarray,
    method: str,
    *,
    k: int,
    seeds: tuple[int, ...] = (0, 1, 2),
    config: ProjectConfig | None = None,
) -> Stability:
    """Make the map again with each seed, every time without another tenth of the patients, and compare.

    Another seed alone would say too little: t-SNE that begins with principal components, and principal
    components themselves, hardly use it.

    Args:
        values: features `[N, D]`.
        patients: of the pictures `[N]`.
        method: of the map.
        k: neighbours.
        seeds: at least two.
        config: of the map.

    Raises:
        ValueError: fewer than two seeds.
    """
    if len(seeds) < 2:
        raise ValueError(f"Stability compares maps of two seeds or more; seeds is {list(seeds)}: add some.")
    names, patient = np.unique(patients, return_inverse=True)
    maps = []
    for seed in seeds:
        out = np.random.default_rng(seed).permutation(len(names))[: max(1, round(LEFT_OUT * len(names)))]
        kept = np.flatnonzero(~np.isin(patient, out))
        placed = np.full((len(values), 2), np.nan, np.float32)
        placed[kept] = project(values[kept], method, seed=seed, config=config)
        maps.append(placed)
    shares, chances, explained = [], [], []
    for first, second in itertools.combinations(maps, 2):
        both = np.isfinite(first[:, 0]) & np.isfinite(second[:, 0])
        shares.append(overlap(nearest(first[both], k), nearest(second[both], k)).mean())
        chances.append(k / (both.sum() - 1))
        explained.append(align(first[both], second[both])[1])
    return Stability(float(np.mean(shares)), float(np.mean(chances)), float(np.mean(explained)), len(seeds))
