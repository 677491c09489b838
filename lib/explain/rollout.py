"""Attention rollout: what each token at the end is made of (Abnar and Zuidema 2020, Eq. 1).

Letters: N images, T tokens (the aggregation embedding first), H heads.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lib.explain.attention import from_pooled
from lib.explain.cam import on_grid


@torch.no_grad()
def rollout(classifier: nn.Module, images: Tensor, layer: int) -> Tensor:
    """Show which patches what is pooled is made of, if attention alone moved features.

    Args:
        classifier: see `lib.explain.explain`; its encoder has attention.
        images: `[N, C, H, W]`.
        layer: last block that counts.

    Returns:
        `[N, rows, columns]`.
    """
    maps = classifier.encoder.attention_maps(images)[: layer + 1]
    return on_grid(from_pooled(classifier.encoder, roll_out(maps)))


def roll_out(maps: Sequence[Tensor]) -> Tensor:
    """Multiply attention through the blocks; the shortcut around each keeps half.

    Args:
        maps: of each block from the first, `[N, H, T, T]`, rows sum to 1.

    Returns:
        `[N, T, T]`; rows sum to 1.
    """
    identity = torch.eye(maps[0].shape[-1], device=maps[0].device)
    rolled = identity.expand(len(maps[0]), -1, -1)
    for weights in maps:
        rolled = 0.5 * (weights.mean(dim=1) + identity) @ rolled
    return rolled
