"""Losses over the batch of all processes, when several train together (torch.distributed).

With one process every function here returns what it was given.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def num_processes() -> int:
    """Return how many processes train together; 1 outside a process group."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def gather_rows(x: Tensor) -> Tensor:
    """Join the rows of all processes, in their order: `[N, ...]` to `[processes * N, ...]`.

    Gradients flow back to the process that a row came from, summed over the losses of all processes. Where
    every process computes the same loss from the gathered rows and gradients are averaged over processes,
    as DistributedDataParallel does, the result is the gradient of that loss.
    """
    return x if num_processes() == 1 else _Gather.apply(x)


def mean_over_processes(x: Tensor) -> Tensor:
    """Average a tensor over the processes, without gradient."""
    if num_processes() == 1:
        return x
    total = x.detach().clone()
    dist.all_reduce(total)
    return total / num_processes()


class _Gather(torch.autograd.Function):
    """All-gather whose backward pass is a sum over the processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Gather rows of equal number from every process."""
        parts = [torch.empty_like(x) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, x.contiguous())
        ctx.num_rows = len(x)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Sum what all processes have for this one's rows."""
        gradient = gradient.contiguous()
        dist.all_reduce(gradient)
        start = dist.get_rank() * ctx.num_rows
        return gradient[start : start + ctx.num_rows]
