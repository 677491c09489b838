"""What every image encoder promises. A new one needs a tiny setting below; the tests find it by its name."""

import copy

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib.models import ENCODERS
from lib.models.pretrained import load_strictly
from lib.registry import resolve

VIT = dict(image_size=32, patch_size=8, width=24, depth=2, num_heads=4, mlp_width=40)
TINY = {
    "efficientnet_lite": [dict(image_size=64)],
    "radiograph_transformer": [
        VIT,
        VIT | {"preset": "official"},
        VIT | {"in_channels": 3},
        VIT | {"aggregation": "none"},
    ],
    "resnet": [dict(depth=18, image_size=64), dict(depth=18, image_size=64, base_width=8)],
}
SETTINGS = [
    pytest.param(name, setting, id=f"{name}-{number}")
    for name in ENCODERS
    for number, setting in enumerate(TINY.get(name, []))
]


def make(name: str, setting: dict) -> torch.nn.Module:
    torch.manual_seed(0)
    return resolve(name, ENCODERS)(**setting)


def images_for(encoder) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(3, encoder.in_channels, encoder.image_size, encoder.image_size, generator=generator)


def test_every_encoder_is_tested():
    assert TINY.keys() == ENCODERS.keys(), "give each encoder of lib/models/__init__.py a tiny setting here"


@pytest.mark.parametrize("name, setting", SETTINGS)
class TestEncoder:
    def test_forward_and_backward(self, name, setting):
        encoder = make(name, setting)
        output = encoder(images_for(encoder))
        assert encoder.loaded is None  # no file of weights was named
        assert output.pooled.shape == (3, encoder.width)
        assert output.tokens.shape[::2] == (3, encoder.width)
        (output.pooled.square().mean() + output.tokens.square().mean()).backward()
        for key, parameter in encoder.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), key
            assert parameter.grad.abs().max() > 0, key

    def test_images_do_not_mix(self, name, setting):
        encoder = make(name, setting).eval()
        images = images_for(encoder)
        together, alone = encoder(images), encoder(images[1:2])
        torch.testing.assert_close(together.pooled[1:2], alone.pooled, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(together.tokens[1:2], alone.tokens, atol=1e-5, rtol=1e-5)

    def test_survives_a_file(self, name, setting, tmp_path):
        encoder = make(name, setting).eval()
        save_file(encoder.state_dict(), tmp_path / "encoder.safetensors")
        torch.manual_seed(7)
        other = resolve(name, ENCODERS)(**setting).eval()
        images = images_for(encoder)
        assert not torch.equal(other(images).pooled, encoder(images).pooled)
        load_strictly(other, load_file(tmp_path / "encoder.safetensors"))
        assert torch.equal(other(images).pooled, encoder(images).pooled)

    def test_bfloat16_autocast(self, name, setting):
        encoder = make(name, setting).eval()
        images = images_for(encoder)
        exact = encoder(images).pooled
        with torch.autocast("cpu", torch.bfloat16):
            mixed = encoder(images).pooled
        assert (mixed.float() - exact).norm() < 0.03 * exact.norm()
        mixed.float().square().mean().backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in encoder.parameters())

    def test_follows_the_seed(self, name, setting):
        first, second = make(name, setting), make(name, setting)
        pooled = []
        for encoder in (first, second):
            torch.manual_seed(3)  # dropout
            pooled.append(encoder(images_for(encoder)).pooled)
            pooled[-1].sum().backward()
        assert torch.equal(*pooled)
        for left, right in zip(first.parameters(), second.parameters(), strict=True):
            assert torch.equal(left.grad, right.grad)

    def test_explains_itself(self, name, setting):
        encoder = make(name, setting).eval()
        images, kept = images_for(encoder), []
        layer = encoder.cam_layer()
        handle = layer.module.register_forward_hook(lambda module, inputs, output: kept.append(output))
        target = encoder(images).pooled @ torch.randn(encoder.width)
        handle.remove()
        gradient = layer.reshape(torch.autograd.grad(target.sum(), kept[0])[0])
        features = layer.reshape(kept[0])
        assert features.ndim == 4
        cam = (gradient.mean(dim=(2, 3), keepdim=True) * features).sum(dim=1)
        assert (cam.abs().amax(dim=(1, 2)) > 0).all()
        if hasattr(encoder, "attention_maps"):
            for weights in encoder.attention_maps(images):
                torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))

    def test_can_be_copied(self, name, setting):
        encoder = make(name, setting).eval()
        images = images_for(encoder)
        assert torch.equal(copy.deepcopy(encoder)(images).pooled, encoder(images).pooled)

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    def test_gpu_agrees(self, name, setting):
        encoder = make(name, setting).eval()
        images = images_for(encoder)
        expected = encoder(images).pooled
        found = encoder.cuda()(images.cuda()).pooled.cpu()
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
