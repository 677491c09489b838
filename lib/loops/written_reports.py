"""The reports that an objective writes about the studies of a loader."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from torch import Tensor, nn
from tqdm.auto import tqdm

from lib.loops.train import Loader


class Decoder(Protocol):
    """What is asked of the tokenizer that an objective writes with."""

    unknown_id: int
    mask_id: int

    def decode(self, ids: np.ndarray) -> str:
        """Return the text of a row of ids up to its end token."""
        ...


@dataclasses.dataclass(frozen=True)
class WrittenReports:
    """Reports, in the order of the loader.

    Attributes:
        study_rows: int64 `[N]`.
        texts: as many; an objective may write nothing, "".
    """

    study_rows: np.ndarray
    texts: list[str]


def check_can_write(objective: nn.Module | type[nn.Module], what: str) -> None:
    """Refuse an objective, or its class, that writes no reports.

    Raises:
        ValueError: it has no `generate`; begins with `what`.
    """
    if not hasattr(objective, "generate"):
        raise ValueError(f"{what} has no decoder and writes no reports; take one that does, such as refers.")


def write_reports(
    objective: nn.Module, loader: Loader, tokenizer: Decoder, *, beam_size: int, progress: bool = False
) -> WrittenReports:
    """Write the report of every study of a loader, once.

    Args:
        objective: `generate(images [B, V, C, H, W], beam_size)` returns token ids `[B, T]`: start, report,
            end, padding. On the loader's device.
        loader: of studies, not augmented.
        tokenizer: of the objective's decoder. Special tokens are left out of the texts.
        beam_size: hypotheses kept; 1 is greedy search.
        progress: shows a bar, unless TQDM_DISABLE is set.
    """
    if beam_size < 1:
        raise ValueError(f"A beam keeps at least one hypothesis, not {beam_size}.")
    rows, texts = [], []
    bar = tqdm(loader.epoch(0), total=len(loader), unit="batch", **({} if progress else {"disable": True}))
    for batch in bar:
        rows.append(batch.study_rows.cpu().numpy())
        texts += _decode(objective.generate(batch.images, beam_size), tokenizer)
    return WrittenReports(np.concatenate(rows), texts)


def _decode(tokens: Tensor, tokenizer: Decoder) -> Sequence[str]:
    """Return the texts of token ids `[B, T]`."""
    no_words = (tokenizer.unknown_id, tokenizer.mask_id)
    return [tokenizer.decode(ids[~np.isin(ids, no_words)]) for ids in tokens.cpu().numpy()]
