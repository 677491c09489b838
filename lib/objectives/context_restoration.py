"""Context Restoration: put swapped patches back to where they were (Chen et al. 2019)."""

import dataclasses
from typing import Any

import torch
from torch import Tensor

from lib.data.distortions.patch_swap import check_patch_size, draw_swaps, swap_patches_
from lib.objectives.restoration import Restoration


@dataclasses.dataclass(kw_only=True)
class ContextRestorationConfig:
    """What Context Restoration is made of.

    The paper works on 2-D pictures, so nothing had to change but the network: REFERS, which compares itself
    with it, puts its radiograph transformer in place of the paper's network like VGG, and so do we. The
    decoder is the light one that the paper prefers where classification follows, on the tokens of the
    encoder (`lib.models.restoration_decoder`). The loss is the paper's: L2, over the whole picture.

    Number and size of the patches are ours, as the paper's were not at hand: patches as large as those of the
    transformer, at any place and so nearly never on its grid, and as many as cover a fifth of a picture of
    224 px.

    Attributes:
        patch_size: side of a patch, pixels; scale it with the pictures.
        num_swaps: T, pairs of patches that are swapped one after the other.
        num_views: of a study and step, each a picture by itself.
        encoder: `name` and fields of an image encoder.
    """

    patch_size: int = 16
    num_swaps: int = 20
    num_views: int = 1
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "radiograph_transformer"})


class ContextRestoration(Restoration):
    """Restore pictures in which small patches have changed places.

    Args:
        config: sizes.

    Raises:
        ValueError: patches too large for the encoder's pictures, or no swap.
    """

    Config = ContextRestorationConfig

    def __init__(self, config: ContextRestorationConfig):
        if config.num_swaps < 1:
            raise ValueError(f"num_swaps {config.num_swaps} leaves nothing to restore; give 1 or more.")
        super().__init__(config)
        check_patch_size(config.patch_size, (self.encoder.image_size,) * 2)

    def distort_pixels(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Swap patches."""
        size = self.config.patch_size
        swaps = draw_swaps(len(pixels), pixels.shape[2:], size, self.config.num_swaps, generator)
        return swap_patches_(pixels, swaps, size)
