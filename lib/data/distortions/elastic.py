"""Bend a picture like rubber: every pixel is displaced, neighbours alike (elastic deformation, TransVW).

Letters: N pictures, K nodes along each axis, H and W sides.
"""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from lib.data.distortions.drawn import on_device

REACH = 4
"""Deviations of a bump beyond the picture in which nodes still matter."""


def draw_nodes(num_pictures: int, smoothness: float, generator: torch.Generator) -> Tensor:
    """Draw the heights of the bumps that make up two fields, along rows and along columns, `[N, 2, K, K]`.

    Args:
        num_pictures: N.
        smoothness: deviation of a bump, as a share of the picture's side.
        generator: on the CPU.
    """
    number = len(_nodes(smoothness))
    return torch.randn(num_pictures, 2, number, number, generator=generator)


def places(nodes: Tensor, sides: tuple[int, int], displacement: float, smoothness: float) -> Tensor:
    """Return from where each pixel is read, to the right and down.

    The usual field of displacements is noise in every pixel, smoothed by a Gaussian and multiplied. Noise one
    deviation of the Gaussian apart gives the same field: its covariances differ by less than a thousandth,
    and two narrow matrix products make it, at any size of the pictures. Each row of weights is scaled to a
    norm of 1, so every pixel's displacement has the wanted deviation, those at the border too. The places of
    the pixels themselves are two more nodes.

    Args:
        nodes: of `draw_nodes`.
        sides: H and W.
        displacement: deviation of what a pixel is displaced by along each axis, as a share of the side.
        smoothness: as it was drawn with.

    Returns:
        `[N, 2, H, W]`, on the scale of `grid_sample`: -1 to 1 between the outer edges of the pixels.
    """
    with torch.autocast(nodes.device.type, enabled=False):  # coarse numbers would make steps in the field
        down, right = (_weights(side, smoothness).to(nodes.device) for side in sides)  # [H, K], [W, K]
        rows, columns = ((torch.arange(side, device=nodes.device) + 0.5) * (2 / side) - 1 for side in sides)
        down = torch.cat([down, torch.stack([torch.ones_like(rows), rows], 1)], 1)  # [H, K + 2]
        right = torch.cat([2 * displacement * right, torch.stack([columns, torch.ones_like(columns)], 1)], 1)
        nodes = F.pad(nodes, (0, 2, 0, 2))  # [N, 2, K + 2, K + 2]
        nodes[:, 0, -2, -2] = nodes[:, 1, -1, -1] = 1  # to the right the column, down the row
        return down @ nodes @ right.T


def deform(pictures: Tensor, nodes: Tensor, displacement: float, smoothness: float) -> Tensor:
    """Displace the pixels of `[N, 1, H, W]`: bilinear, mirrored where a pixel comes from outside."""
    sides = (pictures.shape[2], pictures.shape[3])
    grid = places(on_device(nodes, pictures.device), sides, displacement, smoothness).permute(0, 2, 3, 1)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def _nodes(smoothness: float) -> Tensor:
    """Return where the middles of the bumps are, as shares of the side, `[K]`."""
    last = int(1 / smoothness) + 1 + REACH
    return torch.arange(-REACH, last + 1, dtype=torch.float64) * smoothness


@functools.cache
def _weights(side: int, smoothness: float) -> Tensor:
    """Return how much each node counts for each pixel along one axis, float32 `[side, K]`."""
    pixels = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    weights = torch.exp(-0.5 * ((pixels[:, None] - _nodes(smoothness)) / smoothness).square())
    return (weights / weights.norm(dim=1, keepdim=True)).float()
