"""Shuffle the pixels inside many small windows (Model Genesis).

Letters: N pictures, A arrangements, K windows, L pixels of all windows together, one window after the other.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lib.data.distortions.drawn import draw_integers, on_device

ARRANGEMENTS = 4
"""Of the windows of a batch, among which each picture draws one. Every picture alone is shuffled as if it had
its own, which for 32 pictures of 112 px took four times as long."""


class Windows(NamedTuple):
    """Arrangements of windows, and how each window's pixels are shuffled: the same in all arrangements."""

    arrangement: Tensor  # int64 [N], of each picture
    top: Tensor  # [A, K]
    left: Tensor  # [A, K]
    height: Tensor  # [K]
    width: Tensor  # [K]
    window: Tensor  # [L], which window a pixel is of
    row: Tensor  # [L], inside the window
    column: Tensor  # [L]
    source: Tensor  # [L], the pixel that its value is read from


def draw_windows(
    num_pictures: int,
    sides: tuple[int, int],
    num_windows: int,
    largest_share: float,
    generator: torch.Generator,
) -> Windows:
    """Draw windows of 1 pixel to `largest_share` of the picture along each side, all sizes equally likely."""
    count = torch.ones(num_windows, dtype=torch.int64)
    height, width = (draw_integers(1, max(1, int(side * largest_share)) * count, generator) for side in sides)
    top, left = (
        draw_integers(0, (side - size).expand(ARRANGEMENTS, -1), generator)
        for side, size in zip(sides, (height, width), strict=True)
    )
    areas = height * width
    window = torch.repeat_interleave(areas)
    pixel = torch.arange(len(window))
    place = pixel - (areas.cumsum(0) - areas).index_select(0, window)  # inside its window
    # Sorted by window, and inside a window by chance: a number holds the window, bits of chance, as many as
    # there is room for, and the pixel. NumPy sorts numbers in a third of the time that argsort takes.
    pixel_bits = len(window).bit_length()
    chance_bits = min(53, 63 - num_windows.bit_length() - pixel_bits)
    chance = torch.empty_like(window).random_(-(2**63), None, generator=generator)
    chance = chance.bitwise_and_(2**53 - 1) >> (53 - chance_bits)  # the same as of a double of `torch.rand`
    keys = ((window << chance_bits | chance) << pixel_bits) | pixel
    keys.numpy().sort()
    source = keys & (2**pixel_bits - 1)
    wide = width.index_select(0, window)
    row = (place.double() / wide).long()  # rounded down; to divide whole numbers takes four times as long
    column = place - row * wide
    arrangement = torch.randint(ARRANGEMENTS, (num_pictures,), generator=generator)
    return Windows(arrangement, top, left, height, width, window, row, column, source)


def shuffle_windows(pictures: Tensor, windows: Windows) -> Tensor:
    """Shuffle inside windows of `[N, 1, H, W]`.

    All windows read the picture as it was; where they overlap, the last one is seen.
    """
    columns, device = pictures.shape[-1], pictures.device
    corners, inside = windows.top * columns + windows.left, windows.row * columns + windows.column
    # [A, L], places in the picture, row by row
    covered = corners.gather(1, windows.window.expand(len(corners), -1)).add_(inside)
    numbers = torch.arange(1, covered.shape[1] + 1).expand_as(covered)
    last = torch.zeros(
        len(covered), pictures.shape[-2] * columns, dtype=torch.int64
    )  # [A, H * W]; 0: in no window
    last.scatter_reduce_(1, covered, numbers, "amax")
    moves = torch.cat([torch.zeros(1, dtype=torch.int64), inside.index_select(0, windows.source) - inside])
    read = moves.index_select(0, last.flatten()).view_as(last).add_(torch.arange(last.shape[1]))
    arrangement, read = on_device(windows.arrangement, device), on_device(read, device)
    return pictures.flatten(1).gather(1, read.index_select(0, arrangement)).view_as(pictures)
