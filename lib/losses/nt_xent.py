"""NT-Xent, the contrastive loss between two crops of the same pictures (Chen et al. 2020a, Eq. 1)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def nt_xent(first: Tensor, second: Tensor, *, temperature: float) -> Tensor:
    """Pick each embedding's own partner out of all others of the batch, by cosine similarity.

    Args:
        first: one row per picture, `[N, E]`.
        second: of the same pictures, differently varied, `[N, E]`.
        temperature: divides the cosine similarities.

    Returns:
        Mean over the 2 N embeddings, each against 2 N - 1; float32, also under autocast.
    """
    with torch.autocast(first.device.type, enabled=False):
        embeddings = F.normalize(torch.cat([first, second]).float(), dim=-1)  # [2 N, E]
        logits = embeddings @ embeddings.T / temperature  # [2 N, 2 N]
        itself = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
        partners = torch.arange(len(logits), device=logits.device).roll(len(first))
        return F.cross_entropy(logits.masked_fill(itself, -math.inf), partners)
