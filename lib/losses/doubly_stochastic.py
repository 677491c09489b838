"""The penalty that makes attention look everywhere once ("Show, Attend and Tell", section 4.2.1)."""

import torch
from torch import Tensor

from lib.losses.gather import mean_over_processes


def doubly_stochastic(weights: Tensor, is_predicted: Tensor) -> Tensor:
    """Score how far the attention that each place got over a whole report is from 1.

    Args:
        weights: of the places, `[B, T, L]`; they sum to 1 over L.
        is_predicted: bool `[B, T]`, the steps that count: those whose prediction is scored.

    Returns:
        The sum over places of (1 - sum over steps)^2, summed over reports and divided by the number of steps,
        float32. The paper adds it to the sum of a report's word losses; divided like this it stands in the
        same ratio to their mean. Among several processes as in `language_modeling`.
    """
    with torch.autocast(weights.device.type, enabled=False):
        received = (weights.float() * is_predicted.unsqueeze(-1)).sum(dim=1)  # [B, L]
        return (1 - received).square().sum() / mean_over_processes(is_predicted.sum().float())
