"""The two crops of each picture that image-only contrastive objectives compare."""

from typing import TYPE_CHECKING

from torch import Tensor

from lib.losses.gather import num_processes

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch


def two_crops(batch: "Batch") -> tuple[Tensor, Tensor]:
    """Return both, `[B, C, H, W]` each, as a loader with `crops=2` and one view per study lays them.

    Raises:
        ValueError: a batch with one crop per picture, or of one picture: there is nothing to tell it from.
    """
    if len(batch) * num_processes() < 2:
        raise ValueError(
            "A batch of one picture has nothing to tell it from: loader.batch_size must be 2 or more, and so "
            "must the number of validation studies."
        )
    if batch.images.shape[1] < 2:
        raise ValueError(
            "This objective compares two crops of each picture, and the batch has one: load it with crops=2."
        )
    return batch.images[:, 0], batch.images[:, 1]
