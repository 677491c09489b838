"""Heads that turn a pooled feature into predictions."""

from torch import Tensor, nn


class Classifier(nn.Module):
    """An image encoder and a linear layer on its pooled feature.

    The linear layer starts at zero: every image begins with equal logits, and the first steps train the head
    before its gradient reaches the encoder.

    Args:
        encoder: as in `lib.models.ENCODERS`.
        num_outputs: logits per image.
    """

    def __init__(self, encoder: nn.Module, num_outputs: int):
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.width, num_outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits `[N, outputs]` of images `[N, C, H, W]`."""
        return self.head(self.encoder(images).pooled)
