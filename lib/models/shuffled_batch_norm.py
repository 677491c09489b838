"""Batch norm in small groups, which hides from a loss what belongs to one batch (He et al. 2020, 3.3).

Statistics over the batch would tell a query which keys were made beside it. MoCo shuffles pictures between
GPUs; here the groups of one device have statistics of their own, and several processes need no exchange.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def has_batch_norm(module: nn.Module) -> bool:
    """Say whether pictures of a batch mix in a module; in a transformer they do not."""
    return any(isinstance(part, _BatchNorm) for part in module.modules())


def in_groups(
    encode: Callable[[Tensor], Tensor], images: Tensor, num_groups: int, *, shuffled: bool = False
) -> Tensor:
    """Encode a batch group by group.

    Args:
        encode: from `[n, ...]` to `[n, E]`.
        images: `[N, ...]`.
        num_groups: of equal size.
        shuffled: take random pictures for each group, not neighbours. The order is drawn from torch's CPU
            generator, so that a seed means the same on every device.

    Returns:
        `[N, E]`, in the order of the images.

    Raises:
        ValueError: groups that are not equal, or of one picture, which has no statistics.
    """
    if len(images) % num_groups or (num_groups > 1 and len(images) == num_groups):
        raise ValueError(
            f"A batch of {len(images)} pictures makes no {num_groups} equal groups of two or more; change "
            "objective.shuffle_groups or loader.batch_size."
        )
    if num_groups == 1:
        return encode(images)
    order = torch.randperm(len(images)) if shuffled else torch.arange(len(images))
    order = order.to(images.device)
    parts = [encode(part) for part in images[order].chunk(num_groups)]
    return torch.cat(parts)[order.argsort()]
