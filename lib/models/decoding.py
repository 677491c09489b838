"""Greedy and beam search over any model that gives the next token's logits."""

from collections.abc import Callable

import torch
from torch import Tensor

PAD_ID, UNK_ID, SOS_ID, EOS_ID = range(4)
"""Of every tokenizer in `lib.data.tokenizer` that is made from reports."""


def write_tokens(
    step: Callable[[Tensor, Tensor], Tensor],
    num_reports: int,
    *,
    beam_size: int,
    max_length: int,
    length_penalty: float,
    device: torch.device,
) -> Tensor:
    """Search with the special tokens of report tokenizers; see `beam_search`.

    Raises:
        ValueError: beam_size below 1.
    """
    if beam_size < 1:
        raise ValueError(f"beam_size {beam_size} must be 1 (greedy) or more.")
    return beam_search(
        step,
        num_reports,
        beam_size=beam_size,
        max_length=max_length,
        sos_id=SOS_ID,
        eos_id=EOS_ID,
        pad_id=PAD_ID,
        never=(PAD_ID, UNK_ID, SOS_ID),
        length_penalty=length_penalty,
        device=device,
    )


@torch.no_grad()
def beam_search(
    step: Callable[[Tensor, Tensor], Tensor],
    num_reports: int,
    *,
    beam_size: int,
    max_length: int,
    sos_id: int,
    eos_id: int,
    pad_id: int,
    never: tuple[int, ...],
    length_penalty: float,
    device: torch.device,
) -> Tensor:
    """Find likely token sequences; a beam of one hypothesis is greedy search.

    Hypotheses of different lengths compete by log-probability / length ** length_penalty, where the length
    counts the tokens after the first. A finished hypothesis keeps its place until a better one pushes it out.

    Args:
        step: takes the newest token of every hypothesis `[B * K]` and the hypothesis that each one
            continues, as indices into those of the call before `[B * K]`; returns logits
            `[B * K, vocabulary]`.
        num_reports: B.
        beam_size: K, hypotheses kept for each report.
        max_length: tokens of a report with the first and the end token; the last one is always the end token.
        sos_id: first token of every report.
        eos_id: end token.
        pad_id: fills what follows the end token.
        never: tokens that are not generated.
        length_penalty: 0 ranks by log-probability, 1 by its mean over the tokens.
        device: of the result.

    Returns:
        Token ids `[B, max_length]`, int64.
    """
    tokens = torch.full((num_reports, beam_size, max_length), pad_id, dtype=torch.int64, device=device)
    tokens[..., 0] = sos_id
    # All hypotheses of a report start equal: only the first may be continued, or the beam holds K copies.
    totals = torch.full((num_reports, beam_size), -torch.inf, device=device)
    totals[:, 0] = 0.0
    lengths = torch.zeros_like(totals)
    is_finished = torch.zeros_like(totals, dtype=torch.bool)
    first_rows = torch.arange(num_reports, device=device).unsqueeze(1) * beam_size  # [B, 1]
    parents = torch.arange(beam_size, device=device).expand(num_reports, -1)  # [B, K]

    for place in range(1, max_length):
        logits = step(tokens[..., place - 1].flatten(), (first_rows + parents).flatten()).float()
        logits[:, list(never)] = -torch.inf
        gains = logits.log_softmax(dim=-1).unflatten(0, (num_reports, beam_size))  # [B, K, vocabulary]
        if place == max_length - 1:
            gains = _only(gains, eos_id, gains[..., eos_id])
        gains = torch.where(is_finished.unsqueeze(-1), _only(gains, pad_id, torch.zeros_like(totals)), gains)
        continued = totals.unsqueeze(-1) + gains
        lengths = lengths + ~is_finished
        ranks = continued / lengths.unsqueeze(-1) ** length_penalty
        best = ranks.flatten(1).topk(beam_size).indices  # [B, K]
        parents, newest = best // gains.shape[-1], best % gains.shape[-1]

        totals = continued.flatten(1).gather(1, best)
        lengths = lengths.gather(1, parents)
        is_finished = is_finished.gather(1, parents) | (newest == eos_id)
        tokens = tokens.gather(1, parents.unsqueeze(-1).expand_as(tokens))
        tokens[..., place] = newest
        if is_finished.all():  # waits for the device: one flag a token is cheap against the steps it saves
            break
    return tokens[:, 0]  # topk sorts: the first hypothesis is the best


def _only(gains: Tensor, token: int, gain: Tensor) -> Tensor:
    """Allow one token with the gain [B, K], and no other."""
    allowed = torch.full_like(gains, -torch.inf)
    allowed[..., token] = gain
    return allowed
