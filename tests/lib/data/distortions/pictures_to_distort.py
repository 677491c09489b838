"""Pictures whose pixels are all different, so that each can be followed."""

import torch
from torch import Tensor


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(num_pictures: int, rows: int, columns: int) -> Tensor:
    """Return pictures with the numbers 0, 1, 2, ... as pixels, row by row and picture by picture."""
    count = num_pictures * rows * columns
    return torch.arange(count, dtype=torch.float64).view(num_pictures, 1, rows, columns)
