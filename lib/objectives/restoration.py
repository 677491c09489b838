"""What restoring objectives have in common: distort pictures, encode them, restore them.

Letters: B studies, V views, N = B * V pictures, H and W their sides.
"""

import abc
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from lib.data.augment import MEAN, STD
from lib.models.encoder import make_encoder
from lib.models.evaluating import evaluating
from lib.models.restoration_decoder import RestorationDecoder

if TYPE_CHECKING:
    from lib.data.batch import Batch

VALIDATION_SEED = 0
"""Of the distortions when nothing is learnt: all validations see the same ones."""


class Restoration(nn.Module, abc.ABC):
    """Restore distorted pictures from the tokens of an encoder; a subclass says how they are distorted.

    Every view is a picture by itself. In training the distortions follow from the CPU's generator of random
    numbers, one number a step: a checkpoint holds its state, so that a resumed training meets the same ones.

    Args:
        config: has `encoder`, its `name` and fields.
    """

    reads = ()

    def __init__(self, config: Any):
        super().__init__()
        self.config = config
        self.encoder = self.make_encoder(config)
        self.decoder = RestorationDecoder.of(self.encoder)

    @staticmethod
    def make_encoder(config: Any) -> nn.Module:
        """Make the image encoder alone, as a protocol needs it."""
        return make_encoder(config.encoder)

    def arrange(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return what is to be restored: the pictures `[N, 1, H, W]`, or what a subclass makes of them."""
        return images

    @abc.abstractmethod
    def distort_pixels(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Return distorted pictures, those that came in or new ones.

        Args:
            pixels: `[N, 1, H, W]` in 0..1; they may be changed.
            generator: on the CPU.
        """

    def distort(self, images: Tensor, generator: torch.Generator) -> "Pair":
        """Distort normalised pictures `[N, 1, H, W]`; the distortions are made for pixels in 0..1."""
        with torch.no_grad():
            original = self.arrange(images, generator)
            # `denormalize` and `normalize` in one pass each, bit for bit: STD is a power of two.
            pixels = torch.add(MEAN, original, alpha=STD).clamp_(0, 1)
            distorted = self.distort_pixels(pixels, generator)
            return Pair(original, torch.add(-MEAN / STD, distorted, alpha=1 / STD, out=distorted))

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the loss "restoration": mean squared error of all pixels of all views, which are in 0..1."""
        original, distorted = self.distort(batch.images.flatten(0, 1), self._generator())
        return {"restoration": self.restoration_loss(self.encoder(distorted).tokens, original)}

    def restoration_loss(self, tokens: Tensor, original: Tensor) -> Tensor:
        """Return the mean squared error, in 0..1, of what tokens are restored to."""
        return STD**2 * self.decoder.error(tokens, original)

    def show(self, images: Tensor, seed: int = 0) -> "Restored":
        """Distort and restore normalised pictures `[N, 1, H, W]`, to look at."""
        with evaluating(self):
            pair = self.distort(images, torch.Generator().manual_seed(seed))
            return Restored(*pair, self.decoder(self.encoder(pair.distorted).tokens).float())

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Name the parts: all of it works on images."""
        return {"image": list(self.named_parameters())}

    def _generator(self) -> torch.Generator:
        """Return the generator of the distortions of one batch."""
        seed = int(torch.randint(2**63 - 1, ())) if self.training else VALIDATION_SEED
        return torch.Generator().manual_seed(seed)


class Pair(NamedTuple):
    """Pictures before and after distortion, `[N, 1, H, W]`, as encoders take them."""

    original: Tensor  # what is to be restored; mirrored where the distorted one is
    distorted: Tensor


class Restored(NamedTuple):
    """Pictures, what was made of them and what was restored, `[N, 1, H, W]`, as encoders take them."""

    original: Tensor
    distorted: Tensor
    restored: Tensor
