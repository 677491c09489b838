"""TransVW, in 2-D: tell which visual word a distorted crop shows, and restore it (Haghighi et al. 2021).

Letters: B studies, V views, N = B * V crops, C words, H and W sides.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.data.distortions.bezier import bend_intensities_, draw_curves
from lib.data.distortions.drawn import draw_noise, on_device
from lib.data.distortions.elastic import deform, draw_nodes
from lib.data.distortions.local_shuffle import draw_windows, shuffle_windows
from lib.data.distortions.painting import Boxes, check_sides, draw_boxes, paint_
from lib.data.visual_words import VisualWordsConfig
from lib.models.initialise import initialise
from lib.objectives.restoration import Restoration

if TYPE_CHECKING:
    from lib.data.batch import Batch

SHUFFLED, BENT, IN_PAINTED, OUT_PAINTED = range(4)
"""What happens to a crop after the elastic deformation: one of these, with equal chances as published."""


@dataclasses.dataclass(kw_only=True)
class TransVWConfig:
    """What TransVW is made of; the defaults are those of its published code, for volumes.

    The words are found before the training (`lib.data.visual_words`), each a class, with no label given. A
    step encodes crops in place of pictures, resized to what the encoder takes: `num_views` for each study
    that others would see.

    Carried from 64 x 64 x 32 voxels to a picture. Elastic deformation: alpha 991 and sigma 8, noise from -1
    to 1 smoothed over a volume, displace a voxel by 3.8 along each axis (deviation). These 3.8 and 8 of 64
    are kept as shares of the side; alpha itself would make it 20 of 64 in a picture, where fewer pixels are
    averaged. The four other distortions are those of Model Genesis, carried as there
    (`lib.objectives.model_genesis`), without flips. The U-Net becomes an encoder of this project with a light
    decoder (`lib.models.restoration_decoder`), and the words are told from the encoder's pooled feature. Both
    are trained together from the start; the published code can also train the encoder alone first. It takes
    64 crops a step, Adam at 1e-3, halved every 40 epochs, and stops after 50 without a better one.

    Attributes:
        words: which visual words, and how they are found.
        restoration_weight: of the mean squared error to the crop before any distortion.
        classification_weight: of the cross-entropy over the words.
        displacement: deviation of what a pixel is displaced by along each axis, as a share of the side.
        smoothness: deviation of the Gaussian that smooths displacements, likewise.
        num_windows: whose pixels are shuffled.
        largest_window: largest side of a window, as a share of the crop's.
        max_boxes: boxes or windows of a painted crop.
        box_probability: that another one follows; the first window that is kept is always there.
        num_views: crops for each study of a batch.
        encoder: `name` and fields of an image encoder.
    """

    words: VisualWordsConfig = dataclasses.field(default_factory=VisualWordsConfig)
    restoration_weight: float = 1.0
    classification_weight: float = 0.01
    displacement: float = 3.8 / 64
    smoothness: float = 8 / 64
    num_windows: int = 625
    largest_window: float = 0.1
    max_boxes: int = 5
    box_probability: float = 0.95
    num_views: int = 1
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "radiograph_transformer"})

    def __post_init__(self):
        for name in ("restoration_weight", "classification_weight", "displacement"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)} is negative; 0 is the least.")
        for name in ("largest_window", "box_probability"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} {getattr(self, name)} is not a share; give a number from 0 to 1.")
        if not 0.01 <= self.smoothness <= 1:
            raise ValueError(f"smoothness {self.smoothness} is not a share of a side; give 0.01 to 1.")
        for name in ("num_windows", "max_boxes", "num_views"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is too few; give 1 or more.")


class TransVW(Restoration):
    """Restore crops and name their visual words.

    Args:
        config: words, weights, chances and sizes.

    Raises:
        ValueError: a setting out of its range, or pictures too small to paint into.
    """

    Config = TransVWConfig

    def __init__(self, config: TransVWConfig):
        super().__init__(config)
        check_sides((self.encoder.image_size,) * 2)
        self.classifier = nn.Linear(self.encoder.width, config.words.num_words)
        initialise(self.classifier)

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the weighted losses "restoration", over all pixels in 0..1, and "classification"."""
        original, distorted = self.distort(batch.images.flatten(0, 1), self._generator())
        encoded = self.encoder(distorted)
        logits = self.classifier(encoded.pooled)  # [N, C]
        wrong = F.cross_entropy(logits.float(), batch.words.flatten())
        return {
            "restoration": self.config.restoration_weight * self.restoration_loss(encoded.tokens, original),
            "classification": self.config.classification_weight * wrong,
        }

    def distort_pixels(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Deform every crop, then shuffle, bend or paint it."""
        config, sides = self.config, tuple(pixels.shape[2:])
        kind = draw_kinds(len(pixels), generator)
        nodes = draw_nodes(len(pixels), config.smoothness, generator)
        pixels = deform(pixels, nodes, config.displacement, config.smoothness)

        rows = on_device((kind == SHUFFLED).nonzero().squeeze(1), pixels.device)
        windows = draw_windows(len(rows), sides, config.num_windows, config.largest_window, generator)
        pixels.index_copy_(0, rows, shuffle_windows(pixels.index_select(0, rows), windows))

        rows = on_device((kind == BENT).nonzero().squeeze(1), pixels.device)
        curves = draw_curves(len(rows), generator)
        pixels.index_copy_(0, rows, bend_intensities_(pixels.index_select(0, rows), curves))

        boxes = draw_boxes(
            kind >= IN_PAINTED,
            kind == OUT_PAINTED,
            sides,
            most=config.max_boxes,
            probability=config.box_probability,
            generator=generator,
        )
        chosen = (kind >= IN_PAINTED).nonzero().squeeze(1)  # on the CPU, as what was drawn
        boxes = Boxes(*(values.index_select(0, chosen) for values in boxes))
        noise = draw_noise(pixels[: len(chosen)].shape, generator)
        rows = on_device(chosen, pixels.device)
        return pixels.index_copy_(0, rows, paint_(pixels.index_select(0, rows), boxes, noise))


def draw_kinds(num_pictures: int, generator: torch.Generator) -> Tensor:
    """Draw what happens to each crop besides the deformation, numbers from `SHUFFLED` on, `[N]`."""
    return torch.randint(4, (num_pictures,), generator=generator)
