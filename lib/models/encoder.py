"""What every image encoder gives: tokens and a pooled feature, and the layer to explain it by."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn


class EncoderOutput(NamedTuple):
    """Features of N images.

    Attributes:
        tokens: one feature per place of the image, row by row, `[N, P, D]`.
        pooled: one feature per image, `[N, D]`: what heads and contrastive losses read.
    """

    tokens: Tensor
    pooled: Tensor


class CamLayer(NamedTuple):
    """Where to compute a class activation map.

    Attributes:
        module: its output and the gradient there make the map.
        reshape: turns that output into feature maps `[N, D, rows, columns]`.
    """

    module: nn.Module
    reshape: Callable[[Tensor], Tensor]
