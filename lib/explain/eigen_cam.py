"""Eigen-CAM: the first principal component of the feature maps (Muhammad and Yeasin 2020).

Package grad-cam has it too, but asks for all singular vectors: 8 s for an image of a ResNet-50 on a CPU, for
one that is used.

Letters: N images, D width, P places.
"""

import torch
from torch import Tensor, nn

from lib.explain.cam import on_grid
from lib.explain.cam_features import cam_features


@torch.no_grad()
def eigen_cam(classifier: nn.Module, images: Tensor) -> Tensor:
    """Project the feature of every place on the direction in which the places of an image differ most.

    A direction has no sign of its own: the end that lies farther from the mean is taken for the bright one.

    Args:
        classifier: see `lib.explain.explain`.
        images: `[N, C, H, W]`.

    Returns:
        `[N, rows, columns]`.
    """
    places = cam_features(classifier, images).features.flatten(2).mT  # [N, P, D]
    places = places - places.mean(dim=1, keepdim=True)
    left, strengths, _ = torch.linalg.svd(places, full_matrices=False)
    projected = left[..., 0] * strengths[:, :1]  # [N, P]
    is_dark = -projected.amin(dim=1, keepdim=True) > projected.amax(dim=1, keepdim=True)
    return on_grid(torch.where(is_dark, -projected, projected).clamp(min=0))
