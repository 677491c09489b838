"""Swap pairs of small patches (Context Restoration).

Letters: N pictures, T swaps, S side of a patch.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lib.data.distortions.drawn import draw_integers, on_device


class Swaps(NamedTuple):
    """The upper left corners of both patches of each swap, row and column, int64 `[N, T, 2]`."""

    first: Tensor
    second: Tensor


def check_patch_size(patch_size: int, sides: tuple[int, int]) -> None:
    """Refuse patches of which no two fit into a picture of these sides without touching each other's pixels.

    Raises:
        ValueError: names the setting and the largest value.
    """
    most = min(min(sides), max(sides) // 2)
    if not 1 <= patch_size <= most:
        raise ValueError(
            f"patch_size {patch_size}: two patches of {patch_size} px do not fit side by side into pictures "
            f"of {sides[0]} x {sides[1]} px; give 1 to {most}."
        )


def draw_swaps(
    num_pictures: int, sides: tuple[int, int], patch_size: int, num_swaps: int, generator: torch.Generator
) -> Swaps:
    """Draw T pairs of disjoint patches for each picture; all such pairs are equally likely.

    The distance between both corners is drawn first, by the number of pairs that have it: that needs no
    second try where patches overlap, so the time is always the same.

    Raises:
        ValueError: patches too large for the pictures.
    """
    check_patch_size(patch_size, sides)
    places = [side - patch_size + 1 for side in sides]  # of a corner along each axis
    down, right = torch.meshgrid(*(torch.arange(count) for count in places), indexing="ij")
    pairs = (places[0] - down) * (places[1] - right) * (1 + ((down > 0) & (right > 0)).long())
    pairs[:patch_size, :patch_size] = 0  # patches that overlap
    drawn = torch.multinomial(
        pairs.flatten().double(), num_pictures * num_swaps, replacement=True, generator=generator
    )
    down, right = (distance.flatten()[drawn].view(num_pictures, num_swaps) for distance in (down, right))
    top = draw_integers(0, places[0] - 1 - down, generator)
    left = draw_integers(0, places[1] - 1 - right, generator)
    is_rising = (
        torch.rand(drawn.shape, generator=generator).view_as(top) < 0.5
    )  # the lower one is to the left
    return Swaps(
        torch.stack([top, left + is_rising * right], dim=-1),
        torch.stack([top + down, left + ~is_rising * right], dim=-1),
    )


def swap_patches_(pictures: Tensor, swaps: Swaps, patch_size: int) -> Tensor:
    """Swap patches in place, one pair after the other: a patch can move on with a later swap.

    Args:
        pictures: `[N, 1, H, W]`.
        swaps: of all of them.
        patch_size: S.

    Returns:
        The same pictures.
    """
    columns = pictures.shape[-1]
    steps = torch.arange(patch_size, device=pictures.device)
    inside = (steps[:, None] * columns + steps).flatten()  # [S * S], from a corner to the pixels of its patch
    first, second = (
        (corners[..., 0] * columns + corners[..., 1]).T[..., None] + inside  # [T, N, S * S]
        for corners in (on_device(corners, pictures.device) for corners in swaps)
    )
    # Both patches of a swap at once: read from `there`, written to `here`.
    here, there = torch.cat([first, second], dim=2), torch.cat([second, first], dim=2)  # [T, N, 2 * S * S]
    pixels = pictures.view(len(pictures), pictures.shape[1:].numel())  # [N, H * W]
    for written, read in zip(here, there, strict=True):
        pixels.scatter_(1, written, pixels.gather(1, read))
    return pictures
