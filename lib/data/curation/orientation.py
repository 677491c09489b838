"""Which pictures are turned or inverted: compared with how the others of their kind lie.

A linear template is fitted to the set itself: 1 for a picture as it is, 0 on average for its three turns. By
symmetry the same template, turned and negated, answers for all eight ways to show a picture. Most pictures of
a set are upright, and a wrong one has no part in the template that judges it (cross-fitting).

Letters: n pictures, T side of a thumbnail, W ways.
"""

import numpy as np

from lib.data.curation.thumbnail import SIDE, fitting_rows, fold_blocks, standardise

WAYS = tuple((quarters, sign) for sign in (1, -1) for quarters in range(4))
"""How a picture may have come to lie: quarter turns against the clock, then 1 or -1 (black and white
exchanged). The first is upright."""

MARGIN = 0.4
"""How much better another way must fit, in units of a usual fit. Of 2,870 frontal Open-i pictures 3 pass it,
of 1,527 of NIH 43, and all of these are turned; of planted ones 97 and 92 % do."""

LATERAL_MARGIN = 0.6
"""The same for lateral pictures, which differ more. Of 2,755 of Open-i 6 pass it: 4 lie on their side."""

RIDGE = 0.3
"""Added to the diagonal of the covariance, as a share of its mean."""


def looks_turned(thumbnails: np.ndarray, folds: np.ndarray, *, lateral: bool) -> tuple[np.ndarray, ...]:
    """Say for each picture which way it looks to lie.

    Args:
        thumbnails: uint8 `[n, T, T]`, of one kind (frontal, lateral).
        folds: number of the cross-fitting fold of each, `[n]`; studies must not be divided.
        lateral: whether that kind is. Half a turn is not told then: a lateral chest upside down looks much
            like another one.

    Returns:
        Index into `WAYS` (0 where no other fits better by the margin), and by how much it does, `[n]` each.
    """
    fit = np.empty((len(thumbnails), len(WAYS)), np.float32)
    for fold in np.unique(folds):
        others = standardise(thumbnails[fitting_rows(folds, fold)])
        weights = _template(others)
        upright = float((others @ weights).mean())
        turned = np.stack([_turn(weights, quarters) for quarters in range(4)], axis=1)  # [T * T, 4]
        for places, standardised in fold_blocks(thumbnails, folds, fold):
            turns = standardised @ turned / upright
            fit[places] = np.concatenate([turns, -turns], axis=1)
    if lateral:
        fit[:, [way for way, (quarters, _) in enumerate(WAYS) if quarters == 2]] = -np.inf
    way = 1 + fit[:, 1:].argmax(1)
    margin = np.take_along_axis(fit, way[:, None], 1)[:, 0] - fit[:, 0]
    return np.where(margin >= (LATERAL_MARGIN if lateral else MARGIN), way, 0), margin


def _template(standardised: np.ndarray) -> np.ndarray:
    """Fit the weights [T * T]: ridge regression on upright against turned."""
    covariance = np.zeros((SIDE**2, SIDE**2), np.float64)
    for quarters in range(4):
        turned = _turn(standardised, quarters)
        covariance += turned.T @ turned / (4 * len(standardised))
    covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return np.linalg.solve(covariance, standardised.mean(0, dtype=np.float64)).astype(np.float32)


def _turn(flat: np.ndarray, quarters: int) -> np.ndarray:
    """Turn pictures [..., T * T] by quarters against the clock."""
    square = flat.reshape(*flat.shape[:-1], SIDE, SIDE)
    return np.ascontiguousarray(np.rot90(square, quarters, axes=(-2, -1))).reshape(flat.shape)
