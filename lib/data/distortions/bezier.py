"""Change the intensities of a picture by a random Bezier curve (Model Genesis)."""

from typing import NamedTuple

import torch
from torch import Tensor

from lib.data.distortions.drawn import on_device

SAMPLES = 300
"""Points of a curve, joined by lines."""

LEVELS = 256
"""Intensities that a picture's are rounded to before the curve: the greys of stored pictures."""


class Curves(NamedTuple):
    """Cubic curves from (0, 0) to (1, 1), one for each picture."""

    control: Tensor  # [N, 2, 2], the two points in between, x and y
    is_falling: Tensor  # bool [N], mirrored: from (0, 1) to (1, 0)


def draw_curves(num_pictures: int, generator: torch.Generator) -> Curves:
    """Draw curves with control points anywhere in the unit square; half of them fall."""
    control = torch.rand(num_pictures, 2, 2, generator=generator)
    return Curves(control, torch.rand(num_pictures, generator=generator) < 0.5)


def curve_tables(curves: Curves) -> Tensor:
    """Return what each curve makes of `LEVELS` intensities, evenly from 0 to 1, `[N, LEVELS]`.

    Control points inside the unit square let neither x nor y go back on the way, so that every curve is a
    function, which rises everywhere. The published code sorts x, and y in half of all cases; as its points
    come in falling order, the other half falls: y(1 - t) over x(t).
    """
    # In double precision: a steep end holds many points, and no two of them may fall on one x.
    t = torch.linspace(0, 1, SAMPLES, dtype=torch.float64, device=curves.control.device)
    weights = torch.stack([3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t)])  # [2, SAMPLES]
    x, y = (curves.control.double().mT @ weights + t**3).unbind(1)  # [N, SAMPLES] each
    y = torch.where(curves.is_falling[:, None], y.flip(1), y)
    levels = torch.linspace(0, 1, LEVELS, dtype=t.dtype, device=t.device)
    # How many points lie below each level, counted: to search for them took three times as long.
    next_level = (x * (LEVELS - 1)).long().add_(1)  # [N, SAMPLES], the first one above each point
    below = torch.zeros(len(x), LEVELS + 1, dtype=torch.int64, device=t.device)
    below.scatter_add_(1, next_level, torch.ones_like(next_level))
    above = below[:, :LEVELS].cumsum(1).clamp_(1, SAMPLES - 1)  # [N, LEVELS], the end of each line
    (x_low, x_high), (y_low, y_high) = ([line.gather(1, above - 1), line.gather(1, above)] for line in (x, y))
    return (y_low + (levels - x_low) / (x_high - x_low) * (y_high - y_low)).float()


def bend_intensities_(pictures: Tensor, curves: Curves) -> Tensor:
    """Pass the intensities of each picture through its curve, in place.

    Args:
        pictures: `[N, 1, H, W]`, all of them in 0..1.
        curves: of all of them.

    Returns:
        The same pictures.
    """
    tables = curve_tables(Curves(*(on_device(values, pictures.device) for values in curves)))
    pixels = pictures.view(len(pictures), pictures.shape[1:].numel())  # [N, H * W]
    levels = torch.add(0.5, pixels, alpha=LEVELS - 1, out=pixels).long()  # rounded
    torch.gather(tables, 1, levels, out=pixels)
    return pictures
