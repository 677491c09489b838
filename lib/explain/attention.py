"""Attention of one block of the radiograph transformer, as a map.

Letters: N images, P patches, T = 1 + P tokens (the aggregation embedding first), H heads.
"""

import torch
from torch import Tensor, nn

from lib.explain.cam import on_grid


@torch.no_grad()
def attention(classifier: nn.Module, images: Tensor, layer: int, head: int | None) -> Tensor:
    """Show how much what is pooled attends to each patch.

    Args:
        classifier: see `lib.explain.explain`; its encoder has attention.
        images: `[N, C, H, W]`.
        layer: block, from 0.
        head: one of them; None: the mean.

    Returns:
        `[N, rows, columns]`; sums to what is not attended to the aggregation embedding, at most 1.
    """
    weights = _of_head(classifier.encoder.attention_maps(images)[layer], head)
    return on_grid(from_pooled(classifier.encoder, weights))


@torch.no_grad()
def attention_of_place(
    encoder: nn.Module, images: Tensor, place: int, layer: int, head: int | None = None
) -> Tensor:
    """Show what one patch attends to.

    Args:
        encoder: one with attention, in evaluation mode.
        images: `[N, C, H, W]`.
        place: of the patch, row by row from 0.
        layer: block, from 0; -1: the last.
        head: one of them; None: the mean.

    Returns:
        `[N, rows, columns]`.

    Raises:
        ValueError: no such place.
    """
    num_places = encoder.grid_size**2
    if not 0 <= place < num_places:
        raise ValueError(f"There is no place {place}: give 0 to {num_places - 1}.")
    weights = _of_head(encoder.attention_maps(images)[layer], head)  # [N, T, T]
    return on_grid(weights[:, 1 + place, 1:])


def from_pooled(encoder: nn.Module, weights: Tensor) -> Tensor:
    """Return the row of what is pooled, over the patches: `[N, T, T]` to `[N, P]`.

    Preset "paper" pools the mean over the patches, so it is the mean of their rows; the others pool the
    aggregation embedding.
    """
    return weights[:, 1:, 1:].mean(dim=1) if encoder.is_concatenated else weights[:, 0, 1:]


def _of_head(weights: Tensor, head: int | None) -> Tensor:
    """Choose a head, or take the mean: [N, H, T, T] to [N, T, T]."""
    return weights.mean(dim=1) if head is None else weights[:, head]
