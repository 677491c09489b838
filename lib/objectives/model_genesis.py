"""Model Genesis, in 2-D: restore what four kinds of distortions have done to a picture (Zhou et al. 2021)."""

import dataclasses
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lib.data.distortions.bezier import Curves, bend_intensities_, draw_curves
from lib.data.distortions.drawn import draw_noise, on_device
from lib.data.distortions.flips import draw_flips, flip
from lib.data.distortions.local_shuffle import Windows, draw_windows, shuffle_windows
from lib.data.distortions.painting import Boxes, check_sides, draw_boxes, paint_
from lib.objectives.restoration import Restoration


@dataclasses.dataclass(kw_only=True)
class ModelGenesisConfig:
    """What Model Genesis is made of; the defaults are those of its published code, for volumes.

    Carried from 64 x 64 x 32 voxels to a picture: the third axis is dropped, and what is given as a share of
    a side stays that share. Two things need a word. Windows: 10,000 of them reach over 1 to 3 of 32 slices
    each, 2 on average, so a slice meets 625; as their sides grow with the picture's, that number holds for
    every size, and covers a pixel 1.9 times on average, as it did a voxel. Painting: boxes keep their
    published sides, so that in a picture, where one factor is missing, each takes a larger share: up to a
    ninth when filled, about a quarter when kept (an eighth in a volume).

    The U-Net becomes an encoder of this project with a light decoder (`lib.models.restoration_decoder`):
    there are no connections past the encoder, which has to know all that is restored.

    Attributes:
        flip_probability: that another flip follows; input and target are flipped together.
        max_flips: each along one of both axes. A film upside down is none that anyone reads; published, so
            kept. 0: no flips.
        shuffle_probability: of local shuffling.
        num_windows: whose pixels are shuffled; 10,000 in a volume.
        largest_window: largest side of a window, as a share of the picture's.
        curve_probability: of the non-linear change of intensities; half of the curves fall.
        paint_probability: of painting.
        in_paint_share: of painted pictures: noise inside boxes. The others keep windows, with noise around.
        max_boxes: boxes or windows of a picture.
        box_probability: that another one follows; the first window is always there.
        num_views: of a study and step, each a picture by itself.
        encoder: `name` and fields of an image encoder.
    """

    flip_probability: float = 0.4
    max_flips: int = 3
    shuffle_probability: float = 0.5
    num_windows: int = 625
    largest_window: float = 0.1
    curve_probability: float = 0.9
    paint_probability: float = 0.9
    in_paint_share: float = 0.2
    max_boxes: int = 5
    box_probability: float = 0.95
    num_views: int = 1
    encoder: dict[str, Any] = dataclasses.field(default_factory=lambda: {"name": "radiograph_transformer"})

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type is float and not 0 <= value <= 1:
                raise ValueError(f"{field.name} {value} is not a share; give a number from 0 to 1.")
            least = {"num_windows": 1, "max_boxes": 1, "max_flips": 0}.get(field.name)
            if least is not None and value < least:
                raise ValueError(f"{field.name} {value} is too few; give {least} or more.")


class ModelGenesis(Restoration):
    """Restore pictures that were shuffled, bent in intensity and painted into, each by chance.

    Args:
        config: chances and sizes.

    Raises:
        ValueError: a setting out of its range, or pictures too small to paint into.
    """

    Config = ModelGenesisConfig

    def __init__(self, config: ModelGenesisConfig):
        super().__init__(config)
        check_sides((self.encoder.image_size,) * 2)

    def arrange(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Flip some pictures, which is not to be undone."""
        return flip(
            images, draw_flips(len(images), self.config.flip_probability, self.config.max_flips, generator)
        )

    def draw(self, num_pictures: int, sides: tuple[int, int], generator: torch.Generator) -> "Drawn":
        """Draw what happens to each picture, all but the noise that is painted."""
        config = self.config

        def happens(probability: float) -> Tensor:
            return torch.rand(num_pictures, generator=generator) < probability  # [N]

        is_shuffled = happens(config.shuffle_probability)
        windows = draw_windows(
            int(is_shuffled.sum()), sides, config.num_windows, config.largest_window, generator
        )
        is_bent = happens(config.curve_probability)
        curves = draw_curves(int(is_bent.sum()), generator)
        boxes = draw_boxes(
            happens(config.paint_probability),
            happens(1 - config.in_paint_share),
            sides,
            most=config.max_boxes,
            probability=config.box_probability,
            generator=generator,
        )
        return Drawn(is_shuffled, windows, is_bent, curves, boxes)

    def distort_pixels(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Shuffle, bend and paint, in the published order."""
        drawn = self.draw(len(pixels), tuple(pixels.shape[2:]), generator)
        rows = _rows(drawn.is_shuffled, pixels.device)
        pixels.index_copy_(0, rows, shuffle_windows(pixels.index_select(0, rows), drawn.windows))
        rows = _rows(drawn.is_bent, pixels.device)
        pixels.index_copy_(0, rows, bend_intensities_(pixels.index_select(0, rows), drawn.curves))
        return paint_(pixels, drawn.boxes, draw_noise(pixels.shape, generator))


class Drawn(NamedTuple):
    """What happens to N pictures; several things can happen to one."""

    is_shuffled: Tensor  # bool [N]
    windows: Windows  # of those that are shuffled
    is_bent: Tensor  # bool [N]
    curves: Curves  # of those that are bent
    boxes: Boxes  # of all N


def _rows(chosen: Tensor, device: torch.device) -> Tensor:
    """Return the numbers of the pictures that were chosen, on their device."""
    return on_device(chosen.nonzero().squeeze(1), device)
