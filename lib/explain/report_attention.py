"""Where the words of a report are read off a study: the cross-attention of what writes reports.

Letters: B studies, V views, C channels, H and W sides of an image, T tokens, P places of a view.
"""

import dataclasses
import math
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from lib.models.evaluating import evaluating


class AttentiveWriter(Protocol):
    """An objective that writes reports and knows where it looked."""

    def forward_with_attention(self, images: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits `[B, T, vocabulary]`, attention `[B, T, layers, heads, V, P]`, gates `[B, V, P]`."""
        ...


@dataclasses.dataclass(frozen=True)
class ReportAttention:
    """What a model attends to before each token of B reports. Row t belongs to token t + 1 of the reports.

    Attributes:
        maps: float32 `[B, T - 1, layers, heads, V, rows, columns]`; those of a token, layer and head add up
            to one over all views and places.
        probabilities: of each token after those before it, float32 `[B, T - 1]`.
        gates: share that view fusion leaves of the features of each place, float32 `[B, V, rows, columns]`:
            attention to a place whose gate is zero reads nothing there. Paper: one weight a view, of all
            places; official: one a place. Ones without view fusion.
    """

    maps: Tensor
    probabilities: Tensor
    gates: Tensor


def report_attention(objective: AttentiveWriter, images: Tensor, tokens: Tensor) -> ReportAttention:
    """Read reports beside their studies, in float32 and without dropout.

    Args:
        objective: REFERS, or another one with `forward_with_attention`.
        images: `[B, V, C, H, W]` on its device.
        tokens: start, report, end, padding, generated or true, `[B, T]`.

    Raises:
        ValueError: an objective that writes no reports, or does not tell where it looks.
    """
    check_attends(objective, type(objective).__name__)
    with evaluating(objective), torch.autocast(images.device.type, enabled=False):
        logits, weights, gates = objective.forward_with_attention(images.float(), tokens)
    # What predicts a token stands at the one before it; nothing predicts the start.
    log_probabilities = logits[:, :-1].float().log_softmax(dim=-1)
    chosen = log_probabilities.gather(-1, tokens[:, 1:, None]).squeeze(-1)  # [B, T - 1]
    side = math.isqrt(gates.shape[-1])
    assert side**2 == gates.shape[-1], "images are square, and so are their grids"
    unread = (0, 0, 0, images.shape[1] - gates.shape[1])  # without view fusion, the views beyond the first
    maps, gates = (
        F.pad(values.float(), unread).unflatten(-1, (side, side)) for values in (weights[:, :-1], gates)
    )
    return ReportAttention(maps, chosen.exp(), gates)


def check_attends(objective: object, what: str) -> None:
    """Refuse an objective, or its class, that has no attention from words to places.

    Raises:
        ValueError: it has none; begins with `what`.
    """
    if not hasattr(objective, "forward_with_attention"):
        raise ValueError(
            f"{what} does not tell where on the views a word is read off; take a run of refers or "
            "caption_lstm."
        )
