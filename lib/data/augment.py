"""Augmentation of a batch on its device: one set of random parameters per view, one flip per study.

REFERS, data augmentation: random crop, horizontal flip (with the report's sides swapped by the loader),
rotation of -10 to 10 degrees, brightness and contrast. Crop, flip and rotation are one matrix and one
bilinear sampling, so the picture is interpolated once and rotation brings in what lies beside the crop;
zeros come in only from outside the stored picture. The same code runs on every device, and the parameters
come from a CPU generator, so a seed means the same everywhere.

Letters: B studies, V views, N = B * V, S stored size, C crop size.
"""

import dataclasses
import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

MEAN, STD = 0.5, 0.25
"""Of grey radiographs on the scale 0..1, rounded, without padding: Open-i 0.58 and 0.28, NIH 0.51 and 0.25,
Kermany 0.49 and 0.24, COVID-19 collection 0.52 and 0.24.

Fixed constants and not per data set: a pretrained encoder must see a target domain on the scale it learned.
"""

CPU_CHUNK = 8
"""Views sampled at once on a CPU: pictures, grids and crops of so many stay in the cache. Measured on one
core, 256 to 224 px: 0.6 ms a view in chunks of 4 to 16, 1.1 ms with all 96 at once."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How strongly pictures are varied.

    Attributes:
        crop_size: side of the random crop, pixels; the stored size is what the paper resizes to (256).
        rotation: largest angle to either side, degrees.
        flip: probability of a horizontal flip, one decision per study.
        brightness: range of the factor; the paper gives none, this is the published code's.
        contrast: range of the factor around the mean of the crop; likewise.
    """

    crop_size: int = 224
    rotation: float = 10.0
    flip: float = 0.5
    brightness: tuple[float, float] = (0.6, 1.4)
    contrast: tuple[float, float] = (0.6, 1.4)

    def __post_init__(self):
        if not 0 <= self.flip <= 1:
            raise ValueError(f"flip {self.flip} is not a probability; give a number from 0 to 1.")
        if not 0 <= self.rotation <= 180:
            raise ValueError(f"rotation {self.rotation} is not an angle from 0 to 180 degrees.")
        for name in ("brightness", "contrast"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(f"{name} {(low, high)} is not a range of factors (0 <= low <= high).")


class Variation(NamedTuple):
    """The parameters of one batch, on the CPU."""

    top: Tensor  # int64 [B, V], first row of the crop
    left: Tensor  # int64 [B, V]
    angle: Tensor  # [B, V], radians, counter-clockwise
    flipped: Tensor  # bool [B]
    brightness: Tensor  # [B, V]
    contrast: Tensor  # [B, V]

    def of(self, studies: slice) -> "Variation":
        """Return the parameters of some studies of the batch."""
        return Variation(*(values[studies] for values in self))


def augment(images: Tensor, config: AugmentConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Vary every view of a batch.

    Args:
        images: `[B, V, 1, S, S]`, uint8 or float on the scale 0..1.
        config: how strongly.
        generator: on the CPU.

    Returns:
        Float32 `[B, V, 1, C, C]` on the scale 0..1, and bool `[B]`: which studies were flipped, for their
        reports.
    """
    variation = draw_variation(images.shape, config, generator)
    return apply_variation(images, variation, config.crop_size), variation.flipped.to(images.device)


def draw_variation(shape: torch.Size, config: AugmentConfig, generator: torch.Generator) -> Variation:
    """Draw the parameters for a batch of that shape `[B, V, 1, S, S]`.

    Raises:
        ValueError: the crop is larger than the pictures.
    """
    num_studies, num_views, _, size, _ = shape
    _check_crop(size, config.crop_size)

    def between(low: float, high: float) -> Tensor:
        return torch.rand(num_studies, num_views, generator=generator) * (high - low) + low

    room = size - config.crop_size + 1
    return Variation(
        top=torch.randint(room, (num_studies, num_views), generator=generator),
        left=torch.randint(room, (num_studies, num_views), generator=generator),
        angle=between(-math.radians(config.rotation), math.radians(config.rotation)),
        flipped=torch.rand(num_studies, generator=generator) < config.flip,
        brightness=between(*config.brightness),
        contrast=between(*config.contrast),
    )


def apply_variation(images: Tensor, variation: Variation, crop_size: int) -> Tensor:
    """Crop, flip and rotate in one sampling, then brightness and contrast; see `augment`."""
    batch = images.shape[:2]
    flipped = variation.flipped[:, None].expand(batch)
    is_level = not variation.angle.any()  # on the CPU: no wait for a device
    place = _cut if is_level else _sample
    columns = (
        variation.top,
        variation.left,
        variation.angle,
        flipped,
        variation.brightness,
        variation.contrast,
    )
    parameters = torch.stack([column.float() for column in columns]).flatten(1).to(images.device)  # [6, N]
    pictures = images.flatten(0, 1)  # [N, 1, S, S]
    varied = torch.empty(len(pictures), 1, crop_size, crop_size, device=images.device)
    step = CPU_CHUNK if images.device.type == "cpu" else len(pictures)
    for part in (slice(start, start + step) for start in range(0, len(pictures), step)):
        top, left, angle, flip, brightness, contrast = parameters[:, part]
        crops = place(pictures[part], top, left, angle, flip, crop_size)
        varied[part] = _adjust_(crops, brightness * _scale(images), contrast)
    return varied.unflatten(0, batch)


def center_crop(images: Tensor, size: int) -> Tensor:
    """Cut out the middle, for evaluation.

    Args:
        images: `[..., S, S]`, uint8 or float on the scale 0..1.
        size: side of the cut, pixels.

    Returns:
        Float32 `[..., size, size]` on the scale 0..1.
    """
    _check_crop(images.shape[-1], size)
    start = (images.shape[-1] - size) // 2
    return images[..., start : start + size, start : start + size].float() * _scale(images)


def normalize(images: Tensor) -> Tensor:
    """Bring pictures on the scale 0..1 to what encoders take: about mean 0 and deviation 1."""
    return (images - MEAN) / STD


def denormalize(images: Tensor) -> Tensor:
    """Undo `normalize`, to show what an encoder saw."""
    return images * STD + MEAN


def _sample(
    pictures: Tensor, top: Tensor, left: Tensor, angle: Tensor, flip: Tensor, crop_size: int
) -> Tensor:
    """Sample rotated crops: bilinear, the angle around the centre of the crop, zeros outside the picture.

    The grid is the sum of a row term and a column term; `affine_grid` takes a matrix product over all
    pixels for the same and costs as much as the sampling itself.
    """
    size = pictures.shape[-1]
    steps = torch.arange(crop_size, device=pictures.device) - (crop_size - 1) / 2  # pixels from the centre
    sign = 1 - 2 * flip
    middle = torch.stack([left, top]) + (crop_size - 1) / 2  # [2, n], x before y
    across = torch.stack([sign * angle.cos(), sign * angle.sin()])  # one column to the right in the crop
    down = torch.stack([-angle.sin(), angle.cos()])  # one row down in the crop
    # From pixel positions to the scale -1..1 of grid_sample, whose ends are the outer edges of the pixels.
    by_column = across[..., None] * steps * (2 / size)  # [2, n, C]
    by_row = (down[..., None] * steps + middle[..., None] + 0.5) * (2 / size) - 1
    grid = by_row.permute(1, 2, 0)[:, :, None] + by_column.permute(1, 2, 0)[:, None]  # [n, C, C, 2]
    return functional.grid_sample(pictures.float(), grid, padding_mode="zeros", align_corners=False)


def _cut(pictures: Tensor, top: Tensor, left: Tensor, angle: Tensor, flip: Tensor, crop_size: int) -> Tensor:
    """Take crops without rotation: the very pixels, for any picture size."""
    windows = (
        pictures[:, 0].unfold(1, crop_size, 1).unfold(2, crop_size, 1)
    )  # [n, S-C+1, S-C+1, C, C], no copy
    which = torch.arange(len(pictures), device=pictures.device)
    crops = windows[which, top.long(), left.long()][:, None].float()  # [n, 1, C, C]
    return torch.where(flip.bool()[:, None, None, None], crops.flip(3), crops)


def _adjust_(crops: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Scale brightness, then contrast around the mean of each crop; both cut to 0..1, in place."""
    crops.mul_(brightness[:, None, None, None]).clamp_(0, 1)
    contrast = contrast[:, None, None, None]
    mean = crops.mean((2, 3), keepdim=True)
    return crops.mul_(contrast).add_((1 - contrast) * mean).clamp_(0, 1)


def _scale(images: Tensor) -> float:
    return 1.0 if images.is_floating_point() else 1 / 255


def _check_crop(size: int, crop_size: int) -> None:
    if crop_size > size:
        raise ValueError(
            f"A crop of {crop_size} px does not fit pictures of {size} px; ingest with a larger image size."
        )
