"""Mixtures of pairs of a batch, as C2L makes them of pictures and of features.

Letters: B rows of a batch.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Mixing(NamedTuple):
    """One weight for the whole batch, and with which row each is mixed.

    Attributes:
        weight: lambda, the share of the row itself, 0.5 to 1; the partner has the rest.
        partners: a permutation, int64 `[B]`.
    """

    weight: float
    partners: Tensor

    def of(self, rows: Tensor) -> Tensor:
        """Mix rows `[B, ...]`: each keeps the larger share of its own mixture."""
        return self.weight * rows + (1 - self.weight) * rows[self.partners]


def draw_mixing(size: int, generator: torch.Generator | None = None) -> Mixing:
    """Draw b ~ Beta(1, 1), which is uniform, lambda = max(b, 1 - b), and a permutation.

    Args:
        size: of the batch, B.
        generator: on the CPU, so that a seed means the same on every device; None: torch's own.
    """
    share = torch.rand((), generator=generator).item()
    return Mixing(max(share, 1 - share), torch.randperm(size, generator=generator))
