"""How many labels a method saves: at which label ratios it is not behind another one that had more."""

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from lib.metrics.bootstrap import BootstrapAUROC, ResampledAUROC

BETTER, WORSE, NOT_TOLD_APART = "better", "worse", "not told apart"


class LabelStep(NamedTuple):
    """A method at one label ratio against the reference.

    Attributes:
        label_ratio: of the method.
        difference: its AUROC minus that of the reference.
        verdict: better, worse, or not told apart.
    """

    label_ratio: float
    difference: BootstrapAUROC
    verdict: str


def verdict(low: float, high: float) -> str:
    """Say what an interval of a difference allows to say.

    "not told apart" is not "equal": the interval says how large a difference may still be.
    """
    if low > 0:
        return BETTER
    return WORSE if high < 0 else NOT_TOLD_APART


def label_efficiency(
    resampled: ResampledAUROC,
    by_ratio: Mapping[float, Hashable],
    reference: Hashable,
    *,
    confidence: float = 0.95,
) -> list[LabelStep]:
    """Compare a method at each label ratio with a reference, on the same resamples.

    Args:
        resampled: holds all of them.
        by_ratio: label ratio -> the method's name in `resampled`.
        reference: name in `resampled`, such as another method with all labels.
        confidence: of the intervals.

    Returns:
        From the smallest ratio to the largest.
    """
    steps = []
    for label_ratio in sorted(by_ratio):
        found = resampled.difference(by_ratio[label_ratio], reference, confidence=confidence)
        steps.append(LabelStep(label_ratio, found, verdict(found.low, found.high)))
    return steps


def enough_labels(steps: Sequence[LabelStep]) -> float | None:
    """Return the smallest label ratio from which on the method is not worse, None where it always is."""
    enough = None
    for step in sorted(steps, reverse=True, key=lambda step: step.label_ratio):
        if step.verdict == WORSE:
            break
        enough = step.label_ratio
    return enough
