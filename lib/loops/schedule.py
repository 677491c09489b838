"""The learning-rate schedule: a pure function of the step."""

import math


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
