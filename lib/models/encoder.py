"""What every image encoder gives: tokens and a pooled feature, and the layer to explain it by."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn

from lib.models import ENCODERS
from lib.registry import resolve


class EncoderOutput(NamedTuple):
    """Features of N images.

    Attributes:
        tokens: one feature per place of the image, row by row, `[N, P, D]`.
        pooled: one feature per image, `[N, D]`: what heads and contrastive losses read.
    """

    tokens: Tensor
    pooled: Tensor


class CamLayer(NamedTuple):
    """Where to compute a class activation map.

    Attributes:
        module: its output and the gradient there make the map.
        reshape: turns that output into feature maps `[N, D, rows, columns]`.
    """

    module: nn.Module
    reshape: Callable[[Tensor], Tensor]


def make_encoder(values: Mapping[str, Any]) -> nn.Module:
    """Build the image encoder of a section: `name`, as in `lib.models.ENCODERS`, and its fields.

    Raises:
        ValueError: unknown name, or fields that do not fit.
    """
    fields = {key: value for key, value in values.items() if key != "name"}
    return resolve(values["name"], ENCODERS)(**fields)


def has_preset(name: str) -> bool:
    """Say whether an encoder of `lib.models.ENCODERS` has a `preset` (`lib.models.presets`).

    Raises:
        ValueError: unknown name.
    """
    return "preset" in inspect.signature(resolve(name, ENCODERS)).parameters
