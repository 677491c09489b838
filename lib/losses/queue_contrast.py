"""Contrast queries with their own keys and with K keys of other pictures, in a queue as a rule (MoCo; C2L).

Losses take scores, cosine similarities over the temperature: column 0 is each query's own key, the others are
those of other pictures. Letters: B queries, E width.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def queue_scores(queries: Tensor, keys: Tensor, queue: Tensor, *, temperature: float) -> Tensor:
    """Compare each query with its own key and with all keys of the queue.

    Args:
        queries: `[B, E]`.
        keys: of the same pictures, `[B, E]`.
        queue: of other pictures, of length 1, `[K, E]`.
        temperature: divides the cosine similarities.

    Returns:
        Float32 `[B, 1 + K]`, also under autocast.
    """
    with torch.autocast(queries.device.type, enabled=False):
        queries, keys = F.normalize(queries.float(), dim=-1), F.normalize(keys.float(), dim=-1)
        own = (queries * keys).sum(dim=1, keepdim=True)  # [B, 1]
        return torch.cat([own, queries @ queue.float().T], dim=1) / temperature


def batch_scores(queries: Tensor, keys: Tensor, *, temperature: float) -> Tensor:
    """Compare each query with its own key and with the keys of all others in the batch.

    Args:
        queries: `[B, E]`.
        keys: of the same pictures, `[B, E]`.
        temperature: divides the cosine similarities.

    Returns:
        Float32 `[B, B]`, its own key in column 0, also under autocast.
    """
    with torch.autocast(queries.device.type, enabled=False):
        queries, keys = F.normalize(queries.float(), dim=-1), F.normalize(keys.float(), dim=-1)
        scores = queries @ keys.T / temperature
        rows = torch.arange(len(scores), device=scores.device)
        return scores.gather(1, (rows[:, None] + rows) % len(rows))  # each row turned until its own is first


def softmax_contrast(scores: Tensor) -> Tensor:
    """Pick each query's own key out of all: InfoNCE (He et al. 2020, Eq. 1); mean over the batch."""
    return F.cross_entropy(scores, scores.new_zeros(len(scores), dtype=torch.int64))


def log_normaliser(scores: Tensor) -> Tensor:
    """Return the logarithm of the mean of exp(score) over a batch: what stands for Z in `noise_contrast`."""
    return scores.detach().logsumexp(dim=(0, 1)) - math.log(scores.numel())


def noise_contrast(scores: Tensor, log_z: Tensor) -> Tensor:
    """Tell each query's own key from K keys of noise: NCE (Wu et al. 2018, 3.2).

    There a key is the own one with probability P / (P + K / n), where P = exp(score) / (n z) and z is the
    mean of exp(score). The number n of pictures cancels, and what remains is a logistic function of
    score - log z - log K.

    Args:
        scores: `[B, 1 + K]`.
        log_z: logarithm of z, without gradient; see `log_normaliser`.

    Returns:
        Sum over the 1 + K decisions, mean over the batch.
    """
    logits = scores - log_z - math.log(scores.shape[1] - 1)
    return (F.softplus(-logits[:, 0]) + F.softplus(logits[:, 1:]).sum(dim=1)).mean()
