"""How many test patients a difference needs: the standard error of a bootstrap, scaled to other sizes.

A standard error shrinks with the square root of the number of patients, as long as they are of the same kind:
the same findings as often, the same number of images each. That is the one assumption here.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def power(
    difference: float,
    wanted_patients: ArrayLike,
    *,
    standard_error: float,
    num_patients: int,
    confidence: float = 0.95,
) -> np.ndarray:
    """Compute how often a true difference would be told apart from 0 with other numbers of test patients.

    Args:
        difference: the true one.
        wanted_patients: numbers of test patients `[...]`.
        standard_error: of the difference, from a test set of `num_patients`.
        num_patients: of that test set.
        confidence: of the interval that must not hold 0.

    Returns:
        Between 1 - confidence and 1 `[...]`.
    """
    errors = standard_error * np.sqrt(num_patients / np.asarray(wanted_patients, np.float64))
    shift, border = abs(difference) / errors, stats.norm.ppf((1 + confidence) / 2)
    return stats.norm.sf(border - shift) + stats.norm.cdf(-border - shift)


def patients_needed(
    difference: float,
    *,
    standard_error: float,
    num_patients: int,
    wanted_power: float = 0.8,
    confidence: float = 0.95,
) -> float:
    """Compute how many test patients tell a true difference apart from 0.

    Args:
        difference: the true one.
        standard_error: of the difference, from a test set of `num_patients`.
        num_patients: of that test set.
        wanted_power: how often it shall be told apart, above 0.5.
        confidence: of the interval that must not hold 0.

    Returns:
        A whole number; infinity for no difference.

    Raises:
        ValueError: a power that is not between 0.5 and 1.
    """
    if not 0.5 < wanted_power < 1:
        raise ValueError(f"wanted_power={wanted_power}; it must lie between 0.5 and 1, such as 0.8.")
    if difference == 0:
        return math.inf
    distance = stats.norm.ppf((1 + confidence) / 2) + stats.norm.ppf(wanted_power)
    return float(math.ceil(num_patients * (distance * standard_error / difference) ** 2))
