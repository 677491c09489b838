"""Which pictures do not look like what they are filed as: lateral among frontal, or no radiograph at all.

Letters: n pictures, T side of a thumbnail.
"""

import numpy as np

from lib.data.curation.thumbnail import fitting_rows, fold_blocks, standardise

RIDGE = 0.3
"""Added to the diagonal of the covariance, as a share of its mean."""

WRONG_SIDE = 0.5
"""How far on the other side of the border a picture must lie; 1 is the mean of the other kind. Of 5,625
Open-i pictures 3 do: one is filed wrongly, one is upside down, one shows a shoulder; of planted ones 95 %."""

COMPONENTS = 32
"""Principal components that describe how radiographs of one kind differ."""

UNLIKE = 0.27
"""Share of a picture that those components leave unexplained, from which on it is not one of them. Of 1,000
radiographs one or two leave more than 0.2; photographs, pages of text and noise leave 0.3 to 0.9."""


def looks_like_the_other_kind(
    thumbnails: np.ndarray, is_frontal: np.ndarray, folds: np.ndarray
) -> np.ndarray:
    """Say how far each picture lies on the side of the kind that it is not filed as.

    Args:
        thumbnails: uint8 `[n, T, T]`, frontal and lateral.
        is_frontal: as filed, bool `[n]`.
        folds: number of the cross-fitting fold of each, `[n]`; studies must not be divided.

    Returns:
        `[n]` of a linear discriminant: -1 for a usual picture of its kind, 0 at the border, 1 for one of the
        other.
    """
    side = np.empty(len(thumbnails), np.float32)
    for fold in np.unique(folds):
        others = fitting_rows(folds, fold)
        standardised = standardise(thumbnails[others])
        kinds = [standardised[is_frontal[others] == filed] for filed in (True, False)]
        means = [kind.mean(0, dtype=np.float64) for kind in kinds]
        parts = [_second_moments(kind - mean) for kind, mean in zip(kinds, means, strict=True)]
        covariance = (parts[0] + parts[1]) / 2
        covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        weights = np.linalg.solve(covariance, means[0] - means[1])
        middle, half = weights @ (means[0] + means[1]) / 2, weights @ (means[0] - means[1]) / 2
        for places, block in fold_blocks(thumbnails, folds, fold):
            side[places] = (block @ weights - middle) / half
    return np.where(is_frontal, -side, side)


def unexplained(thumbnails: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return the share of each picture that the principal components of the others leave, `[n]`, 0 to 1."""
    left = np.empty(len(thumbnails), np.float32)
    for fold in np.unique(folds):
        others = standardise(thumbnails[fitting_rows(folds, fold)])
        _, vectors = np.linalg.eigh(_second_moments(others))
        for places, block in fold_blocks(thumbnails, folds, fold):
            left[places] = 1 - ((block @ vectors[:, -COMPONENTS:]) ** 2).sum(1)
    return left


def _second_moments(pictures: np.ndarray) -> np.ndarray:
    """Return the mean products of the pixels of pictures `[n, T * T]` with each other."""
    return pictures.T.astype(np.float64) @ pictures / len(pictures)
