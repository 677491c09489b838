"""What a training step gets: a typed batch, and the tokens of all reports it draws from."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from lib.data.laterality import swap_laterality
from lib.data.store import Store
from lib.data.text_units import texts_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batch:
    """B studies of V views each, normalised and on one device.

    Where a loader makes several crops of every view, V counts all of them: the views of the first crop, then
    those of the next.

    Attributes:
        images: float32 `[B, V, 1, H, W]`, augmented or cropped, then normalised (`augment.normalize`).
        view_mask: bool `[B, V]`, False where the view repeats another one of the study.
        labels: float32 `[B, K]`, NaN where not known.
        report_tokens: int64 `[B, T]` for the report transformer, cut to the longest report of the batch.
        report_lengths: int64 `[B]`, tokens before the padding.
        text_tokens: int64 `[B, T2]` for the text encoder, likewise.
        text_mask: bool `[B, T2]`, False on padding.
        study_rows: int64 `[B]`, rows of `Store.studies`.
        view_rows: int64 `[B, V]`, rows of `Store.views`.
        flipped: bool `[B]`, whether the study was mirrored (the first of several crops); its tokens then have
            left and right swapped.
        words: int64 `[B, V]`, the visual word that each view shows, where views are crops of such.
    """

    images: Tensor
    view_mask: Tensor
    labels: Tensor
    study_rows: Tensor
    view_rows: Tensor
    flipped: Tensor
    report_tokens: Tensor | None = None
    report_lengths: Tensor | None = None
    text_tokens: Tensor | None = None
    text_mask: Tensor | None = None
    words: Tensor | None = None

    def __len__(self) -> int:
        """Return the number of studies."""
        return len(self.study_rows)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """Return the batch on a device; `non_blocking` overlaps the copy when the batch is pinned."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin(self) -> Self:
        """Return the batch in page-locked memory, from where a GPU copies without a wait."""
        return self._map(lambda tensor: tensor if tensor.is_cuda else tensor.pin_memory())

    def _map(self, change: Callable[[Tensor], Tensor]) -> Self:
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return type(self)(
            **{name: None if value is None else change(value) for name, value in values.items()}
        )


class Tokenizer(Protocol):
    """What is asked of a tokenizer."""

    pad_id: int

    def encode(self, texts: list[str], max_length: int) -> np.ndarray:
        """Return int32 `[N, max_length]`, padded with `pad_id`."""
        ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportTokens:
    """The tokens of every report of a store: index 0 as written, index 1 with left and right swapped.

    Attributes:
        report: int32 `[2, N, T]` for the report transformer, or None.
        report_pad: padding id of `report`.
        text: int32 `[2, M, T2]` for the text encoder, or None.
        text_pad: padding id of `text`.
        text_starts: int64 `[N + 1]`; the texts of study i are the rows starts[i]:starts[i + 1] of M, of
            which a batch has a random one. Whole reports are one each, M = N.
    """

    report: np.ndarray | None
    report_pad: int
    text: np.ndarray | None
    text_pad: int
    text_starts: np.ndarray


def tokenize_reports(
    store: Store,
    report_tokenizer: Tokenizer | None,
    text_tokenizer: Tokenizer | None = None,
    max_report_tokens: int = 100,
    max_text_tokens: int = 100,
    *,
    text_unit: str = "report",
    swap: bool = True,
) -> ReportTokens:
    """Encode every report of a store once, plain and swapped; a tokenizer that is None is left out.

    Args:
        store: with reports.
        report_tokenizer: of the report transformer, which reads whole reports.
        text_tokenizer: of the text encoder.
        max_report_tokens: longest report; what is longer is cut.
        max_text_tokens: longest text for the text encoder.
        text_unit: what the text encoder reads, of `lib.data.text_units`.
        swap: exchange left and right for mirrored pictures; False keeps the text as it is written.

    Raises:
        ValueError: the store has no reports, or an unknown unit.
    """
    if not store.has_reports:
        raise ValueError(f"{store.path} has no reports to tokenize; take a data set with reports.")
    units = texts_of(store.studies["findings"], store.studies["impression"], text_unit)

    def encode(
        tokenizer: Tokenizer | None, texts: list[str], max_length: int
    ) -> tuple[np.ndarray | None, int]:
        if tokenizer is None:
            return None, 0
        plain = tokenizer.encode(texts, max_length)
        mirrored = tokenizer.encode([swap_laterality(text) for text in texts], max_length) if swap else plain
        return np.stack([plain, mirrored]), tokenizer.pad_id

    report, report_pad = encode(report_tokenizer, store.texts, max_report_tokens)
    text, text_pad = encode(text_tokenizer, list(itertools.chain(*units)), max_text_tokens)
    starts = np.concatenate([[0], np.cumsum([len(texts) for texts in units])]).astype(np.int64)
    return ReportTokens(
        report=report, report_pad=report_pad, text=text, text_pad=text_pad, text_starts=starts
    )
