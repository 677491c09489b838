"""Places of convolutional encoders lie where their receptive fields are."""

import numpy as np
import pytest
import torch

from lib.explain.places import FINENESS, on_cells
from lib.models.encoder import make_encoder


@pytest.mark.parametrize("size", (160, 192))
@pytest.mark.parametrize(
    "values", ({"name": "resnet", "depth": 18, "base_width": 4}, {"name": "efficientnet_lite"}), ids=str
)
def test_a_place_in_the_middle_looks_around_its_centre(values, size):
    torch.manual_seed(0)
    encoder = make_encoder(values | {"image_size": size}).eval()
    images = torch.randn(4, 1, size, size, requires_grad=True)
    tokens = encoder(images).tokens
    side = len(encoder.place_centres)
    assert side**2 == tokens.shape[1]
    middle = int((encoder.place_centres - size / 2).abs().argmin())  # no edge cuts its field much
    gradient = torch.autograd.grad(tokens[:, middle * side + middle].square().sum(), images)[0]
    strength = gradient.square().sum((0, 1, 2))
    looked_at = float((strength * (torch.arange(size) + 0.5)).sum() / strength.sum())
    assert looked_at == pytest.approx(float(encoder.place_centres[middle]), abs=6)


def test_cells_are_interpolated_between_the_centres():
    maps = torch.rand(2, 5, 5)
    centres = torch.tensor([3.0, 35, 67, 99, 131])
    found = on_cells(maps, centres, 160)
    middles = (np.arange(5 * FINENESS) + 0.5) * 160 / (5 * FINENESS)
    for one, drawn in zip(maps.numpy(), found.numpy(), strict=True):
        rows = np.stack([np.interp(middles, centres, column) for column in one.T], axis=1)
        wanted = np.stack([np.interp(middles, centres, row) for row in rows])
        np.testing.assert_allclose(drawn, wanted, rtol=1e-5)
