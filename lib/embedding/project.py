"""Features laid out on a plane: principal components, t-SNE, UMAP.

Letters: `N` pictures, `D` width of a feature, `C` components.
"""

import dataclasses
import warnings

import numpy as np

from lib.embedding import METHODS
from lib.registry import resolve

FEWEST = 10
"""Points of a map at least."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProjectConfig:
    """How maps are made.

    Attributes:
        components: C, principal components that t-SNE and UMAP start from.
        perplexity: of t-SNE; a third of the points at most.
        steps: of t-SNE.
        num_neighbours: of UMAP.
        min_dist: of UMAP: how close points may lie.
    """

    components: int = 50
    perplexity: float = 30.0
    steps: int = 1000
    num_neighbours: int = 15
    min_dist: float = 0.1


def project(
    values: np.ndarray, method: str, *, seed: int = 0, config: ProjectConfig | None = None
) -> np.ndarray:
    """Lay features out on a plane.

    The same seed gives the same map on the same machine, not everywhere: compare maps by their neighbours.

    Args:
        values: `[N, D]`.
        method: a key of `lib.embedding.METHODS`.
        seed: of everything random.
        config: how.

    Returns:
        float32 `[N, 2]`.

    Raises:
        ValueError: unknown method, too few pictures, or features that are not finite or all the same.
    """
    lay_out = resolve(method, METHODS)
    values = np.asarray(values, np.float32)
    if values.ndim != 2 or len(values) < FEWEST:
        raise ValueError(f"A map needs features of at least {FEWEST} pictures; found shape {values.shape}.")
    if wrong := int((~np.isfinite(values)).any(axis=1).sum()):
        raise ValueError(f"{wrong} of {len(values)} features are not finite: look at the encoder's output.")
    if (np.ptp(values, axis=0) == 0).all():
        raise ValueError(
            "All pictures have the same feature: the encoder tells nothing apart. Take other weights."
        )
    return np.asarray(lay_out(values, seed, config or ProjectConfig()), np.float32)


def unit_length(values: np.ndarray) -> np.ndarray:
    """Return features of length 1, so that distances order as cosines do; what is zero stays zero.

    Args:
        values: `[N, D]`.

    Returns:
        float32 `[N, D]`.
    """
    values = np.asarray(values, np.float32)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.divide(values, length, out=np.zeros_like(values), where=length > 0)


def reduce(values: np.ndarray, components: int, seed: int = 0) -> np.ndarray:
    """Return the first principal components, float32 `[N, C]`; fewer where there are no more."""
    from sklearn.decomposition import PCA

    most = min(components, len(values) - 1, values.shape[1])
    return PCA(most, random_state=seed).fit_transform(values).astype(np.float32)


def principal_components(values: np.ndarray, seed: int, config: ProjectConfig) -> np.ndarray:
    """Return the first two components; an only one lies on a line."""
    flat = reduce(values, 2, seed)
    return flat if flat.shape[1] == 2 else np.column_stack([flat, np.zeros_like(flat)])


def tsne(values: np.ndarray, seed: int, config: ProjectConfig) -> np.ndarray:
    """Return the map of van der Maaten and Hinton (2008), begun with the principal components."""
    from sklearn.manifold import TSNE

    start = reduce(values, config.components, seed)
    # Begun at random, its large distances would mean nothing (Kobak and Berens, 2019).
    return TSNE(
        perplexity=min(config.perplexity, (len(values) - 1) / 3),
        max_iter=config.steps,
        init="pca" if start.shape[1] > 1 else "random",
        random_state=seed,
    ).fit_transform(start)


def umap(values: np.ndarray, seed: int, config: ProjectConfig) -> np.ndarray:
    """Return the map of McInnes, Healy and Melville (2018)."""
    with warnings.catch_warnings():
        # It offers its parametric kind, which wants TensorFlow.
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        from umap import UMAP

    return UMAP(
        n_neighbors=min(config.num_neighbours, len(values) - 1),
        min_dist=config.min_dist,
        random_state=seed,
        n_jobs=1,  # a seed allows no more; unsaid, it would warn
    ).fit_transform(reduce(values, config.components, seed))
