"""From the places of a convolutional encoder to cells of equal size that cover the image.

Letters: N maps, P places of a row and of a column.
"""

import torch
from torch import Tensor

FINENESS = 4
"""Cells for each place: between two cells a peak that lies on their border loses 1 / (2 FINENESS)."""


def on_cells(maps: Tensor, centres: Tensor, image_size: int) -> Tensor:
    """Draw maps where their places look, which is not where a grid of cells would put them.

    Values are interpolated between the middles of the places; beyond the first and the last they go on.

    Args:
        maps: `[N, P, P]`.
        centres: middles of the places of a row, pixels from the edge, `[P]`.
        image_size: pixels of a side.

    Returns:
        `[N, FINENESS * P, FINENESS * P]`: cells of equal size, from edge to edge.
    """
    count = FINENESS * len(centres)
    pixels = (torch.arange(count, device=maps.device) + 0.5) * image_size / count
    step = centres[1] - centres[0] if len(centres) > 1 else image_size
    where = ((pixels - centres[0].to(maps.device)) / step).clamp(0, len(centres) - 1)  # counted in places
    distance = where[:, None] - torch.arange(len(centres), device=maps.device)
    weights = (1 - distance.abs()).clamp(min=0)  # [cells, P], rows sum to 1
    return weights @ maps @ weights.mT
