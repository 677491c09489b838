"""Visual words: crops of one place in patients who look alike, a class each without labels (TransVW).

Letters: C words, M patients of a word, R crops of a patient, P patients, D numbers that describe one.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lib.atomic import atomic_path


@dataclasses.dataclass(kw_only=True)
class VisualWordsConfig:
    """Which visual words are found; the defaults are those of TransVW's published code, for volumes.

    There a crop is 64 voxels wide, of a CT of some hundreds. A crop of an eighth of a radiograph shows a few
    blood vessels, and fine-tuning shows whole pictures later: half of the side is ours. What is given in
    voxels of a crop there is the same share of a crop here.

    Attributes:
        num_words: C, classes; the published code finds 200 and trains with 44.
        num_patients: M of each word: a random one and those who are most like it.
        num_validation_patients: of each word, from the validation patients.
        crop_share: side of a crop, as a share of the picture's.
        num_extra_crops: of each patient, of other sizes about the same place: R - 1.
        extra_sizes: range of their sides, as shares of the crop's: 50 to 80 of 64 voxels.
        jitter: largest shift of their middles along each axis, as a share of the crop's side: 10 of 64.
        min_distance: between the corners of any two words, as a share of the crop's side: 5 of 64.
        auto_encoder_size: side of the whole pictures that it sees, pixels; a multiple of 16.
        auto_encoder_steps: of its training, with Adam at 1e-3 as published; their number is ours.
    """

    num_words: int = 44
    num_patients: int = 200
    num_validation_patients: int = 30
    crop_share: float = 0.5
    num_extra_crops: int = 2
    extra_sizes: tuple[float, float] = (50 / 64, 80 / 64)
    jitter: float = 10 / 64
    min_distance: float = 5 / 64
    auto_encoder_size: int = 64
    auto_encoder_steps: int = 1000

    def __post_init__(self):
        least = {"num_words": 2, "num_extra_crops": 0}
        for name in ("num_words", "num_patients", "num_validation_patients", "num_extra_crops"):
            if getattr(self, name) < least.get(name, 1):
                raise ValueError(
                    f"{name} {getattr(self, name)} is too few; give {least.get(name, 1)} or more."
                )
        if not 0 < self.crop_share <= 1:
            raise ValueError(f"crop_share {self.crop_share} is not a share of a picture's side, up to 1.")
        low, high = self.extra_sizes
        if not 0 < low <= high:
            raise ValueError(f"extra_sizes {(low, high)} is not a range of shares (0 < low <= high).")
        for name in ("jitter", "min_distance"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)} is negative; 0 is the least.")
        if self.auto_encoder_steps < 1:
            raise ValueError(f"auto_encoder_steps {self.auto_encoder_steps} is too few; give 1 or more.")


class Patients(NamedTuple):
    """One picture of each of P patients."""

    view_rows: np.ndarray  # int64 [P], of the store
    values: Tensor  # float32 [P, D], what describes it


@dataclasses.dataclass(frozen=True)
class VisualWords:
    """Where the crops of all words are; word c is row c.

    Attributes:
        view_rows: int64 `[C, M]`, rows of `Store.views`, those that are most like the random patient first.
            In training the random patient is the first of them.
        boxes: int64 `[C, M, R, 3]`: top, left and side in stored pixels. The first crop is at one place in
            all patients of a word.
    """

    view_rows: np.ndarray
    boxes: np.ndarray


def save_words(path: Path, words: Mapping[str, VisualWords]) -> None:
    """Write the words of "train" and "validation" to an archive, atomically."""
    arrays = {f"{part}_{name}": array for part, own in words.items() for name, array in vars(own).items()}
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)


def load_words(path: Path) -> dict[str, VisualWords]:
    """Read what `save_words` wrote."""
    with np.load(path, allow_pickle=False) as archive:
        return {
            part: VisualWords(archive[f"{part}_view_rows"], archive[f"{part}_boxes"])
            for part in ("train", "validation")
        }


def check_words(config: VisualWordsConfig, num_patients: Mapping[str, int], image_size: int) -> None:
    """Refuse words for which the patients or the pictures do not suffice.

    Args:
        config: of the words.
        num_patients: P of "train" and "validation", who have a picture.
        image_size: side of the stored pictures, pixels.

    Raises:
        ValueError: names the setting and what it may be.
    """
    for part, setting, wanted in (
        ("train", "num_patients", config.num_patients),
        ("train", "num_words", config.num_words),
        ("validation", "num_validation_patients", config.num_validation_patients),
    ):
        if num_patients[part] < wanted:
            raise ValueError(
                f"words.{setting} {wanted} needs as many {part} patients with a frontal picture; there are "
                f"{num_patients[part]}. Give that or less, or take a larger data set."
            )
    crop = round(config.crop_share * image_size)
    largest = max(crop, round(crop * config.extra_sizes[1])) if config.num_extra_crops else crop
    if crop < 1 or largest > image_size:
        raise ValueError(
            f"words.crop_share {config.crop_share} with extra_sizes {tuple(config.extra_sizes)} gives crops "
            f"of {crop} to {largest} px from pictures of {image_size} px; give a crop_share of "
            f"{1 / max(1, config.extra_sizes[1]):.2f} or less."
        )


def find_words(
    patients: Mapping[str, Patients], image_size: int, config: VisualWordsConfig, seed: int
) -> dict[str, VisualWords]:
    """Draw a training patient and a place for each word, and find the patients who are most like that one.

    Args:
        patients: of "train" and "validation".
        image_size: side of the stored pictures, pixels.
        config: how many and how large.
        seed: of all draws.

    Returns:
        The words of both parts; both have the same places.

    Raises:
        ValueError: too few patients, crops larger than the pictures, no room for so many places.
    """
    check_words(config, {part: len(own.view_rows) for part, own in patients.items()}, image_size)
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(patients["train"].view_rows), generator=generator)[: config.num_words]
    corners = draw_corners(image_size, config, generator)
    words = {}
    for part, number in (("train", config.num_patients), ("validation", config.num_validation_patients)):
        # Not by a matrix product, whose rounding makes a patient differ from itself.
        distances = torch.cdist(
            patients["train"].values[chosen],
            patients[part].values,
            compute_mode="donot_use_mm_for_euclid_dist",
        )  # [C, P]
        if part == "train":
            distances[torch.arange(len(chosen)), chosen] = -1.0  # the first, before any copy of it
        nearest = distances.argsort(dim=1, stable=True)[:, :number]  # [C, M]
        boxes = _draw_boxes(corners, number, image_size, config, generator)
        words[part] = VisualWords(patients[part].view_rows[nearest.numpy()], boxes.numpy())
    return words


def draw_corners(image_size: int, config: VisualWordsConfig, generator: torch.Generator) -> Tensor:
    """Draw the upper left corners of the crops of all words, int64 `[C, 2]`, one after the other.

    Raises:
        ValueError: no place is left that is far enough from all those before.
    """
    crop = round(config.crop_share * image_size)
    room = torch.arange(image_size - crop + 1)
    left = torch.cartesian_prod(room, room)  # [all places, 2]
    left = left[torch.randperm(len(left), generator=generator)]
    distance = max(1.0, config.min_distance * crop)
    corners: list[Tensor] = []
    while len(corners) < config.num_words:
        if not len(left):
            raise ValueError(
                f"words.num_words {config.num_words}: after {len(corners)} of them no place in pictures of "
                f"{image_size} px is {distance:.1f} px away from the others, for crops of {crop} px. Lower "
                "num_words, min_distance or crop_share."
            )
        corners.append(left[0])
        left = left[(left - left[0]).square().sum(dim=1) >= distance**2]
    return torch.stack(corners)


def _draw_boxes(
    corners: Tensor, num_patients: int, image_size: int, config: VisualWordsConfig, generator: torch.Generator
) -> Tensor:
    """Return the crops of each patient of each word, int64 `[C, M, R, 3]`; all lie inside the picture."""
    crop = round(config.crop_share * image_size)
    shape = (len(corners), num_patients, config.num_extra_crops)
    low, high = config.extra_sizes
    factor = low + (high - low) * torch.rand(shape, generator=generator)
    side = (crop * factor).round().long().clamp(min=1)  # [C, M, R - 1]
    shift = config.jitter * crop * (2 * torch.rand(*shape, 2, generator=generator) - 1)
    middle = corners[:, None, None] + crop / 2 + shift  # [C, M, R - 1, 2]
    place = (middle - side[..., None] / 2).round().long()
    place = torch.minimum(place.clamp(min=0), image_size - side[..., None])
    first = torch.nn.functional.pad(corners, (0, 1), value=crop)  # [C, 3]
    extra = torch.cat([place, side[..., None]], dim=-1)
    return torch.cat([first[:, None, None].expand(*shape[:2], 1, 3), extra], dim=2)
