"""Augmentation of a batch on its device: one set of random parameters per view, one flip per study.

REFERS, data augmentation: random crop, horizontal flip (with the report's sides swapped by the loader),
rotation of -10 to 10 degrees, brightness and contrast. ConVIRT, appendix A, adds a crop of random size,
translation, zoom and blur. Crop, flip and all that moves pixels are one matrix and one bilinear sampling, so
the picture is interpolated once and the affine brings in what lies beside the crop; zeros come in only from
outside the stored picture. The same code runs on every device, and the parameters come from a CPU generator,
so a seed means the same everywhere.

Letters: B studies, V views, N = B * V, S stored size, C crop size.
"""

import dataclasses
import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from lib.data.blur import blur_radius, gaussian_blur
from lib.data.cutout import cut_out_, draw_squares

MEAN, STD = 0.5, 0.25
"""Of grey radiographs on the scale 0..1, rounded, without padding: Open-i 0.58 and 0.28, NIH 0.51 and 0.25,
Kermany 0.49 and 0.24, COVID-19 collection 0.52 and 0.24.

Fixed constants and not per data set: a pretrained encoder must see a target domain on the scale it learned.
"""

EVALUATIONS = ("crop", "whole")

CPU_CHUNK = 8
"""Views sampled at once on a CPU: pictures, grids and crops of so many stay in the cache. Measured on one
core, 256 to 224 px: 0.6 ms a view in chunks of 4 to 16, 1.1 ms with all 96 at once."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How strongly pictures are varied; the defaults are those of REFERS.

    ConVIRT (appendix A): scale (0.6, 1.0), rotation 20, translation 0.1, zoom (0.95, 1.05), blur (0.1, 3.0),
    the rest as here. It names the ranges and torchvision, whose only crop with a range counts areas.
    SimCLR, MoCo and C2L: a smaller scale, probabilities, cutouts; their saturation, hue and random grey mean
    nothing on grey pictures. Crops are square where torchvision also draws a ratio of the sides.

    Attributes:
        crop_size: side of what comes out, pixels, and of the random crop unless `scale` resizes it; the
            stored size is what the papers resize to (256).
        scale: range of the crop's area as a share of the stored picture's; the square crop is resized to
            crop_size. (0, 0): the crop is crop_size stored pixels wide, none resized.
        rotation: largest angle to either side, degrees.
        translation: largest shift of the picture along each axis, as a share of the crop's side.
        zoom: range of the factor by which what the crop shows is enlarged.
        flip: probability of a horizontal flip, one decision per study.
        brightness: range of the factor; REFERS gives none, this is its published code's and ConVIRT's.
        contrast: range of the factor around the mean of the crop; likewise.
        jitter_probability: of brightness and contrast, both or neither; otherwise the crop keeps its own.
        blur: range of the Gaussian's deviation in pixels of what comes out; (0, 0): no blur. The kernel
            reaches over three deviations (`lib.data.blur`): up to 2 px within SimCLR's tenth of 224 px.
        blur_probability: of the blur.
        num_cutouts: squares that are made grey (0.5), the last variation of all; their middles lie anywhere.
        cutout_size: side of such a square, pixels of what comes out.
        evaluation: what is seen where nothing is varied: "crop", the middle crop_size stored pixels, or
            "whole", the stored square with its padding, resized to crop_size (ConVIRT, appendix B).
    """

    crop_size: int = 224
    scale: tuple[float, float] = (0.0, 0.0)
    rotation: float = 10.0
    translation: float = 0.0
    zoom: tuple[float, float] = (1.0, 1.0)
    flip: float = 0.5
    brightness: tuple[float, float] = (0.6, 1.4)
    contrast: tuple[float, float] = (0.6, 1.4)
    jitter_probability: float = 1.0
    blur: tuple[float, float] = (0.0, 0.0)
    blur_probability: float = 1.0
    num_cutouts: int = 0
    cutout_size: int = 32
    evaluation: str = "crop"

    def __post_init__(self):
        for name in ("flip", "jitter_probability", "blur_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"{name} {getattr(self, name)} is not a probability; give a number from 0 to 1."
                )
        if not 0 <= self.rotation <= 180:
            raise ValueError(f"rotation {self.rotation} is not an angle from 0 to 180 degrees.")
        if not 0 <= self.translation < 1:
            raise ValueError(f"translation {self.translation} is not a share of the side (0 <= share < 1).")
        for name in ("brightness", "contrast"):
            low, high = getattr(self, name)
            if not 0 <= low <= high:
                raise ValueError(f"{name} {(low, high)} is not a range of factors (0 <= low <= high).")
        low, high = self.zoom
        if not 0 < low <= high:
            raise ValueError(f"zoom {(low, high)} is not a range of factors (0 < low <= high).")
        low, high = self.scale
        if any(self.scale) and not 0 < low <= high <= 1:
            raise ValueError(
                f"scale {(low, high)} is not a range of shares (0 < low <= high <= 1), nor (0, 0) for none."
            )
        low, high = self.blur
        if not 0 <= low <= high:
            raise ValueError(f"blur {(low, high)} is not a range of deviations (0 <= low <= high).")
        if self.crop_size < 1:
            raise ValueError(f"crop_size {self.crop_size} is no number of pixels; give 1 or more.")
        if blur_radius(high) >= self.crop_size:
            raise ValueError(f"blur {(low, high)} reaches over a crop of {self.crop_size} px; lower it.")
        if self.num_cutouts < 0:
            raise ValueError(f"num_cutouts {self.num_cutouts} is negative; 0 cuts nothing out.")
        if self.num_cutouts and not 0 < self.cutout_size <= self.crop_size:
            raise ValueError(
                f"cutout_size {self.cutout_size} is not between 1 and the {self.crop_size} px of a crop."
            )
        check_evaluation(self.evaluation)


class Variation(NamedTuple):
    """The parameters of one batch, on the CPU."""

    top: Tensor  # [B, V], first row of the crop, stored pixels; int64 where none is resized
    left: Tensor  # [B, V]
    angle: Tensor  # [B, V], radians, counter-clockwise
    flipped: Tensor  # bool [B]
    brightness: Tensor  # [B, V]
    contrast: Tensor  # [B, V]
    side: Tensor  # [B, V], of the crop, stored pixels
    right: Tensor  # [B, V], shift of the picture before any flip, as a share of the side
    down: Tensor  # [B, V]
    zoom: Tensor  # [B, V]
    blur: Tensor  # [B, V], deviation, pixels of the result
    cutouts: Tensor  # [B, V, squares, 4], see `cutout`, pixels of the result

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
        ValueError: a crop that is not resized is larger than the pictures.
    """
    num_studies, num_views, _, size, _ = shape

    def between(low: float, high: float) -> Tensor:
        return torch.rand(num_studies, num_views, generator=generator) * (high - low) + low

    def between_if_open(low: float, high: float) -> Tensor:
        """Draw nothing for a fixed value: what is drawn after it stays the same."""
        return between(low, high) if low < high else torch.full((num_studies, num_views), float(low))

    if any(config.scale):
        side = between_if_open(*config.scale).sqrt() * size
        top, left = (between(0.0, 1.0) * (size - side) for _ in range(2))
    else:
        _check_crop(size, config.crop_size)
        side = torch.full((num_studies, num_views), float(config.crop_size))
        room = size - config.crop_size + 1
        top, left = (torch.randint(room, side.shape, generator=generator) for _ in range(2))
    variation = Variation(
        top=top,
        left=left,
        angle=between(-math.radians(config.rotation), math.radians(config.rotation)),
        flipped=torch.rand(num_studies, generator=generator) < config.flip,
        brightness=between(*config.brightness),
        contrast=between(*config.contrast),
        side=side,
        right=between_if_open(-config.translation, config.translation),
        down=between_if_open(-config.translation, config.translation),
        zoom=between_if_open(*config.zoom),
        blur=between_if_open(*config.blur),
        cutouts=torch.zeros(num_studies, num_views, 0, 4, dtype=torch.int64),
    )
    if config.jitter_probability < 1:
        left_out = between(0.0, 1.0) >= config.jitter_probability
        brightness, contrast = (
            values.masked_fill(left_out, 1.0) for values in (variation.brightness, variation.contrast)
        )
        variation = variation._replace(brightness=brightness, contrast=contrast)
    if config.blur_probability < 1:
        left_out = between(0.0, 1.0) >= config.blur_probability
        variation = variation._replace(blur=variation.blur.masked_fill(left_out, 0.0))
    if config.num_cutouts:
        number, width = config.num_cutouts, config.cutout_size
        squares = draw_squares(side.shape, number, width, config.crop_size, generator)
        variation = variation._replace(cutouts=squares)
    return variation


def apply_variation(images: Tensor, variation: Variation, crop_size: int) -> Tensor:
    """Move all pixels in one sampling, then brightness, contrast, blur and cutouts; see `augment`."""
    batch = images.shape[:2]
    *whole, cutouts = variation._replace(flipped=variation.flipped[:, None].expand(batch))
    parameters = torch.stack([values.float() for values in whole]).flatten(1).to(images.device)  # [11, N]
    cutouts = cutouts.flatten(0, 1).to(images.device)  # [N, squares, 4]
    # Decided on the CPU: no wait for a device.
    place = _cut if _keeps_pixels(variation, crop_size) else _sample
    radius = blur_radius(float(variation.blur.max()))
    pictures = images.flatten(0, 1)  # [N, 1, S, S]
    varied = torch.empty(len(pictures), 1, crop_size, crop_size, device=images.device)
    step = CPU_CHUNK if images.device.type == "cpu" else len(pictures)
    for part in (slice(start, start + step) for start in range(0, len(pictures), step)):
        own = Variation(*parameters[:, part], cutouts[part])  # [n] each, the last one [n, squares, 4]
        crops = _adjust_(place(pictures[part], own, crop_size), own.brightness * _scale(images), own.contrast)
        varied[part] = gaussian_blur(crops, own.blur, radius) if radius else crops
        if cutouts.shape[1]:
            cut_out_(varied[part], own.cutouts, MEAN)
    return varied.unflatten(0, batch)


def check_evaluation(evaluation: str) -> None:
    """Raise the ValueError that says what evaluation may see."""
    if evaluation not in EVALUATIONS:
        raise ValueError(f"evaluation {evaluation!r} is not one of {', '.join(EVALUATIONS)}.")


def evaluation_view(images: Tensor, size: int, evaluation: str = "crop") -> Tensor:
    """Show pictures as evaluation sees them; see `AugmentConfig.evaluation`.

    Args:
        images: `[..., S, S]`, uint8 or float on the scale 0..1.
        size: side of what comes out, pixels.
        evaluation: "crop" or "whole".

    Returns:
        Float32 `[..., size, size]` on the scale 0..1.
    """
    check_evaluation(evaluation)
    return center_crop(images, size) if evaluation == "crop" else resize(images, size)


def resize(images: Tensor, size: int) -> Tensor:
    """Resize whole pictures: bilinear, filtered against aliasing, as Pillow does it.

    Args:
        images: `[..., S, S]`, uint8 or float on the scale 0..1.
        size: side of what comes out, pixels.

    Returns:
        Float32 `[..., size, size]` on the scale 0..1.
    """
    pictures = images.flatten(0, -3)[:, None].float()  # [N, 1, S, S]
    resized = functional.interpolate(pictures, (size, size), mode="bilinear", antialias=True)
    return resized.view(*images.shape[:-2], size, size) * _scale(images)


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


def _keeps_pixels(variation: Variation, crop_size: int) -> bool:
    """Say whether every crop consists of stored pixels as they are, or mirrored."""
    moved = variation.angle.any() or variation.right.any() or variation.down.any()
    return not (moved or (variation.zoom != 1).any() or (variation.side != crop_size).any())


def _sample(pictures: Tensor, variation: Variation, crop_size: int) -> Tensor:
    """Sample crops: bilinear, angle and zoom around the centre of the crop, zeros outside the picture.

    The grid is the sum of a row term and a column term; `affine_grid` takes a matrix product over all
    pixels for the same and costs as much as the sampling itself.
    """
    size = pictures.shape[-1]
    angle, side = variation.angle, variation.side
    steps = torch.arange(crop_size, device=pictures.device) - (crop_size - 1) / 2  # pixels from the centre
    sign = 1 - 2 * variation.flipped
    stride = side / crop_size / variation.zoom  # stored pixels from one pixel of the crop to the next
    middle = torch.stack([variation.left, variation.top]) + (side - 1) / 2  # [2, n], x before y
    to_right = torch.stack([angle.cos(), angle.sin()])  # one pixel to the right in the crop, before any flip
    to_down = torch.stack([-angle.sin(), angle.cos()])
    # The picture moves to the right by what the crop moves to the left.
    middle = middle - (to_right * variation.right + to_down * variation.down) * (side / variation.zoom)
    across, down = sign * to_right * stride, to_down * stride
    # From pixel positions to the scale -1..1 of grid_sample, whose ends are the outer edges of the pixels.
    by_column = across[..., None] * steps * (2 / size)  # [2, n, C]
    by_row = (down[..., None] * steps + middle[..., None] + 0.5) * (2 / size) - 1
    grid = by_row.permute(1, 2, 0)[:, :, None] + by_column.permute(1, 2, 0)[:, None]  # [n, C, C, 2]
    return functional.grid_sample(pictures.float(), grid, padding_mode="zeros", align_corners=False)


def _cut(pictures: Tensor, variation: Variation, crop_size: int) -> Tensor:
    """Take crops whose pixels are stored ones: the very pixels, for any picture size."""
    windows = (
        pictures[:, 0].unfold(1, crop_size, 1).unfold(2, crop_size, 1)
    )  # [n, S-C+1, S-C+1, C, C], no copy
    which = torch.arange(len(pictures), device=pictures.device)
    crops = windows[which, variation.top.long(), variation.left.long()][:, None].float()  # [n, 1, C, C]
    return torch.where(variation.flipped.bool()[:, None, None, None], crops.flip(3), crops)


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
