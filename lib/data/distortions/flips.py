"""Mirror pictures along random axes (Model Genesis)."""

import torch
from torch import Tensor

from lib.data.distortions.drawn import on_device


def draw_flips(num_pictures: int, probability: float, most: int, generator: torch.Generator) -> Tensor:
    """Draw which pictures are upside down and which are mirrored left to right, bool `[N, 2]`.

    Flips are made one after the other, each along one of both axes, as long as chance goes on; two along the
    same axis undo each other.

    Args:
        num_pictures: N.
        probability: that another flip follows.
        most: flips of a picture.
        generator: on the CPU.
    """
    shape = (num_pictures, most)
    happens = (torch.rand(shape, generator=generator) < probability).cumprod(1)  # [N, most]
    axis = torch.randint(2, shape, generator=generator)
    counts = torch.stack([(happens * (axis == one)).sum(1) for one in (0, 1)], dim=1)
    return counts % 2 == 1


def flip(pictures: Tensor, flips: Tensor) -> Tensor:
    """Mirror the pictures `[N, 1, H, W]` that `flips` (`[N, 2]`, on the CPU) names."""
    flipped = pictures.clone()
    for axis in (0, 1):
        rows = on_device(flips[:, axis].nonzero().squeeze(1), pictures.device)
        flipped.index_copy_(0, rows, flipped.index_select(0, rows).flip(axis + 2))
    return flipped
