"""View fusion: the features of a study's views become features of the study (REFERS, 4.2 and Figure 1c).

Letters: B studies, V views, P patches, D width.
"""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from lib.models.initialise import initialise
from lib.models.presets import preset_named
from lib.models.pretrained import load_renamed


class FusedViews(NamedTuple):
    """Features of B studies.

    Attributes:
        memory: weighted tokens of all views, which the report transformer reads, `[B, V * P, D]`.
        study_feature: pooled features of all views, which the contrastive loss reads, `[B, V * D]`.
        weights: of each view, `[B, V, 1]` (paper) or of each view and place, `[B, V, P]` (official).
    """

    memory: Tensor
    study_feature: Tensor
    weights: Tensor


class ViewFusion(nn.Module):
    """Weigh the views of a study against each other and join them.

    Paper: a perceptron reads the concatenated pooled features of the views and gives one value a view; their
    softmax weighs tokens and pooled features, which are then concatenated. Its depth (one hidden layer of
    the encoder's width, ReLU as in the encoder) is our choice, the paper is silent.
    Official: a linear layer with a sigmoid reads the views' tokens at one place and gives one gate a view for
    that place; the pooled features are concatenated as they are.

    Args:
        width: of the features of a view.
        num_views: views of every study.
        preset: "paper" or "official".
    """

    def __init__(self, width: int, num_views: int = 3, preset: str = "paper"):
        super().__init__()
        self.preset = preset_named(preset)
        self.width, self.num_views = width, num_views
        if self.preset.has_view_weights:
            self.attention = nn.Sequential(
                nn.Linear(num_views * width, width), nn.ReLU(), nn.Linear(width, num_views)
            )
        else:
            self.gates = nn.Linear(num_views * width, num_views)
        initialise(self)

    def forward(self, tokens: Tensor, pooled: Tensor) -> FusedViews:
        """Fuse `tokens` [B, V, P, D] and `pooled` [B, V, D]."""
        if tokens.shape[1] != self.num_views:
            raise ValueError(
                f"Studies have {tokens.shape[1]} views, view fusion was made for {self.num_views}."
            )
        if self.preset.has_view_weights:
            weights = self.attention(pooled.flatten(1)).softmax(dim=-1).unsqueeze(-1)  # [B, V, 1]
            pooled = weights * pooled
        else:
            places = tokens.transpose(1, 2).flatten(2)  # [B, P, V * D]
            weights = self.gates(places).sigmoid().transpose(1, 2)  # [B, V, P]
        memory = (weights.unsqueeze(-1) * tokens).flatten(1, 2)  # [B, V * P, D]
        return FusedViews(memory, pooled.flatten(1), weights)

    def load_published(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load weights under the names of the published code (preset "official").

        Raises:
            ValueError: missing, unexpected or misshapen entries; or preset "paper".
        """
        if self.preset.has_view_weights:
            raise ValueError('Published weights fit preset "official" only; this fusion has preset "paper".')
        views = range(1, self.num_views + 1)
        names = {f"gates.{kind}": tuple(f"fc{view}.{kind}" for view in views) for kind in ("weight", "bias")}
        load_renamed(self, state_dict, names)
