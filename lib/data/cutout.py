"""Cutout: squares of a picture that are blanked (DeVries and Taylor 2017), as C2L varies its crops."""

import torch
from torch import Tensor


def draw_squares(
    shape: tuple[int, ...], number: int, side: int, picture_size: int, generator: torch.Generator
) -> Tensor:
    """Draw squares whose middles are any pixels of a picture, so that some reach over its border.

    Args:
        shape: of the pictures, for example `(B, V)`.
        number: squares of each.
        side: of a square, pixels.
        picture_size: side of a picture, pixels.
        generator: on the CPU.

    Returns:
        First and last row, first and last column of each, both ends included, int64 `[*shape, number, 4]`.
    """
    first = torch.randint(picture_size, (*shape, number, 2), generator=generator) - side // 2
    return torch.stack([first, first + side - 1], dim=-1).flatten(-2)


def cut_out_(pictures: Tensor, squares: Tensor, value: float) -> Tensor:
    """Blank squares, in place.

    Args:
        pictures: `[N, 1, C, C]`.
        squares: as `draw_squares` gives them, `[N, number, 4]`.
        value: what is put there.

    Returns:
        The same pictures.
    """
    places = torch.arange(pictures.shape[-1], device=pictures.device)
    top, bottom, left, right = squares[..., None].unbind(-2)  # [N, number, 1] each
    rows = (places >= top) & (places <= bottom)  # [N, number, C]
    columns = (places >= left) & (places <= right)  # [N, number, C]
    inside = rows[..., :, None] & columns[..., None, :]  # [N, number, C, C]
    return pictures.masked_fill_(inside.any(dim=1, keepdim=True), value)
