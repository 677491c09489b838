"""From a store to batches: which studies, which views, in which order, augmented, one batch ahead.

All randomness derives from (seed, epoch, step), so a position in training is two numbers and a resumed
epoch goes on bit-equal. There are no worker processes: gathering uint8 rows from the memory map costs
little, and augmentation runs on the device; background threads keep the next batches ready.

Letters: B items of a batch, V views, S stored size, C image size, T tokens.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lib.data.ahead import made_ahead
from lib.data.augment import (
    AugmentConfig,
    apply_variation,
    check_evaluation,
    draw_variation,
    evaluation_view,
    normalize,
)
from lib.data.batch import Batch, ReportTokens, tokenize_reports
from lib.data.random_streams import random_stream
from lib.data.store import Store

__all__ = ["Batch", "Items", "ReportTokens", "StudyLoader", "tokenize_reports"]

SMALLEST_CROP = 0.6
"""Share of the stored side that a crop must keep; the paper's is 224 / 256 = 0.875."""

UNITS = ("study", "image")


class Items(NamedTuple):
    """What a loader goes through, in its unshuffled order; for the tables of predictions."""

    study_rows: np.ndarray  # int64 [items]
    view_rows: np.ndarray  # int64 [items, V], as evaluation takes them


class StudyLoader:
    """Batches of studies, or of single images, of some rows of a store.

    Attributes:
        store: what it reads.
        items: what it goes through; see `Items`.
    """

    def __init__(
        self,
        store: Store,
        rows: np.ndarray,
        *,
        batch_size: int,
        num_views: int = 3,
        image_size: int = 224,
        augment: AugmentConfig | None = None,
        evaluation: str = "crop",
        crops: int = 1,
        tokens: ReportTokens | None = None,
        unit: str = "study",
        positions: Sequence[str] | None = None,
        seed: int = 0,
        shuffle: bool = False,
        drop_last: bool = False,
        device: torch.device | str = "cpu",
        share: tuple[int, int] = (0, 1),
    ):
        """Choose the items.

        Args:
            store: an opened store.
            rows: study rows, as a manifest gives them.
            batch_size: items per batch.
            num_views: views per study, exactly; of more a random choice without replacement, of fewer all and
                random ones of them repeated (REFERS, method). 1 for images.
            image_size: side C of the pictures in a batch, pixels.
            augment: None for evaluation: the first views of a study, nothing random.
            evaluation: "crop" or "whole" pictures where nothing is augmented; see `AugmentConfig`.
            crops: how many times every view is varied, each time by itself, flips included. A batch then has
                V = crops * num_views: the views of the first crop, then those of the next, which are repeats.
            tokens: of the reports; None where the objective reads none.
            unit: "study", or "image" to take every view by itself.
            positions: view positions to take, for example ("PA", "AP", "FRONTAL"); None takes all.
            seed: of all that is random here.
            shuffle: a new order for every epoch.
            drop_last: leave out the last batch of an epoch where it is smaller.
            device: where augmentation runs and batches end up.
            share: (k, n) gives the k-th of n equal parts of every batch: of n processes that train together
                each takes one, and all together see the batches that one process would see.

        Raises:
            ValueError: no item is left, or the settings contradict each other.
        """
        if unit not in UNITS:
            raise ValueError(f"unit {unit!r} is not one of {', '.join(UNITS)}.")
        if unit == "image" and num_views != 1:
            raise ValueError(
                f"unit 'image' has one view per item, not num_views {num_views}; give num_views=1."
            )
        if crops > 1 and augment is None:
            raise ValueError(f"{crops} crops of a view that is not augmented are all the same; give augment.")
        if crops > 1 and tokens is not None:
            raise ValueError(f"{crops} crops are flipped one by one, and a report only once; give no tokens.")
        if augment is not None and augment.crop_size != image_size:
            raise ValueError(f"augment.crop_size {augment.crop_size} differs from image_size {image_size}.")
        if image_size > store.image_size:
            raise ValueError(
                f"image_size {image_size} exceeds the {store.image_size} px of {store.path}; ingest larger."
            )
        check_evaluation(evaluation)
        is_cut = augment is not None or evaluation == "crop"
        if is_cut and image_size < SMALLEST_CROP * store.image_size:
            raise ValueError(
                f"image_size {image_size} would cut {image_size / store.image_size:.0%} of a side out of the "
                f"{store.image_size} px of {store.path}: too little of a chest. Ingest with --size "
                f"{round(image_size / 0.875)}, or take a larger image_size."
            )
        self.store, self._tokens, self._augment, self._evaluation = store, tokens, augment, evaluation
        self._batch_size, self._num_views, self._image_size = batch_size, num_views, image_size
        self._crops = crops
        self._seed, self._shuffle, self._drop_last = seed, shuffle, drop_last
        self._device = torch.device(device)
        self._share = share
        if batch_size < 1:
            raise ValueError(f"Batches of {batch_size} hold nothing; give a batch_size of 1 or more.")
        if batch_size % share[1]:
            raise ValueError(
                f"Batches of {batch_size} cannot be shared equally by {share[1]} processes; give a multiple."
            )
        self._study_rows, self._starts, self._counts, self._views = _find_items(store, rows, unit, positions)
        if len(self) == 0:
            raise ValueError(
                f"{len(self._study_rows)} {unit} items of {len(rows)} studies make no batch of {batch_size} "
                f"(positions {positions}, drop_last {drop_last}); lower batch_size or widen the choice."
            )
        everything = np.arange(len(self._study_rows))
        self.items = Items(self._study_rows, self._choose_views(everything, None)[0])

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        whole, rest = divmod(len(self._study_rows), self._batch_size)
        return whole + (rest >= self._share[1] and not self._drop_last)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from batch `start` on; each is what it would be in the whole epoch.

        An error of a background thread is raised here. Closing the iterator ends the threads.
        """
        order = np.arange(len(self._study_rows))
        if self._shuffle:
            order = random_stream("order", self._seed, epoch, 0).permutation(order)

        def make(step: int) -> Batch:
            return self._make(order[step * self._batch_size : (step + 1) * self._batch_size], epoch, step)

        yield from made_ahead(make, range(start, len(self)))

    def _make(self, chosen: np.ndarray, epoch: int, step: int) -> Batch:
        """Make this process's share of the batch of the chosen items."""
        # Everything random is drawn for the whole batch, so that shares are parts of one and the same.
        random = random_stream("batch", self._seed, epoch, step)
        view_rows, view_mask = self._choose_views(chosen, None if self._augment is None else random)
        part, parts = self._share
        length = len(chosen) // parts  # where a last batch has a rest, that rest is left out
        own = slice(part * length, (part + 1) * length)
        study_rows, view_rows, view_mask = self._study_rows[chosen[own]], view_rows[own], view_mask[own]
        pixels = self._read(view_rows)  # [B, V, 1, S, S], uint8
        if self._augment is None:
            flipped = torch.zeros(length, dtype=torch.bool)
            images = evaluation_view(pixels, self._image_size, self._evaluation)
        else:
            generator = torch.Generator().manual_seed(int(random.integers(2**63)))
            shape = torch.Size((len(chosen), *pixels.shape[1:]))
            variations = [draw_variation(shape, self._augment, generator).of(own) for _ in range(self._crops)]
            flipped = variations[0].flipped
            crops = [apply_variation(pixels, variation, self._image_size) for variation in variations]
            images = torch.cat(crops, dim=1) if len(crops) > 1 else crops[0]
            view_rows = np.tile(view_rows, self._crops)
            view_mask = np.pad(view_mask, ((0, 0), (0, view_rows.shape[1] - view_mask.shape[1])))
        texts = self._choose_texts(chosen, epoch, step)[own]
        batch = Batch(
            images=normalize(images),
            view_mask=torch.from_numpy(view_mask),
            labels=torch.from_numpy(self.store.labels[study_rows]),
            study_rows=torch.from_numpy(study_rows),
            view_rows=torch.from_numpy(view_rows),
            flipped=flipped,
            **self._take_reports(study_rows, flipped.long().numpy(), texts),
        )
        return batch.to(self._device)

    def _choose_views(
        self, chosen: np.ndarray, random: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Choose exactly V views for each item: rows of the store and whether each is new, both `[B, V]`.

        Views stand in the order of the store (usually frontal first), repeats last. Without `random` these
        are the first V, repeated in turn.
        """
        starts, counts = self._starts[chosen][:, None], self._counts[chosen][:, None]  # [B, 1]
        slots = np.arange(self._num_views)
        is_new = slots < counts  # [B, V]
        if random is None:
            return self._views[starts + slots % counts], is_new
        most = max(int(counts.max()), self._num_views)
        keys = random.random((len(chosen), most))
        keys[np.arange(most) >= counts] = np.inf
        shuffled = np.argsort(keys, axis=1)[:, : self._num_views]  # a random choice, then what does not exist
        in_order = np.sort(np.where(is_new, shuffled, most), axis=1)
        repeats = (random.random(is_new.shape) * counts).astype(np.int64)
        return self._views[starts + np.where(is_new, in_order, repeats)], is_new

    def _read(self, view_rows: np.ndarray) -> Tensor:
        """Gather pictures on the device, uint8 `[B, V, 1, S, S]`."""
        pixels = torch.from_numpy(np.take(self.store.images, view_rows, axis=0))[:, :, None]
        if self._device.type == "cuda":
            pixels = pixels.pin_memory()
        return pixels.to(self._device, non_blocking=True)

    def _choose_texts(self, chosen: np.ndarray, epoch: int, step: int) -> np.ndarray:
        """Choose one of the texts of each study for the text encoder, rows of `ReportTokens.text`, `[B]`.

        Validation draws too, the same ones in each of its rounds: all of them go through epoch 0.
        """
        if self._tokens is None:
            return np.zeros(len(chosen), np.int64)
        starts, stops = (self._tokens.text_starts[self._study_rows[chosen] + end] for end in (0, 1))
        draws = random_stream("text", self._seed, epoch, step).random(len(chosen))
        return starts + (draws * (stops - starts)).astype(np.int64)

    def _take_reports(
        self, study_rows: np.ndarray, version: np.ndarray, texts: np.ndarray
    ) -> dict[str, Tensor]:
        """Return the token fields of a batch, each report or text as written (0) or swapped (1)."""
        taken: dict[str, Tensor] = {}
        if self._tokens is not None and self._tokens.report is not None:
            tokens, mask = _cut_padding(self._tokens.report[version, study_rows], self._tokens.report_pad)
            taken |= {"report_tokens": tokens, "report_lengths": mask.sum(1)}
        if self._tokens is not None and self._tokens.text is not None:
            tokens, mask = _cut_padding(self._tokens.text[version, texts], self._tokens.text_pad)
            taken |= {"text_tokens": tokens, "text_mask": mask}
        return taken


def _cut_padding(rows: np.ndarray, pad: int) -> tuple[Tensor, Tensor]:
    """Cut to the longest report: tokens int64 and mask bool, both `[B, T]`."""
    mask = rows != pad
    longest = int(mask.sum(1).max())
    return torch.from_numpy(rows[:, :longest].astype(np.int64)), torch.from_numpy(mask[:, :longest])


def _find_items(
    store: Store, rows: np.ndarray, unit: str, positions: Sequence[str] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return for each item its study row, the start and number of its views, and the list these index."""
    rows = np.asarray(rows, np.int64)
    if positions is None:
        views = np.arange(len(store.views))
    else:
        views = np.flatnonzero(store.views["position"].isin(list(positions)).to_numpy())
    study_of_view = store.views["study_row"].to_numpy()[views]
    starts = np.searchsorted(study_of_view, rows)
    counts = np.searchsorted(study_of_view, rows, side="right") - starts
    if unit == "image":
        first = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        starts, rows = first + np.arange(len(first)), np.repeat(rows, counts)
        counts = np.ones_like(starts)
    some = counts > 0  # a study without a view of these positions is no item
    return rows[some], starts[some], counts[some], views
