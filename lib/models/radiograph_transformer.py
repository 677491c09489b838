"""The radiograph transformer (REFERS, section 4.1 and Figure 1b).

Letters: N images, C channels, P patches, T = 1 + P tokens (the aggregation embedding first), D width,
H heads.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.dropout import Dropout
from lib.models.encoder import CamLayer, EncoderOutput
from lib.models.imagenet_vit import load_imagenet_vit
from lib.models.initialise import initialise
from lib.models.presets import preset_named
from lib.models.pretrained import load_renamed
from lib.models.transformer_block import TransformerBlock

AGGREGATIONS = ("concatenated", "added", "none")


@dataclasses.dataclass(kw_only=True)
class RadiographTransformerConfig:
    """Sizes of the paper (4.1): 14 x 14 patches of 16 x 16 pixels, twelve blocks.

    Width, heads and perceptron width are those of ViT-B, which the paper does not print but its code uses;
    so is the dropout. Grey images have one channel (the published code repeats them to three).

    Attributes:
        image_size: height and width of the images, in pixels.
        patch_size: height and width of a patch, in pixels.
        width: of every feature.
        depth: number of self-attention blocks.
        num_heads: attention heads of a block.
        mlp_width: hidden width of a block's perceptron.
        in_channels: of the images.
        dropout: probability, after the embedding and after both layers of each perceptron.
        aggregation: "concatenated" (paper) or "added" (official), as `lib.models.presets` tells; "none" is
            the original ViT (Table 3, row 2): positions are added, the class token is pooled, and patch
            features stay without it. Empty: that of the preset.
        weights: file of an ImageNet ViT (`lib.models.imagenet_vit`). Empty: random weights.
    """

    image_size: int = 224
    patch_size: int = 16
    width: int = 768
    depth: int = 12
    num_heads: int = 12
    mlp_width: int = 3072
    in_channels: int = 1
    dropout: float = 0.1
    aggregation: str = ""
    weights: str = ""


class RadiographTransformer(nn.Module):
    """Turn radiographs into one feature per patch and a pooled feature.

    Args:
        preset: "paper" or "official" (`lib.models.presets`); the others are told by
            `RadiographTransformerConfig`.

    Attributes:
        loaded: what it took from a file of weights; None where it began with random ones.

    Raises:
        FileNotFoundError: no file of weights there.
        ValueError: sizes or weights that do not fit.
    """

    Config = RadiographTransformerConfig

    def __init__(
        self,
        image_size: int = 224,
        patch_size: int = 16,
        width: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_width: int = 3072,
        in_channels: int = 1,
        preset: str = "paper",
        dropout: float = 0.1,
        aggregation: str = "",
        weights: str = "",
    ):
        super().__init__()
        if image_size % patch_size:
            raise ValueError(f"image_size {image_size} is not a multiple of patch_size {patch_size}.")
        self.preset = preset_named(preset)
        self.aggregation = aggregation or self.preset.aggregation
        if self.aggregation not in AGGREGATIONS:
            raise ValueError(f"aggregation {aggregation!r} is not one of {', '.join(AGGREGATIONS)}.")
        self.is_concatenated = self.aggregation == "concatenated"
        self.image_size, self.patch_size = image_size, patch_size
        self.width, self.in_channels = width, in_channels
        self.grid_size = image_size // patch_size
        num_tokens = 1 + self.grid_size**2

        self.patch_embedding = nn.Linear(in_channels * patch_size**2, width)
        self.aggregation_embedding = nn.Parameter(torch.zeros(1, 1, width))  # zeros: paper 4.2
        self.position_embedding = nn.Parameter(torch.empty(1, num_tokens, width))
        if self.is_concatenated:
            self.position_projection = nn.Linear(2 * width, width)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(
                width,
                num_heads,
                mlp_width,
                activation=self.preset.encoder_activation,
                dropout=dropout,
                norm_eps=self.preset.encoder_norm_eps,
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width, eps=self.preset.encoder_norm_eps)
        if self.is_concatenated:
            self.recurrent_concatenation = RecurrentConcatenation(width)
        initialise(self)
        # Concatenated positions start at the scale of the patch features, so that neither drowns the other
        # ("randomly initialized", 4.2); added ones start small, as in ViT.
        nn.init.normal_(self.position_embedding, std=1.0 if self.is_concatenated else 0.02)
        self.loaded = load_imagenet_vit(self, Path(weights)) if weights else None

    def forward(self, images: Tensor) -> EncoderOutput:
        """Encode images `[N, C, H, W]`."""
        x = self._embed(images)  # [N, T, D]
        for block in self.blocks:
            x = block(x)
        return self._aggregate(self.norm(x))

    def forward_with_attention(self, images: Tensor) -> tuple[EncoderOutput, list[Tensor]]:
        """Return what `forward` returns, and `attention_maps`, both with gradients."""
        x, maps = self._embed(images), []
        for block in self.blocks:
            x, weights = block.with_weights(x)
            maps.append(weights)
        return self._aggregate(self.norm(x)), maps

    def attention_maps(self, images: Tensor) -> list[Tensor]:
        """Return the attention weights of every block, `[N, H, T, T]` each, first token: the aggregation."""
        return self.forward_with_attention(images)[1]

    def cam_layer(self) -> CamLayer:
        """Return the last place where every patch's feature still reaches `pooled`.

        Paper: the recurrent concatenation. Otherwise only the class token is pooled, so a map on the last
        block's output is exactly zero; the norm before the last attention is the last place that works.
        """
        if self.is_concatenated:
            return CamLayer(self.recurrent_concatenation, self._grid)
        return CamLayer(self.blocks[-1].attention_norm, lambda tokens: self._grid(tokens[:, 1:]))

    def load_published(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load weights under the names of the published code (preset "official").

        A patch embedding for three channels is summed over them when this encoder takes one: a grey image
        then gives what its three equal copies gave. (Copies that were normalised with different means and
        deviations were not equal; the difference is absorbed by fine-tuning, not by this function.)

        Raises:
            ValueError: missing, unexpected or misshapen entries; or preset "paper".
        """
        if self.is_concatenated:
            raise ValueError('Published weights fit preset "official" only; this encoder has preset "paper".')
        state = dict(state_dict)
        patches = state.get("embeddings.patch_embeddings.weight")
        if patches is not None:
            if self.in_channels == 1:
                patches = patches.sum(dim=1, keepdim=True)
            state["embeddings.patch_embeddings.weight"] = patches.flatten(1)
        load_renamed(self, state, _published_names(len(self.blocks)))

    def _embed(self, images: Tensor) -> Tensor:
        """Cut [N, C, H, W] into patches and embed them with their positions: [N, T, D]."""
        expected = (self.in_channels, self.image_size, self.image_size)
        if tuple(images.shape[1:]) != expected:
            raise ValueError(f"Images have shape {tuple(images.shape[1:])}, the encoder takes {expected}.")
        grid = (self.grid_size, self.patch_size)
        pixels = images.unflatten(3, grid).unflatten(2, grid).permute(0, 2, 4, 1, 3, 5)
        patches = self.patch_embedding(pixels.flatten(3).flatten(1, 2))  # [N, P, D]
        # The aggregation embedding gets a position too: alone, its zeros would enter the first norm, whose
        # gradient at zero is about 300 times that of a patch and would fill the clipped gradient.
        x = torch.cat([self.aggregation_embedding.expand(len(images), -1, -1), patches], dim=1)  # [N, T, D]
        if not self.is_concatenated:
            return self.dropout(x + self.position_embedding)
        return self.dropout(_project_concatenation(self.position_projection, x, self.position_embedding))

    def _aggregate(self, x: Tensor) -> EncoderOutput:
        """Bring the aggregation embedding into every patch feature, or leave it, and pool: x [N, T, D]."""
        aggregation, patches = x[:, :1], x[:, 1:]
        if self.is_concatenated:
            tokens = self.recurrent_concatenation(patches, aggregation)
            return EncoderOutput(tokens, tokens.mean(dim=1))
        tokens = patches + aggregation if self.aggregation == "added" else patches
        return EncoderOutput(tokens, aggregation.squeeze(1))

    def _grid(self, tokens: Tensor) -> Tensor:
        """Lay tokens [N, P, D] out as [N, D, rows, columns]."""
        return tokens.transpose(1, 2).unflatten(2, (self.grid_size, self.grid_size))


class RecurrentConcatenation(nn.Module):
    """Concatenate the aggregation embedding with the feature of every patch, and project back.

    The paper's operation (4.1) "repeatedly concatenates the learned aggregation embedding with the learned
    representation of every patch"; our reading of it is in docs/refers.md.
    """

    def __init__(self, width: int):
        super().__init__()
        self.projection = nn.Linear(2 * width, width)

    def forward(self, patches: Tensor, aggregation: Tensor) -> Tensor:
        """Join `[N, P, D]` and `[N, 1, D]` to `[N, P, D]`."""
        return _project_concatenation(self.projection, patches, aggregation)


def _project_concatenation(projection: nn.Linear, first: Tensor, second: Tensor) -> Tensor:
    """Compute projection([first; second]) for tensors that broadcast, without building the concatenation.

    The half of `second`, which many rows of `first` share, is then multiplied once instead of once a row.
    """
    width = first.shape[-1]
    shared = F.linear(second, projection.weight[:, width:], projection.bias)
    return F.linear(first, projection.weight[:, :width]) + shared


def _published_names(depth: int) -> dict[str, tuple[str, ...]]:
    """Map our names to those of the published image transformer; several are stacked along rows."""
    names = {
        "patch_embedding.weight": ("embeddings.patch_embeddings.weight",),
        "patch_embedding.bias": ("embeddings.patch_embeddings.bias",),
        "aggregation_embedding": ("embeddings.cls_token",),
        "position_embedding": ("embeddings.position_embeddings",),
        "norm.weight": ("encoder.encoder_norm.weight",),
        "norm.bias": ("encoder.encoder_norm.bias",),
    }
    parts = {
        "attention_norm": ("attention_norm",),
        "attention.query_key_value": ("attn.query", "attn.key", "attn.value"),
        "attention.output": ("attn.out",),
        "perceptron_norm": ("ffn_norm",),
        "perceptron.hidden": ("ffn.fc1",),
        "perceptron.output": ("ffn.fc2",),
    }
    for layer in range(depth):
        for ours, theirs in parts.items():
            for kind in ("weight", "bias"):
                names[f"blocks.{layer}.{ours}.{kind}"] = tuple(
                    f"encoder.layer.{layer}.{part}.{kind}" for part in theirs
                )
    return names
