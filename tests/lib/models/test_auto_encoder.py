"""The auto-encoder squeezes pictures, gives them back, and says which sides it takes."""

import pytest
import torch

from lib.models.auto_encoder import AutoEncoder


def test_it_squeezes_and_restores():
    torch.manual_seed(0)
    images = torch.randn(3, 1, 32, 32)
    model = AutoEncoder(32)
    assert model(images).shape == images.shape
    described = model.describe(images)
    assert described.shape == (3, 32 * 32 // 8)
    # All that is restored comes through the description.
    torch.testing.assert_close(model.describe(images[1:2]), described[1:2], atol=1e-6, rtol=1e-5)
    model(images).square().mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())


def test_it_learns_to_restore():
    torch.manual_seed(0)
    images = torch.nn.functional.interpolate(torch.randn(16, 1, 2, 2), 32, mode="bilinear")
    model = AutoEncoder(32)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(100):
        optimizer.zero_grad()
        loss = (model(images) - images).square().mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.3 * images.var()


@pytest.mark.parametrize("size", [8, 40])
def test_a_side_that_cannot_be_halved_is_refused(size):
    with pytest.raises(ValueError, match=f"pictures of {size} px: the side must be a multiple of 16"):
        AutoEncoder(size)
