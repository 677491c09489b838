"""Holm's correction of p-values for having asked several questions."""

import numpy as np
from numpy.typing import ArrayLike


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjust p-values so that the chance of any false rejection stays below the level (Holm 1979).

    Nothing is assumed about how the tests depend on each other. To be compared with the level itself.

    Args:
        p_values: `[..., K]`; each row along the last axis is one family. NaN (no test) does not count.

    Returns:
        Adjusted p-values, at least as large, at most 1; NaN where there was none `[..., K]`.

    Raises:
        ValueError: a p-value outside 0..1.
    """
    p_values = np.asarray(p_values, np.float64)
    outside = p_values[(p_values < 0) | (p_values > 1)]
    if outside.size:
        raise ValueError(f"A p-value lies between 0 and 1; found {outside.flat[0]}.")
    order = np.argsort(p_values, axis=-1)  # NaN last
    num_tests = (~np.isnan(p_values)).sum(axis=-1, keepdims=True)
    factor = np.maximum(num_tests - np.arange(p_values.shape[-1]), 1)
    stepped = np.maximum.accumulate(np.take_along_axis(p_values, order, axis=-1) * factor, axis=-1)
    adjusted = np.empty_like(p_values)
    np.put_along_axis(adjusted, order, np.minimum(stepped, 1), axis=-1)
    return adjusted
