"""A slow copy of a module that follows it: the momentum encoder of MoCo (He et al. 2020, Eq. 2)."""

import copy
from typing import Any

import torch
from torch import nn


class MomentumTeacher(nn.Module):
    """The exponential moving average of a module's parameters; it learns nothing itself.

    Only parameters are averaged. Buffers are the copy's own: a batch norm in it collects the statistics of
    what the teacher sees, as in the published MoCo. In training it is as noisy as its student: batch norms
    use the batch and dropout drops.

    Call `follow` once a step, at the start of the objective's forward pass in training: weights then are
    those that the last step left, so a teacher needs no place in the training loop, and a checkpoint, which
    is written between two steps, holds all of it. In a checkpoint it has not yet followed the last step.

    Args:
        student: what it copies and follows.
        momentum: share m of itself that it keeps: teacher = m teacher + (1 - m) student.

    Raises:
        ValueError: a momentum outside 0..1.
    """

    def __init__(self, student: nn.Module, momentum: float):
        super().__init__()
        if not 0 <= momentum <= 1:
            raise ValueError(f"momentum {momentum} of the teacher is not a share; give a number from 0 to 1.")
        self.momentum = momentum
        self.copy = copy.deepcopy(student).requires_grad_(False)

    @torch.no_grad()
    def follow(self, student: nn.Module) -> None:
        """Move every parameter towards the student's."""
        own, theirs = list(self.copy.parameters()), list(student.parameters())
        torch._foreach_lerp_(own, theirs, 1 - self.momentum)

    @torch.no_grad()
    def forward(self, *inputs: Any) -> Any:
        """Return what the copy makes of the inputs, without gradient."""
        return self.copy(*inputs)
