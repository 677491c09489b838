"""What the tests of restoring objectives build and feed them with."""

import torch

from lib.config import build
from lib.data.augment import normalize
from lib.data.batch import Batch

SIZE = 32
ENCODER = {
    "name": "radiograph_transformer",
    **dict(image_size=SIZE, patch_size=8, width=16, depth=1, num_heads=2, mlp_width=16, dropout=0.0),
}


def make(kind, **changes):
    torch.manual_seed(0)
    return kind(build(kind.Config, {"encoder": ENCODER} | changes))


def make_pixels(num_pictures: int = 6, size: int = SIZE) -> torch.Tensor:
    """Return pictures in 0..1 whose pixels all differ, mirrored they differ too."""
    return torch.rand(num_pictures, 1, size, size, generator=torch.Generator().manual_seed(7))


def make_batch(num_studies: int = 3, num_views: int = 2) -> Batch:
    pixels = make_pixels(num_studies * num_views)
    return Batch(
        images=normalize(pixels).unflatten(0, (num_studies, num_views)),
        view_mask=torch.ones(num_studies, num_views, dtype=torch.bool),
        labels=torch.zeros(num_studies, 1),
        study_rows=torch.arange(num_studies),
        view_rows=torch.arange(num_studies * num_views).view(num_studies, num_views),
        flipped=torch.zeros(num_studies, dtype=torch.bool),
    )
