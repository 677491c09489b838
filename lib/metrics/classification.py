"""Area under the ROC curve, vectorised over everything but the last axis."""

import numpy as np
from numpy.typing import ArrayLike


def auroc(labels: ArrayLike, probabilities: ArrayLike) -> np.ndarray:
    """Compute the area under the ROC curve by the rank formula; ties count one half.

    Args:
        labels: 1, 0 or NaN (case left out) `[..., N]`.
        probabilities: any increasing function of them will do; broadcasts with `labels` `[..., N]`.

    Returns:
        float64 `[...]`, NaN where only one class is present.

    Raises:
        ValueError: a label other than 0, 1 and NaN, or a probability that is NaN.
    """
    labels, probabilities = np.broadcast_arrays(*checked(labels, probabilities))
    order = np.argsort(probabilities, axis=-1)
    labels = np.take_along_axis(labels, order, axis=-1)
    probabilities = np.take_along_axis(probabilities, order, axis=-1)
    num_cases = labels.shape[-1]

    # Every case knows the first and the last place of its group of equal probabilities.
    places = np.arange(num_cases)
    edge = probabilities[..., 1:] != probabilities[..., :-1]
    border = np.ones((*labels.shape[:-1], 1), bool)
    starts = np.concatenate([border, edge], axis=-1)[..., :num_cases]
    ends = np.concatenate([edge, border], axis=-1)[..., :num_cases]
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=-1)
    last = np.flip(np.minimum.accumulate(np.flip(np.where(ends, places, num_cases), -1), axis=-1), -1)

    positive, negative = labels == 1, labels == 0
    negatives_before = np.concatenate([np.zeros_like(border, int), np.cumsum(negative, axis=-1)], axis=-1)
    below = np.take_along_axis(negatives_before, first, axis=-1)
    up_to = np.take_along_axis(negatives_before, last + 1, axis=-1)
    wins = np.sum(np.where(positive, below + up_to, 0), axis=-1) / 2
    pairs = positive.sum(-1) * negative.sum(-1)
    return np.where(pairs > 0, wins / np.maximum(pairs, 1), np.nan)[()]


def checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return both as float64 arrays, or raise the ValueError that says what is wrong with them."""
    labels, probabilities = np.asarray(labels, np.float64), np.asarray(probabilities, np.float64)
    strange = labels[~(np.isin(labels, (0.0, 1.0)) | np.isnan(labels))]
    if strange.size:
        raise ValueError(f"AUROC needs labels 0, 1 or NaN (unknown); found {strange.flat[0]}.")
    if np.isnan(probabilities).any():
        raise ValueError(f"{np.isnan(probabilities).sum()} of {probabilities.size} probabilities are NaN.")
    return labels, probabilities
