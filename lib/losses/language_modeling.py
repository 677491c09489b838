"""The language modelling loss (REFERS, Eq. 1)."""

import torch.nn.functional as F
from torch import Tensor

from lib.losses.gather import mean_over_processes


def language_modeling(logits: Tensor, tokens: Tensor, pad_id: int) -> Tensor:
    """Score the prediction of each next token of a report.

    Args:
        logits: `[B, T, vocabulary]`, predicted after seeing the tokens up to and with `t`.
        tokens: the reports, `[B, T]`, padded at the end.
        pad_id: predictions of padding do not count.

    Returns:
        Cross-entropy, mean over all tokens of the batch that are predicted, float32. Eq. 1 sums over a
        report; the mean, as in the published code, keeps this term's weight independent of report lengths.
        Among several processes it is their mean that is the mean over all their tokens.
    """
    # The targets are shifted, not the logits: slicing those would copy the largest tensor of the step.
    targets = F.pad(tokens[:, 1:], (0, 1), value=pad_id)
    total = F.cross_entropy(
        logits.flatten(0, 1).float(), targets.flatten(), ignore_index=pad_id, reduction="sum"
    )
    return total / mean_over_processes((targets != pad_id).sum().float())
