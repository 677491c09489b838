"""Batches of crops of visual words, for the same loop as batches of studies.

Letters: B crops of a batch, S stored size, C image size; words `[words, patients, crops]`.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from lib.data.ahead import made_ahead
from lib.data.augment import AugmentConfig, apply_variation, draw_variation, normalize
from lib.data.batch import Batch
from lib.data.random_streams import random_stream
from lib.data.store import Store
from lib.data.visual_words import VisualWords

STILL = {"rotation": 0.0, "flip": 0.0, "brightness": (1.0, 1.0), "contrast": (1.0, 1.0)}
"""Augmentation that changes nothing."""


class WordLoader:
    """Every crop of every word once in an epoch, resized to one size, each a study of one view.

    Only where crops are is held in memory; their pixels are cut out of the store. As in `StudyLoader`, what
    is random derives from (seed, epoch, step), and background threads work ahead.

    Attributes:
        store: what it reads.
    """

    def __init__(
        self,
        store: Store,
        words: VisualWords,
        *,
        batch_size: int,
        image_size: int,
        augment: AugmentConfig | None = None,
        seed: int = 0,
        shuffle: bool = False,
        drop_last: bool = False,
        device: torch.device | str = "cpu",
        share: tuple[int, int] = (0, 1),
    ):
        """Choose the crops.

        Args:
            store: an opened store.
            words: of one part of it.
            batch_size: crops per batch.
            image_size: side C of the pictures in a batch, pixels.
            augment: None: crops as they are stored. Otherwise greys, angle and zoom vary, as in any training;
                place and size of a crop are those of its word.
            seed: of all that is random here.
            shuffle: a new order for every epoch.
            drop_last: leave out the last batch of an epoch where it is smaller.
            device: where augmentation runs and batches end up.
            share: see `StudyLoader`.

        Raises:
            ValueError: too few crops for a batch, or augmentation that a word does not survive.
        """
        check_augment(augment)
        if augment is not None and augment.crop_size != image_size:
            raise ValueError(f"augment.crop_size {augment.crop_size} differs from image_size {image_size}.")
        if batch_size % share[1]:
            raise ValueError(
                f"Batches of {batch_size} cannot be shared equally by {share[1]} processes; give a multiple."
            )
        self.store, self._words = store, words
        self._augment = augment or AugmentConfig(crop_size=image_size, **STILL)
        self._batch_size, self._image_size = batch_size, image_size
        self._seed, self._shuffle, self._drop_last = seed, shuffle, drop_last
        self._device, self._share = torch.device(device), share
        self._study_of_view = store.views["study_row"].to_numpy()
        self._num_crops = int(np.prod(words.boxes.shape[:3]))
        if len(self) == 0:
            raise ValueError(
                f"{self._num_crops} crops of visual words make no batch of {batch_size}; lower batch_size, "
                "or raise words.num_words or words.num_patients."
            )

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        whole, rest = divmod(self._num_crops, self._batch_size)
        return whole + (rest >= self._share[1] and not self._drop_last)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from batch `start` on, each as it would be in the whole epoch."""
        order = np.arange(self._num_crops)
        if self._shuffle:
            order = random_stream("order", self._seed, epoch, 0).permutation(order)

        def make(step: int) -> Batch:
            return self._make(order[step * self._batch_size : (step + 1) * self._batch_size], epoch, step)

        yield from made_ahead(make, range(start, len(self)))

    def _make(self, chosen: np.ndarray, epoch: int, step: int) -> Batch:
        """Make this process's share of the batch of the chosen crops."""
        part, parts = self._share
        length = len(chosen) // parts  # where a last batch has a rest, that rest is left out
        own = slice(part * length, (part + 1) * length)
        word, patient, crop = np.unravel_index(chosen[own], self._words.boxes.shape[:3])
        view_rows = self._words.view_rows[word, patient]
        boxes = torch.from_numpy(self._words.boxes[word, patient, crop])[:, None]  # [B, 1, 3]
        pixels = torch.from_numpy(np.take(self.store.images, view_rows, axis=0))[:, None, None]
        if self._device.type == "cuda":
            pixels = pixels.pin_memory()
        random = random_stream("batch", self._seed, epoch, step)
        generator = torch.Generator().manual_seed(int(random.integers(2**63)))
        # Drawn for the whole batch, so that shares are parts of one and the same.
        variation = draw_variation(torch.Size((len(chosen), *pixels.shape[1:])), self._augment, generator)
        top, left, side = boxes.unbind(-1)
        variation = variation.of(own)._replace(top=top, left=left, side=side.float())
        images = apply_variation(
            pixels.to(self._device, non_blocking=True), variation, self._image_size
        )  # [B, 1, 1, C, C]
        study_rows = self._study_of_view[view_rows]
        batch = Batch(
            images=normalize(images),
            view_mask=torch.ones(length, 1, dtype=torch.bool),
            labels=torch.from_numpy(self.store.labels[study_rows]),
            study_rows=torch.from_numpy(study_rows),
            view_rows=torch.from_numpy(view_rows)[:, None],
            flipped=variation.flipped,
            words=torch.from_numpy(word)[:, None],
        )
        return batch.to(self._device)


def check_augment(augment: AugmentConfig | None) -> None:
    """Refuse augmentation that makes another word of a crop.

    Raises:
        ValueError: names the setting and its value.
    """
    if augment is None:
        return
    if augment.flip:
        raise ValueError(
            f"augment.flip {augment.flip}: a mirrored crop of a visual word looks like one of the other "
            "side. Set augment.flip=0."
        )
    if any(augment.scale):
        raise ValueError(
            f"augment.scale {tuple(augment.scale)}: visual words have their own sizes (objective.words). Set "
            "augment.scale=[0,0]."
        )


def cut_crops(store: Store, view_rows: np.ndarray, boxes: np.ndarray, size: int) -> np.ndarray:
    """Cut crops as they are stored, to look at them.

    Args:
        store: an opened store.
        view_rows: of any shape `[...]`.
        boxes: top, left and side in stored pixels, `[..., 3]`.
        size: side of what comes out, pixels.

    Returns:
        uint8 `[..., size, size]`.
    """
    flat = torch.from_numpy(boxes.reshape(-1, 1, 3))
    pixels = torch.from_numpy(np.take(store.images, view_rows.reshape(-1), axis=0))[:, None, None]
    still = draw_variation(pixels.shape, AugmentConfig(crop_size=size, **STILL), torch.Generator())
    top, left, side = flat.unbind(-1)
    crops: Tensor = apply_variation(pixels, still._replace(top=top, left=left, side=side.float()), size)
    return (crops * 255).round().byte().numpy().reshape(*view_rows.shape, size, size)
