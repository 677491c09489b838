"""The loss of classes that exclude each other."""

import torch
from torch import Tensor


def multiclass(logits: Tensor, labels: Tensor) -> Tensor:
    """Compute the cross-entropy over the images whose class is known.

    Args:
        logits: `[N, K]`.
        labels: 1 for the class of the image, 0 for the others, `[N, K]`; a row that holds NaN is not known.

    Returns:
        Mean over the images of known class, float32; zero (with a zero gradient) where none is known.
    """
    is_known = ~labels.isnan().any(dim=-1)  # [N]
    targets = torch.where(is_known.unsqueeze(-1), labels, 0.0)
    losses = -(targets * logits.float().log_softmax(dim=-1)).sum(dim=-1)
    return losses.sum() / is_known.sum().clamp(min=1)
