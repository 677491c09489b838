"""The class activation map of the paper: what each final token would add to the logit (REFERS, Figure 3).

Letters: N images, P places, D width.
"""

import math

import torch
from torch import Tensor, nn


@torch.no_grad()
def cam(classifier: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Let the head read the feature of every place (Zhou et al. 2016, Eq. 2); what speaks against is 0.

    The norm between encoder and head is applied to each place as it is to the pooled feature. Where that is
    the mean over the places (ResNet, preset "paper"), the mean of this map before it is cut at 0 is the
    logit without its bias.

    Args:
        classifier: see `lib.explain.explain`.
        images: `[N, C, H, W]`.
        targets: outputs of the head, `[N]`.

    Returns:
        `[N, rows, columns]`.
    """
    tokens = classifier.encoder(images).tokens  # [N, P, D]
    normed = classifier.norm(tokens.flatten(0, 1)).view_as(tokens)
    weights = classifier.head.weight[targets]  # [N, D]
    return on_grid(torch.einsum("npd,nd->np", normed, weights).clamp(min=0))


def on_grid(values: Tensor) -> Tensor:
    """Lay values of the places of a square, row by row, out: `[N, P]` to `[N, rows, columns]`."""
    side = math.isqrt(values.shape[1])
    return values.unflatten(1, (side, side))
