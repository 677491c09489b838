"""A small convolutional auto-encoder: what it keeps of a picture describes the picture as a whole.

Letters: N pictures, S their side.
"""

import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = (16, 32, 32, 32)
"""Of the four levels, each of half the side of the one before."""


class AutoEncoder(nn.Module):
    """Squeeze a picture through 1/256 of its places, 32 numbers each, and restore it from them.

    There are no connections past that: what two pictures have in common must show in these numbers.

    Args:
        image_size: side of the pictures, S, pixels.

    Raises:
        ValueError: a side that cannot be halved four times.
    """

    def __init__(self, image_size: int):
        super().__init__()
        factor = 2 ** len(CHANNELS)
        if image_size < factor or image_size % factor:
            raise ValueError(
                f"An auto-encoder for pictures of {image_size} px: the side must be a multiple of {factor}."
            )
        sizes = (1, *CHANNELS)
        pairs = list(zip(sizes, sizes[1:], strict=False))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 4, stride=2, padding=1) for a, b in reversed(pairs))
        for layer in (*self.down, *self.up):
            # By He: PyTorch's own start values fade from layer to layer, and 200 steps later the error was
            # three times as large.
            taps = 9 if isinstance(layer, nn.Conv2d) else 4  # of its kernel, that meet in one output
            nn.init.normal_(layer.weight, std=(2 / (taps * layer.in_channels)) ** 0.5)
            nn.init.zeros_(layer.bias)

    def describe(self, images: Tensor) -> Tensor:
        """Return what is kept of pictures `[N, 1, S, S]`: `[N, S * S / 8]`."""
        return self._squeeze(images).flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        """Restore pictures `[N, 1, S, S]`."""
        x = self._squeeze(images)
        for layer in self.up:
            x = layer(F.relu(x))
        return x

    def _squeeze(self, images: Tensor) -> Tensor:
        """Return what is kept, laid out as in the picture, `[N, 32, S / 16, S / 16]`."""
        x = self.down[0](images)
        for layer in self.down[1:]:
            x = layer(F.relu(x))
        return x
