"""The decoder paints each token's part of the picture, for every layout of tokens that an encoder has."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lib.models.encoder import EncoderOutput, make_encoder
from lib.models.restoration_decoder import RestorationDecoder

TRANSFORMER = dict(name="radiograph_transformer", width=16, depth=1, num_heads=2, mlp_width=16)


def deconvolve(maps: torch.Tensor, layer: nn.Linear, stride: int) -> torch.Tensor:
    """Apply a layer of the decoder as PyTorch's deconvolution with a kernel as wide as its stride."""
    channels = layer.out_features // stride**2
    weight = layer.weight.unflatten(0, (stride, stride, channels)).permute(3, 2, 0, 1)  # [in, out, S, S]
    bias = layer.bias.view(stride, stride, channels).permute(2, 0, 1)
    return F.conv_transpose2d(maps, weight, stride=stride) + bias.repeat(1, *maps.shape[2:])


def deconvolve_twice(decoder: RestorationDecoder, tokens: torch.Tensor) -> torch.Tensor:
    grid = tokens.transpose(1, 2).unflatten(2, (decoder.grid_size, decoder.grid_size))
    hidden = F.relu(deconvolve(grid, decoder.first, decoder.first_stride))
    painted = deconvolve(hidden, decoder.second, decoder.second_stride)
    return painted[:, :, : decoder.image_size, : decoder.image_size]


@pytest.mark.parametrize(
    "width, grid, size, channels, strides",
    [(16, 7, 112, 1, (2, 8)), (9, 4, 30, 1, (2, 4)), (8, 3, 21, 2, (1, 7)), (6, 5, 5, 1, (1, 1))],
)
def test_equals_two_deconvolutions_of_pytorch(width, grid, size, channels, strides):
    torch.manual_seed(0)
    decoder = RestorationDecoder(width, grid, size, channels)
    for layer in (decoder.first, decoder.second):
        nn.init.normal_(layer.bias)
    assert (decoder.first_stride, decoder.second_stride) == strides
    tokens = torch.randn(3, grid * grid, width)
    found = decoder(tokens)
    assert found.shape == (3, channels, size, size)
    torch.testing.assert_close(found, deconvolve_twice(decoder, tokens), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("grid, size, channels", [(7, 112, 1), (4, 30, 1), (3, 21, 2)])
def test_the_error_is_that_of_the_painted_pictures(grid, size, channels):
    """With gradients, where parts are cut off (30 of 32) and where not."""
    torch.manual_seed(0)
    decoder, pictures = RestorationDecoder(16, grid, size, channels), torch.randn(2, channels, size, size)
    found, wanted = (torch.randn(2, grid * grid, 16, requires_grad=True) for _ in range(2))
    wanted.data.copy_(found)
    error, expected = decoder.error(found, pictures), (decoder(wanted) - pictures).square().mean()
    torch.testing.assert_close(error, expected)
    (error.backward(), expected.backward())
    torch.testing.assert_close(found.grad, wanted.grad)


def test_a_token_paints_its_own_place():
    decoder = RestorationDecoder(8, 4, 32)
    tokens = torch.randn(1, 16, 8)
    changed = tokens.clone()
    changed[0, 6] += 1  # second row, third column
    is_changed = (decoder(tokens) != decoder(changed))[0, 0]
    assert is_changed[8:16, 16:24].all()
    assert is_changed.sum() == 64


@pytest.mark.parametrize(
    "values, grid, size",
    [
        (TRANSFORMER | {"image_size": 48, "patch_size": 16}, 3, 48),
        (TRANSFORMER | {"image_size": 28, "patch_size": 14, "preset": "official"}, 2, 28),
        ({"name": "resnet", "depth": 18, "image_size": 112}, 4, 112),
        ({"name": "resnet", "depth": 18, "image_size": 100}, 4, 100),
    ],
    ids=["transformer", "official", "resnet", "resnet with a rest"],
)
def test_fits_every_encoder(values, grid, size):
    encoder = make_encoder(values)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    decoder = RestorationDecoder.of(encoder)
    assert decoder.grid_size == grid and encoder.training
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    images = torch.randn(2, 1, size, size)
    assert decoder(encoder(images).tokens).shape == images.shape


def test_tokens_that_make_no_square_are_refused():
    class Strips(nn.Module):
        image_size, in_channels, width = 16, 1, 4

        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(1, 4)

        def forward(self, images):
            return EncoderOutput(self.layer(images.flatten(2).mean(2))[:, None].expand(-1, 6, -1), None)

    with pytest.raises(ValueError, match="Strips has 6 tokens, which make no square grid"):
        RestorationDecoder.of(Strips())
