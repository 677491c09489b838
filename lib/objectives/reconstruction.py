"""Reconstruction: an auto-encoder learns to give back the pictures it gets; the first step of TransVW."""

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

from lib.models.auto_encoder import AutoEncoder

if TYPE_CHECKING:  # objectives do not depend on the data package
    from lib.data.batch import Batch


class Reconstruction(nn.Module):
    """Train an auto-encoder by the mean squared error of normalised pictures.

    No encoder comes out of it, so it is not among `lib.objectives.OBJECTIVES`: its descriptions tell which
    patients look alike.

    Args:
        image_size: side of the pictures, pixels.
    """

    def __init__(self, image_size: int):
        super().__init__()
        self.auto_encoder = AutoEncoder(image_size)

    def forward(self, batch: "Batch") -> dict[str, Tensor]:
        """Return the loss "reconstruction" over all views."""
        images = batch.images.flatten(0, 1)
        return {"reconstruction": F.mse_loss(self.auto_encoder(images).float(), images)}

    def parameter_groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Name the parts: all of it works on images."""
        return {"image": list(self.named_parameters())}
