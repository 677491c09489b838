"""The two presets of REFERS: what the paper says, and what the published code does."""

import dataclasses
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    """Where the paper and the published code differ; "silent" marks what the paper leaves open.

    Attributes:
        name: "paper" or "official".
        aggregation: of the radiograph transformer. Paper (4.1) "concatenated": a position feature is
            concatenated with the patch feature and projected, and the last layer concatenates the aggregation
            embedding with every patch. Official "added": positions are added, and so is the class token
            (once, after the last norm).
        has_view_weights: paper (4.2): one softmax weight a view, on both branches. Official: one sigmoid
            gate a view and position on the tokens, none on the feature of the contrastive branch.
        encoder_activation: of the radiograph transformer: ReLU in the paper (4.1), GELU officially.
        encoder_norm_eps: paper silent: PyTorch's default. Official: 1e-6, as in ViT.
        report_activation: paper: "the decoder in [20]", that is ReLU. Official: GELU.
        report_embedding_norm_eps: paper silent: PyTorch's default. Official: 1e-8.
        starts_from_frequencies: paper silent: the report transformer begins with the frequencies of the
            tokens. Official: with equal ones.
        image_to_text_weight: paper (Eq. 2): image-to-text only. Official: 0.75 image-to-text ...
        has_text_to_image_gradient: ... and 0.25 text-to-image, which carries no gradient there.
    """

    name: str
    aggregation: str
    has_view_weights: bool
    encoder_activation: Callable[[Tensor], Tensor]
    encoder_norm_eps: float
    report_activation: Callable[[Tensor], Tensor]
    report_embedding_norm_eps: float
    starts_from_frequencies: bool
    image_to_text_weight: float
    has_text_to_image_gradient: bool


PRESETS = {
    "paper": Preset(
        name="paper",
        aggregation="concatenated",
        has_view_weights=True,
        encoder_activation=F.relu,
        encoder_norm_eps=1e-5,
        report_activation=F.relu,
        report_embedding_norm_eps=1e-5,
        starts_from_frequencies=True,
        image_to_text_weight=1.0,
        has_text_to_image_gradient=True,
    ),
    "official": Preset(
        name="official",
        aggregation="added",
        has_view_weights=False,
        encoder_activation=F.gelu,
        encoder_norm_eps=1e-6,
        report_activation=F.gelu,
        report_embedding_norm_eps=1e-8,
        starts_from_frequencies=False,
        image_to_text_weight=0.75,
        has_text_to_image_gradient=False,
    ),
}


def preset_named(name: str) -> Preset:
    """Return the preset of that name.

    Raises:
        ValueError: no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"Unknown preset {name!r}. Known: {', '.join(PRESETS)}.")
    return PRESETS[name]
