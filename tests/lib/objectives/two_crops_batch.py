"""Batches of two crops, and the sizes of encoders that see them, for tests of what compares crops."""

import torch

from lib.data.batch import Batch

TRANSFORMER = {
    "name": "radiograph_transformer",
    **dict(image_size=16, patch_size=8, width=16, depth=1, num_heads=2, mlp_width=16, dropout=0.0),
}
RESNET = {"name": "resnet", "depth": 18, "image_size": 32, "base_width": 4}


def make_batch(size: int = 4, *, crops: int = 2, image_size: int = 16, seed: int = 0) -> Batch:
    """Return a batch of noise: `crops` pictures of each of `size` studies."""
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        images=torch.randn(size, crops, 1, image_size, image_size, generator=generator),
        view_mask=(torch.arange(crops) == 0).expand(size, -1),
        labels=torch.zeros(size, 1),
        study_rows=torch.arange(size),
        view_rows=torch.arange(size)[:, None].repeat(1, crops),
        flipped=torch.zeros(size, dtype=torch.bool),
    )
