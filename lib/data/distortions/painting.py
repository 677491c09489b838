"""Paint noise into boxes of a picture, or everywhere but in windows of it (Model Genesis).

Letters: N pictures, K boxes of a picture.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lib.data.distortions.drawn import draw_integers, on_device

MARGIN = 3
"""Pixels between any box and the border of its picture."""

SMALLEST = 14
"""Sides of the smallest picture that the largest window fits into with its margins."""


class Boxes(NamedTuple):
    """Boxes of pictures; those that a picture does not have are 0 px wide."""

    top: Tensor  # int64 [N, K]
    left: Tensor  # [N, K]
    height: Tensor  # [N, K]
    width: Tensor  # [N, K]
    is_kept: Tensor  # bool [N], noise is painted outside and not inside


def draw_boxes(
    is_painted: Tensor,
    is_kept: Tensor,
    sides: tuple[int, int],
    *,
    most: int,
    probability: float,
    generator: torch.Generator,
) -> Boxes:
    """Draw the boxes of pictures.

    Boxes that are filled: none to `most`, of a sixth to a third of each side. Windows that are kept: one to
    `most`, of 3/7 to 4/7 of each side.

    Args:
        is_painted: bool `[N]`, on the CPU; the others get no box.
        is_kept: bool `[N]`, which pictures keep what is inside.
        sides: of the pictures.
        most: boxes of a picture, K.
        probability: that another box follows.
        generator: on the CPU.

    Raises:
        ValueError: pictures too small for boxes with a margin.
    """
    check_sides(sides)
    shape, is_kept = (len(is_painted), most), is_kept & is_painted
    is_there = torch.rand(shape, generator=generator) < probability
    is_there[:, 0] |= is_kept
    is_there = is_there.cumprod(1) * is_painted[:, None]
    corners, sizes = [], []
    for side in sides:
        low, high = (
            torch.where(is_kept, kept, filled)[:, None].expand(shape)
            for kept, filled in ((side - 4 * side // 7, side // 6), (side - 3 * side // 7, side // 3))
        )
        size = draw_integers(low, high, generator)
        corners.append(draw_integers(MARGIN, side - MARGIN - size, generator))
        sizes.append(size * is_there)
    return Boxes(*corners, *sizes, is_kept)


def check_sides(sides: tuple[int, int]) -> None:
    """Refuse pictures that boxes with a margin do not fit into.

    Raises:
        ValueError: names the sides and the smallest ones.
    """
    if min(sides) < SMALLEST:
        raise ValueError(
            f"image_size {min(sides)} is too small to paint into with a margin of {MARGIN} px; give "
            f"{SMALLEST} or more."
        )


def paint_(pictures: Tensor, boxes: Boxes, noise: Tensor) -> Tensor:
    """Replace pixels by noise, in place: inside boxes, or outside where they are kept.

    Args:
        pictures: `[N, 1, H, W]`.
        boxes: of all of them.
        noise: greys from 0 to 255, uint8 of the same shape, on the CPU.

    Returns:
        The same pictures.
    """
    device = pictures.device
    top, left, height, width, is_kept = (on_device(values, device) for values in boxes)
    rows, columns = (
        ((steps >= start[..., None]) & (steps < (start + size)[..., None])).float()  # [N, K, H], [N, K, W]
        for steps, start, size in (
            (torch.arange(pictures.shape[2], device=device), top, height),
            (torch.arange(pictures.shape[3], device=device), left, width),
        )
    )
    # The share of noise is the number of boxes over a pixel, cut to 1; where boxes are kept, 1 less it, and
    # cut to 0. So it comes out of one product, and such numbers are exact in bfloat16 too.
    sign = 1.0 - 2.0 * is_kept[:, None, None]  # [N, 1, 1]
    rows = torch.cat([sign * rows, is_kept[:, None, None].expand_as(rows[:, :1])], dim=1)
    share = (rows.mT @ torch.cat([columns, torch.ones_like(columns[:, :1])], dim=1)).clamp_(0, 1)  # [N, H, W]
    greys = on_device(noise, device).to(pictures.dtype).mul_(1 / 255)
    return pictures.lerp_(greys, share[:, None].to(pictures.dtype))
