"""What a pair objective gets to see: pictures as they are varied, each with its text."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from lib.config import build
from lib.data.augment import AugmentConfig, denormalize
from lib.data.batch import Batch, tokenize_reports
from lib.data.loader import StudyLoader
from lib.data.splits import Manifest
from lib.data.store import Store
from workbench.inputs import open_data
from workbench.view_choice import studies_seen, view_settings

TRIES = 40
"""Epochs to wait for a mirrored picture whose text names a side."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """One picture with its text, as an objective gets them.

    Attributes:
        picture: uint8 `[C, C]`.
        text: as the model reads it, before the tokenizer.
        written: the same text as the report has it; other words for sides where the picture is mirrored.
        mirrored: whether the picture is.
        view_row: of the picture, row of `Store.views`.
    """

    picture: np.ndarray
    text: str
    written: str
    mirrored: bool
    view_row: int


@dataclasses.dataclass(frozen=True)
class Example:
    """A study of the training split and pairs that were drawn from it.

    Attributes:
        study_id: its name.
        stored: its first picture as the store has it, uint8 `[S, S]`.
        pairs: of successive epochs.
    """

    study_id: str
    stored: np.ndarray
    pairs: list[Pair]


class _Places:
    """Stands for a tokenizer: a text becomes the place where it is kept, so that a batch tells its text."""

    pad_id = -1

    def __init__(self):
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str], max_length: int) -> np.ndarray:
        """Keep the texts; return int32 `[N, 1]`."""
        first = len(self.texts)
        self.texts += texts
        return np.arange(first, len(self.texts), dtype=np.int32)[:, None]


class PairLoader:
    """The loader of a training, whose batches tell their texts."""

    def __init__(self, config: Mapping[str, Any], store: Store, rows: np.ndarray, **settings: Any):
        """Choose studies; `config` is that of the run, `settings` go to `StudyLoader`."""
        objective, self._places = config["objective"], _Places()
        tokens = tokenize_reports(
            store,
            None,
            self._places,
            text_unit=objective.get("text_unit", "report"),
            swap=objective.get("swap_sides", True) and settings.get("augment") is not None,
        )
        self._num_plain = tokens.text.shape[1]
        self._loader = StudyLoader(
            store,
            rows,
            **view_settings(config),
            tokens=tokens,
            seed=config["seed"],
            **settings,
        )

    def batches(self, epoch: int) -> Iterator[tuple[Batch, list[str], list[str]]]:
        """Yield the batches of an epoch, each with its texts as read, and as they are written."""
        for batch in self._loader.epoch(epoch):
            places = batch.text_tokens[:, 0].tolist()
            read = [self._places.texts[place] for place in places]
            # Mirrored texts stand behind the plain ones, in the same order.
            yield batch, read, [self._places.texts[place % self._num_plain] for place in places]

    def pairs(self, epoch: int) -> list[Pair]:
        """Return the pairs of an epoch of one batch."""
        ((batch, read, written),) = self.batches(epoch)
        pictures = to_uint8(batch.images[:, 0, 0])
        flipped, views = batch.flipped.tolist(), batch.view_rows[:, 0].tolist()
        return [Pair(*one) for one in zip(pictures, read, written, flipped, views, strict=True)]


def example_pairs(config: Mapping[str, Any], *, count: int = 3, draws: int = 4) -> list[Example]:
    """Draw pairs from some training studies as the training draws them.

    Args:
        config: of a run, `Run.config`.
        count: studies; those whose report names a side come first.
        draws: pairs of each.
    """
    store, manifest = open_data(config)
    rows = _telling(config, store, manifest)[:count]
    augment = build(AugmentConfig, config["augment"])
    loader = PairLoader(config, store, rows, batch_size=len(rows), augment=augment)
    return _examples(store, rows, [loader.pairs(epoch) for epoch in range(draws)])


def mirrored_pairs(config: Mapping[str, Any], *, draws: int = 4) -> list[Example]:
    """Draw pairs from one training study, all mirrored whatever the recipe says, whose text names a side.

    No text comes twice, so there are fewer than `draws` where its report seldom names a side.
    """
    store, manifest = open_data(config)
    rows = _telling(config, store, manifest)[:1]
    augment = dataclasses.replace(build(AugmentConfig, config["augment"]), flip=1.0)
    loader = PairLoader(config, store, rows, batch_size=1, augment=augment)
    drawn = [loader.pairs(epoch) for epoch in range(TRIES)]
    # Of the first view where there is one, to compare with the picture as it is stored; the sort is stable.
    drawn.sort(key=lambda pairs: pairs[0].view_row)
    telling: dict[str, list[Pair]] = {}
    for pairs in drawn:
        if pairs[0].text != pairs[0].written:
            telling.setdefault(pairs[0].text, pairs)
    return _examples(store, rows, list(telling.values())[:draws] or drawn[:draws])


def _examples(store: Store, rows: np.ndarray, drawn: Sequence[Sequence[Pair]]) -> list[Example]:
    pictures = store.images[store.view_offsets[rows]]
    names = store.studies["study_id"].iloc[rows]
    return [
        Example(name, picture, [pairs[place] for pairs in drawn])
        for place, (name, picture) in enumerate(zip(names, pictures, strict=True))
    ]


def _telling(config: Mapping[str, Any], store: Store, manifest: Manifest) -> np.ndarray:
    """Return training rows in random order, those with both a report and a side named in it first."""
    rows = studies_seen(config, store, manifest.rows("train"))
    rows = np.random.default_rng(config["seed"]).permutation(rows)
    says = store.studies["findings"].iloc[rows].str.contains(r"\b(?:left|right)\b", case=False)
    return np.concatenate([rows[says.to_numpy(bool)], rows[~says.to_numpy(bool)]])


def to_uint8(images: Tensor) -> np.ndarray:
    """Return normalised pictures of any shape as grey values, uint8."""
    return (denormalize(images).clamp(0, 1) * 255).round().byte().cpu().numpy()
