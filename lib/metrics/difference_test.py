"""A two-sided test of a difference whose standard error is known."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True, kw_only=True)
class TestResult:
    """A two-sided test of a difference, with the interval that belongs to it."""

    __test__ = False  # pytest would collect a class of this name

    difference: float
    low: float
    high: float
    statistic: float
    p_value: float


def difference_test(difference: float, error: float, distribution, confidence: float) -> TestResult:
    """Test a difference against 0.

    Args:
        difference: observed.
        error: its standard error; 0 where nothing varies.
        distribution: of the difference divided by its error where there is none, from `scipy.stats`.
        confidence: of the interval.

    Returns:
        Without an error: p 1 where there is no difference, and p 0 where there is one.
    """
    if error == 0:
        same = difference == 0
        statistic, p_value = (0.0, 1.0) if same else (math.copysign(math.inf, difference), 0.0)
    else:
        statistic = difference / error
        p_value = float(2 * distribution.sf(abs(statistic)))
    half = float(distribution.ppf((1 + confidence) / 2)) * error
    return TestResult(
        difference=difference,
        low=difference - half,
        high=difference + half,
        statistic=statistic,
        p_value=p_value,
    )
