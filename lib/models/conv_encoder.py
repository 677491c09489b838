"""What convolutional image encoders have in common."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from lib.models.encoder import CamLayer, EncoderOutput
from lib.models.pretrained import LoadedWeights

GREY_MEAN, GREY_STD = 0.5, 0.25
"""What the loader normalises grey radiographs with (`lib.data.augment`)."""

STEP = 32
"""Pixels from one place of the last feature map to the next: all halve the sides five times."""


class ConvEncoder(nn.Module):
    """Grey images of one size in, feature maps out.

    Args:
        image_size: height and width of the images, in pixels.

    Attributes:
        first_centre: middle of what the first place of a row looks at, pixels from the edge; half a pixel
            where every layer is padded by half of its kernel.
        loaded: what it took from a file of weights; None where it began with random ones.
    """

    in_channels = 1
    first_centre = 0.5
    loaded: LoadedWeights | None = None

    def __init__(self, image_size: int):
        super().__init__()
        self.image_size = image_size

    def __getattr__(self, name: str) -> Any:
        """Say why there is no attention to look at; all else as in every module."""
        if name in ("attention_maps", "forward_with_attention"):
            kind = type(self).__name__
            raise AttributeError(f"{kind} has no attention, so no {name}; explain it by its cam_layer().")
        return super().__getattr__(name)

    @property
    def place_centres(self) -> Tensor:
        """The middle of what each place of a row, or of a column, looks at: pixels from the edge.

        Strides make a grid that does not begin half a step from the edge, as cells of equal size would: a map
        that is drawn as if it did lies half a cell beside what it shows.
        """
        return self.first_centre + STEP * torch.arange(math.ceil(self.image_size / STEP))

    def check_images(self, images: Tensor) -> None:
        """Raise the ValueError that names a wrong shape."""
        expected = (self.in_channels, self.image_size, self.image_size)
        if tuple(images.shape[1:]) != expected:
            raise ValueError(f"Images have shape {tuple(images.shape[1:])}, the encoder takes {expected}.")


def describe_maps(maps: Tensor) -> EncoderOutput:
    """Return the last feature maps `[N, D, H, W]` as one feature per place, and their mean."""
    return EncoderOutput(maps.flatten(2).transpose(1, 2), maps.mean(dim=(2, 3)))


def cam_layer_of(module: nn.Module) -> CamLayer:
    """Return the layer whose output is already laid out as feature maps."""
    return CamLayer(module, _as_it_is)


def _as_it_is(features: Tensor) -> Tensor:
    return features
