"""Dropout that costs little on a CPU."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Dropout(nn.Dropout):
    """Zero random elements in training and scale the others up so that the mean is kept.

    On a CPU, PyTorch draws one Bernoulli number per element, which in a transformer costs more than the
    matrix product before it (docs/refers.md). Here one byte is drawn per element, eight to a 64-bit number,
    so `p` is rounded to a multiple of 1/256 (0.1 becomes 0.1016); the scale is that of the rounded value.
    Other devices use PyTorch's own.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training mode; return `x` itself otherwise."""
        threshold = round(self.p * 256)
        if not self.training or threshold == 0:
            return x
        if x.device.type != "cpu" or threshold == 256:
            return F.dropout(x, self.p, training=True)
        numbers = torch.empty((x.numel() + 7) // 8, dtype=torch.int64)
        numbers.random_(
            -(2**63), None
        )  # the full range: the default leaves the sign bit, hence a byte, biased
        # Compared and scaled in the type of x, where such passes are vectorised; with booleans they are not.
        kept = numbers.view(torch.uint8)[: x.numel()].view(x.shape).to(x.dtype).ge_(threshold)
        return x * kept.mul_(256 / (256 - threshold))
