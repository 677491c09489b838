"""Lay one map over another: turned, mirrored, scaled and moved, which changes none of its neighbours."""

import numpy as np


def align(moving: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, float]:
    """Move a map of the same pictures onto another one, by least squares (orthogonal Procrustes).

    Args:
        moving: `[N, 2]`.
        fixed: `[N, 2]`.

    Returns:
        The moved map `[N, 2]`, and how much of the fixed one's spread it explains, 0 to 1.
    """
    centre, target = moving.mean(axis=0), fixed.mean(axis=0)
    a, b = moving - centre, fixed - target  # [N, 2]
    left, singular, right = np.linalg.svd(a.T @ b)
    spread, wanted = np.square(a).sum(), np.square(b).sum()
    if not spread or not wanted:
        return moving - centre + target, 0.0
    explained = singular.sum() ** 2 / (spread * wanted)
    return a @ (left @ right) * (singular.sum() / spread) + target, float(explained)
