"""The loss of independent yes/no labels."""

import torch
import torch.nn.functional as F
from torch import Tensor


def multilabel(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the binary cross-entropy over the known labels.

    Args:
        logits: `[N, K]`.
        labels: 1, 0 or NaN where not known, `[N, K]`.

    Returns:
        Mean over the known labels, float32; zero (with a zero gradient) where none is known.
    """
    is_known = ~labels.isnan()
    losses = F.binary_cross_entropy_with_logits(
        logits.float(), torch.where(is_known, labels, 0.0), reduction="none"
    )
    return (losses * is_known).sum() / is_known.sum().clamp(min=1)
