"""F1 of the labels of generated reports against those of the true ones, per label, macro and micro.

Letters: `N` reports, `K` labels.
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelF1:
    """Agreement of two label matrices.

    Attributes:
        label: F1 of each label, float64 `[K]`; NaN where neither side has a positive.
        macro: mean of those that are not NaN.
        micro: F1 over all labels together.
        precision: of each label `[K]`, NaN where none is predicted.
        recall: of each label `[K]`, NaN where none is true.
        num_true: positives among the true labels `[K]`.
        num_predicted: positives among the predicted labels `[K]`.
    """

    label: np.ndarray
    macro: float
    micro: float
    precision: np.ndarray
    recall: np.ndarray
    num_true: np.ndarray
    num_predicted: np.ndarray


def label_f1(true: ArrayLike, predicted: ArrayLike) -> LabelF1:
    """Compare two label matrices.

    Args:
        true: 1, 0 or NaN (left out of all counts) `[N, K]`.
        predicted: 1 or 0 `[N, K]`.

    Raises:
        ValueError: shapes that differ, or other values.
    """
    true, predicted = np.asarray(true, np.float64), np.asarray(predicted, np.float64)
    if true.ndim != 2 or true.shape != predicted.shape:
        raise ValueError(f"Labels must both be [N, K]; found {true.shape} and {predicted.shape}.")
    is_known = ~np.isnan(true)
    for name, values in (("True", true[is_known]), ("Predicted", predicted)):
        strange = values[~np.isin(values, (0.0, 1.0))]
        if strange.size:
            raise ValueError(f"{name} labels must be 0 or 1; found {strange.flat[0]}.")
    num_true = (true == 1).sum(0)
    num_predicted = ((predicted == 1) & is_known).sum(0)
    num_both = ((true == 1) & (predicted == 1)).sum(0)
    label = _share(2 * num_both, num_true + num_predicted)
    has_any = ~np.isnan(label)
    return LabelF1(
        label=label,
        macro=float(label[has_any].mean()) if has_any.any() else np.nan,
        micro=float(_share(2 * num_both.sum(), num_true.sum() + num_predicted.sum())),
        precision=_share(num_both, num_predicted),
        recall=_share(num_both, num_true),
        num_true=num_true,
        num_predicted=num_predicted,
    )


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
