"""Classifiers that look at a known region of an image and at nothing else, written weight by weight.

The region lies apart from the middle and from the diagonal, so that a map that is mirrored, turned or shifted
misses it.
"""

import torch
from torch import Tensor, nn

from lib.models.heads import Classifier
from lib.models.radiograph_transformer import RadiographTransformer
from lib.models.resnet import ResNet

SIZES = (128, 160, 224)
REGION = (16, 48, 80, 112)
"""x0, y0, x1, y1 in pixels: 4 x 4 patches, and 2 x 2 places of a ResNet, one in 32 pixels."""

INTENSITY, OPPOSITE, MARKER, INSIDE, CLASS, HIGH, LOW = range(7)
"""Features of a planted transformer: what a patch shows, and its negative, which keeps it out of the mean of
a layer norm; whether a patch lies in the region, and what it shows if so; whether a token is the aggregation
embedding; two constants that make layer norms nearly linear."""


def looking_at_region(family: str, image_size: int) -> Classifier:
    """Return a classifier whose last output is the mean of the region, scaled and shifted."""
    if family == "resnet":
        classifier = Classifier(_looking_resnet(image_size), 2).eval()
        feature = 0
    else:
        classifier = Classifier(_looking_transformer(image_size, family), 2).eval()
        feature = INSIDE
    with torch.no_grad():
        classifier.head.weight[1, feature] = 1.0
    return classifier


def pictures(number: int, image_size: int) -> tuple[Tensor, Tensor]:
    """Return noisy images [N, 1, H, W] with one brightness in the region and another beside it, and masks.

    Both are drawn apart from each other, so a map of bright places is no map of the region.
    """
    generator = torch.Generator().manual_seed(0)
    levels = 0.5 + torch.rand(2, number, 1, 1, 1, generator=generator)
    noise = 0.02 * torch.randn(number, 1, image_size, image_size, generator=generator)
    x0, y0, x1, y1 = REGION
    mask = torch.zeros(image_size, image_size)
    mask[y0:y1, x0:x1] = 1
    return levels[0] * mask + levels[1] * (1 - mask) + noise, mask


def _looking_resnet(image_size: int) -> ResNet:
    """Average pixels, pass them on, and cover what is not the region after the last stage."""
    encoder = ResNet(18, image_size, base_width=4)
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            is_kept = name.startswith("bn1.") or ".downsample.1." in name
            parameter.fill_(float(is_kept and name.endswith("weight")))
        encoder.conv1.weight[0] = 1 / 147
        for stage in (encoder.layer2, encoder.layer3, encoder.layer4):
            stage[0].downsample[0].weight[0, 0] = 1
    x0, y0, x1, y1 = REGION
    places = encoder.place_centres
    rows, columns = (y0 < places) & (places < y1), (x0 < places) & (places < x1)
    encoder.layer4.append(_Cover((rows[:, None] & columns).float()))
    return encoder


class _Cover(nn.Module):
    """Multiply feature maps with a mask."""

    def __init__(self, mask: Tensor):
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, features: Tensor) -> Tensor:
        return features * self.mask


def _looking_transformer(image_size: int, preset: str) -> RadiographTransformer:
    """Let the first perceptron copy intensities inside the region, and the last attention collect them.

    So the final token of a patch in the region has them, as CAM reads them, and what is pooled attends there.
    """
    encoder = RadiographTransformer(image_size, 16, 32, 2, 2, 16, preset=preset)
    grid, width = encoder.grid_size, encoder.width
    x0, y0, x1, y1 = (edge // 16 for edge in REGION)
    inside = torch.zeros(grid, grid)
    inside[y0:y1, x0:x1] = 1
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            parameter.fill_(float("norm" in name and name.endswith("weight")))
        encoder.patch_embedding.weight[INTENSITY] = 1 / 256
        encoder.patch_embedding.weight[OPPOSITE] = -1 / 256
        positions = encoder.position_embedding[0]
        positions[0, CLASS] = 1
        positions[1:, MARKER] = inside.flatten()
        positions[:, HIGH], positions[:, LOW] = 10, -10  # norms divide by about 2.5
        if encoder.is_concatenated:
            encoder.position_projection.weight.copy_(torch.eye(width).repeat(1, 2))
            encoder.recurrent_concatenation.projection.weight[:, :width] = torch.eye(width)

        perceptron = encoder.blocks[0].perceptron
        for unit, sign in enumerate(
            (1, -1)
        ):  # act(intensity + bound) - act(bound), the bound below 0 outside
            perceptron.hidden.weight[unit, MARKER] = 50
            perceptron.hidden.bias[unit] = -10
            perceptron.output.weight[INSIDE, unit] = 2.5 * sign
        perceptron.hidden.weight[0, INTENSITY] = 1

        attention = encoder.blocks[1].attention
        query, key, value = attention.query_key_value.weight.chunk(3)  # rows: features of head 0, of head 1
        asked = (HIGH, 1) if encoder.is_concatenated else (CLASS, 10)  # every token asks, or the pooled one
        for head in (0, width // 2):  # first feature of each; rollout takes their mean
            query[head, asked[0]] = asked[1]
            key[head, MARKER] = 20
            value[head, INSIDE] = 1
            attention.output.weight[INSIDE, head] = 0.25
    return encoder
