"""ResNet of torchvision as image encoder (ConVIRT, section 2.3 and appendix A).

Letters: N images, H and W their sides, P places of the last feature map, D width.
"""

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from lib.models.conv_encoder import GREY_MEAN, GREY_STD, ConvEncoder, cam_layer_of, describe_maps
from lib.models.encoder import CamLayer, EncoderOutput
from lib.models.pretrained import LoadedWeights, load_strictly, read_weights

DEPTHS = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}
"""Kind and number of the blocks of each of the four stages."""

COLOUR_MEAN, COLOUR_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""What torchvision's ImageNet weights were trained with."""

HEAD = ("fc.weight", "fc.bias")
"""Entries of torchvision's files that an encoder has no use for: the layer that names ImageNet's classes."""


@dataclasses.dataclass(kw_only=True)
class ResNetConfig:
    """Which ResNet; the defaults are those of ConVIRT, whose weights start as ImageNet's.

    Attributes:
        depth: 50 in the paper; 18, 34 or 101.
        image_size: height and width of the images, in pixels.
        weights: file of a torchvision state dict (.pth or .safetensors). Empty: random weights, those of
            torchvision; the paper's ImageNet file has to be named, nothing is downloaded.
        base_width: channels of the first stage, doubled by each later one; 64 in the paper and in every
            published file. Fewer make a network that two CPU cores can train.
    """

    depth: int = 50
    image_size: int = 224
    weights: str = ""
    base_width: int = 64


class ResNet(ConvEncoder):
    """Turn radiographs into one feature per place of the last feature map, and their mean.

    Entries of the state dict have torchvision's names, without the classification layer.

    Args:
        depth: number of layers.
        image_size: height and width of the images, in pixels.
        weights: file of a torchvision state dict, or empty.
        base_width: channels of the first stage.

    Raises:
        FileNotFoundError: no file there.
        ValueError: unknown depth, or weights that do not fit; names the first wrong entries.
    """

    Config = ResNetConfig

    def __init__(self, depth: int = 50, image_size: int = 224, weights: str = "", base_width: int = 64):
        super().__init__(image_size)
        if depth not in DEPTHS:
            known = ", ".join(map(str, DEPTHS))
            raise ValueError(f"There is no ResNet of depth {depth} here. Known: {known}.")
        block, counts = DEPTHS[depth]
        self.conv1 = nn.Conv2d(3, base_width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(base_width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = base_width
        for number, count in enumerate(counts):
            planes = base_width * 2**number
            stage = _make_stage(block, channels, planes, count, stride=1 if number == 0 else 2)
            self.add_module(f"layer{number + 1}", stage)
            channels = planes * block.expansion
        self.width = channels
        for part in self.modules():
            if isinstance(part, nn.Conv2d):  # as in torchvision
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        # From one normalisation to the other in one step: (x * GREY_STD + GREY_MEAN - mean) / std.
        mean, std = torch.tensor(COLOUR_MEAN), torch.tensor(COLOUR_STD)
        self.register_buffer("colour_scale", GREY_STD / std, persistent=False)
        self.register_buffer("colour_shift", (GREY_MEAN - mean) / std, persistent=False)
        if weights:
            self.loaded = self._load_torchvision(Path(weights))

    def forward(self, images: Tensor) -> EncoderOutput:
        """Encode grey images `[N, 1, H, W]`, normalised as `lib.data.augment.normalize` does."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(self._to_colour(images)))))  # [N, 64, H/4, W/4]
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)  # at last [N, D, H/32, W/32]
        return describe_maps(x)

    def cam_layer(self) -> CamLayer:
        """Return the last stage, whose output is already laid out as feature maps."""
        return cam_layer_of(self.layer4)

    def _to_colour(self, images: Tensor) -> Tensor:
        """Repeat the grey channel and normalise as for ImageNet: [N, 1, H, W] to [N, 3, H, W].

        Channels lie innermost in memory, and all layers keep them there: 11 % less time for a step of
        ResNet-50 on a CPU, and what tensor cores of a GPU read. The weights stay as files want them.
        """
        self.check_images(images)
        grey = images.permute(0, 2, 3, 1)  # [N, H, W, 1]
        return torch.addcmul(self.colour_shift, grey, self.colour_scale).permute(0, 3, 1, 2)

    def _load_torchvision(self, path: Path) -> LoadedWeights:
        """Load a state dict of torchvision, all of it but the classification layer."""
        weights = read_weights(path)
        found = {name: value for name, value in weights.items() if name not in HEAD}
        # Older files of torchvision are from before batch norms counted their batches; nothing reads that.
        counters = {k: v for k, v in self.state_dict().items() if k.endswith("num_batches_tracked")}
        initial = counters if counters.keys().isdisjoint(found) else {}
        try:
            load_strictly(self, found | initial)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        return LoadedWeights.of(
            self, path, ignored=[name for name in weights if name in HEAD], initial=list(initial)
        )


def _make_stage(block: type, channels: int, planes: int, count: int, stride: int) -> nn.Sequential:
    """Chain torchvision's blocks; the first one changes resolution and channels."""
    width = planes * block.expansion
    shortcut = None
    if stride != 1 or channels != width:
        shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))
    blocks = [block(channels, planes, stride, shortcut)]
    blocks += [block(width, planes) for _ in range(count - 1)]
    return nn.Sequential(*blocks)
