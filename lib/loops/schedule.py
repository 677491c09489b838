"""Learning-rate schedules: pure functions of the step, and of the validations so far."""

import math
from collections.abc import Sequence


def learning_rate_factor(step: int, *, steps: int, warmup_steps: int) -> float:
    """Compute what the learning rates are multiplied with: linear from 0 to 1, then cosine to 0.

    The published REFERS code writes the decay as a squared cosine of half the angle: the same curve.

    Args:
        step: counted from 0; with a warm-up the very first step has factor 0, as in the published code.
        steps: of the whole run.
        warmup_steps: length of the linear part.

    Returns:
        Between 0 and 1; 0 from `steps` on.
    """
    if step < warmup_steps:
        return step / warmup_steps
    progress = min(1.0, (step - warmup_steps) / (steps - warmup_steps))
    return 0.5 * (1 + math.cos(math.pi * progress))


def plateau_factor(step: int, *, warmup_steps: int, reductions: int, reduction: float) -> float:
    """Compute what the learning rates are multiplied with: a warm-up, then less after each plateau.

    Args:
        step: counted from 0.
        warmup_steps: length of the linear part.
        reductions: plateaus so far.
        reduction: factor of each; ConVIRT halves (appendix A).
    """
    rising = step / warmup_steps if step < warmup_steps else 1.0
    return rising * reduction**reductions


def milestone_factor(
    step: int, *, steps: int, warmup_steps: int, milestones: Sequence[float], reduction: float
) -> float:
    """Compute what the learning rates are multiplied with: a warm-up, then less from each milestone on.

    Args:
        step: counted from 0.
        steps: of the whole run.
        warmup_steps: length of the linear part.
        milestones: shares of the steps after which the rates are reduced.
        reduction: factor of each; 0.1 in MoCo.
    """
    rising = step / warmup_steps if step < warmup_steps else 1.0
    return rising * reduction ** sum(step >= share * steps for share in milestones)
