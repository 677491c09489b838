"""Heads that turn a pooled feature into predictions."""

from torch import Tensor, nn

from lib.models.dropout import Dropout

FEATURE_NORMS = {
    "none": lambda width: nn.Identity(),
    "batch": lambda width: nn.BatchNorm1d(width, affine=False),
}
"""What may stand between a pooled feature and the head or loss that reads it."""


def make_feature_norm(name: str, width: int) -> nn.Module:
    """Return the normalisation of that name, over rows `[N, width]`; "batch" has no learned scale.

    Pooled features of different images are nearly parallel at the start: what they share is several times
    what sets them apart. "batch" takes that away, as linear probes commonly do, so that the first steps can
    be as large as the differences allow.

    Raises:
        ValueError: no such normalisation.
    """
    if name not in FEATURE_NORMS:
        raise ValueError(f"feature_norm is {name!r}; it must be one of {', '.join(FEATURE_NORMS)}.")
    return FEATURE_NORMS[name](width)


class Classifier(nn.Module):
    """An image encoder and a linear layer on its pooled feature.

    The linear layer starts at zero: every image begins with equal logits, and the first steps train the head
    before its gradient reaches the encoder.

    Args:
        encoder: as in `lib.models.ENCODERS`.
        num_outputs: logits per image.
        feature_norm: see `make_feature_norm`.
        dropout: of what the linear layer reads.
    """

    def __init__(
        self, encoder: nn.Module, num_outputs: int, feature_norm: str = "none", dropout: float = 0.0
    ):
        super().__init__()
        self.encoder = encoder
        self.norm = make_feature_norm(feature_norm, encoder.width)
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(encoder.width, num_outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits `[N, outputs]` of images `[N, C, H, W]`."""
        return self.head(self.dropout(self.norm(self.encoder(images).pooled)))
