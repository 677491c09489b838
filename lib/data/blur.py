"""Gaussian blur of a batch, each picture with a deviation of its own."""

import math

import torch
from torch import Tensor
from torch.nn import functional

REACH = 3
"""Deviations to either side after which a kernel is cut off: 99.7 % of its weight lie inside."""


def blur_radius(sigma: float) -> int:
    """Return how many pixels to either side a kernel of that deviation reaches."""
    return math.ceil(REACH * sigma)


def gaussian_blur(pictures: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Blur every picture with its own kernel; borders are mirrored.

    Along rows, then along columns: two passes over all pictures, each a channel of one convolution. What one
    picture becomes does not depend on the others, as a kernel ends at its own reach.

    Args:
        pictures: `[N, 1, H, W]`.
        sigma: deviation of each kernel in pixels, `[N]`, on the same device; 0 leaves a picture as it is.
        radius: `blur_radius` of the largest deviation, which the host knows without asking the device.

    Returns:
        `[N, 1, H, W]`.
    """
    sigma = sigma.clamp(min=1e-3)[:, None]  # below this, all weight but the middle's is zero
    steps = torch.arange(-radius, radius + 1, device=pictures.device)
    kernels = torch.exp(-0.5 * (steps / sigma).square()) * (
        steps.abs() <= (REACH * sigma).ceil()
    )  # [N, 2R+1]
    kernels = kernels / kernels.sum(dim=1, keepdim=True)
    channels = functional.pad(pictures.transpose(0, 1), (radius,) * 4, mode="reflect")  # [1, N, H+2R, W+2R]
    rows = functional.conv2d(channels, kernels[:, None, None, :], groups=len(pictures))
    return functional.conv2d(rows, kernels[:, None, :, None], groups=len(pictures)).transpose(0, 1)
