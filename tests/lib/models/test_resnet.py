import dataclasses
import inspect

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torchvision.transforms.v2.functional import normalize

from lib.data import augment
from lib.models import resnet as module
from lib.models.resnet import ResNet, ResNetConfig


def torchvision_network(depth: int) -> torchvision.models.ResNet:
    return getattr(torchvision.models, f"resnet{depth}")()


def torchvision_weights(depth: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return a state dict whose batch norms are not at their start values, as in a trained network."""
    torch.manual_seed(seed)
    weights = torchvision_network(depth).state_dict()
    for name, value in weights.items():
        if name.endswith(("running_mean", "bias")):
            value.normal_(std=0.1)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2.0)
    return weights


def grey_images(size: int, count: int = 2) -> torch.Tensor:
    return torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(1))


def before_last_layer(network: torchvision.models.ResNet, images: torch.Tensor) -> torch.Tensor:
    """Return what torchvision's own forward hands to the classification layer."""
    kept = []
    handle = network.fc.register_forward_pre_hook(lambda module, inputs: kept.append(inputs[0]))
    network(images)
    handle.remove()
    return kept[0]


@pytest.mark.parametrize(("depth", "size"), [(50, 224), (50, 96), (18, 64), (34, 64), (101, 64)])
def test_features_are_those_of_torchvision(depth, size, tmp_path):
    weights = torchvision_weights(depth)
    torch.save(weights, tmp_path / "weights.pth")
    encoder = ResNet(depth, size, str(tmp_path / "weights.pth")).eval()
    network = torchvision_network(depth).eval()
    network.load_state_dict(weights)
    images = grey_images(size)
    colour = encoder._to_colour(augment.normalize(images))
    with torch.no_grad():
        output = encoder(augment.normalize(images))
        assert torch.equal(output.pooled, before_last_layer(network, colour))  # bit by bit
        # And of images that torchvision itself made colour, whose channels lie outermost.
        expected = before_last_layer(network, imagenet_colour(images))
    torch.testing.assert_close(output.pooled, expected, atol=1e-4 * expected.abs().max().item(), rtol=0)
    assert output.pooled.shape == (2, encoder.width) and encoder.width == (512 if depth < 50 else 2048)
    assert output.tokens.shape == (2, (size // 32) ** 2, encoder.width)
    torch.testing.assert_close(output.tokens.mean(dim=1), output.pooled, atol=1e-4, rtol=1e-4)


def imagenet_colour(images: torch.Tensor) -> torch.Tensor:
    """Normalise as the weights of torchvision say that they were trained."""
    preset = torchvision.models.ResNet50_Weights.IMAGENET1K_V1.transforms()
    return normalize(images.repeat(1, 3, 1, 1), preset.mean, preset.std)


def test_grey_images_become_what_imagenet_weights_expect():
    images = grey_images(64)
    colour = ResNet(18, 64)._to_colour(augment.normalize(images))
    torch.testing.assert_close(colour, imagenet_colour(images), atol=1e-6, rtol=1e-6)
    assert colour.is_contiguous(memory_format=torch.channels_last)
    assert (module.GREY_MEAN, module.GREY_STD) == (augment.MEAN, augment.STD)


def test_tokens_lie_row_by_row():
    encoder = ResNet(18, 96).eval()
    layer, kept = encoder.cam_layer(), []
    layer.module.register_forward_hook(lambda module, inputs, output: kept.append(layer.reshape(output)))
    tokens = encoder(grey_images(96)).tokens
    assert kept[0].shape == (2, 512, 3, 3)
    assert torch.equal(tokens[:, 5], kept[0][:, :, 1, 2])


@pytest.mark.parametrize(
    ("depth", "count"), [(18, 11_176_512), (34, 21_284_672), (50, 23_508_032), (101, 42_500_160)]
)
def test_parameter_counts(depth, count):
    """Those that torchvision publishes, without the classification layer."""
    with torch.device("meta"):
        encoder = ResNet(depth)
    published = getattr(torchvision.models, f"ResNet{depth}_Weights").IMAGENET1K_V1.meta["num_params"]
    assert sum(p.numel() for p in encoder.parameters()) == count == published - 1000 * (encoder.width + 1)


def test_random_weights_are_drawn_as_torchvision_draws_them():
    torch.manual_seed(5)
    expected = torchvision_network(50).state_dict()
    own = ResNet(50).state_dict()
    assert expected.keys() - own.keys() == {"fc.weight", "fc.bias"} and own.keys() < expected.keys()
    for name, value in own.items():
        assert value.shape == expected[name].shape, name
        if value.ndim == 4:
            assert value.std() / expected[name].std() == pytest.approx(1, abs=0.05), name
        else:  # batch norms start at fixed values
            assert torch.equal(value, expected[name]), name


@pytest.mark.parametrize("depth", [18, 50])
def test_a_narrow_one_has_the_same_layers_with_fewer_channels(depth, tmp_path):
    narrow, whole = ResNet(depth, 64, base_width=8), ResNet(depth, 64)
    assert narrow.width == whole.width // 8
    assert narrow(torch.zeros(2, 1, 64, 64)).pooled.shape == (2, narrow.width)
    assert narrow.state_dict().keys() == whole.state_dict().keys()
    torch.save(torchvision_weights(depth), tmp_path / "weights.pth")
    with pytest.raises(ValueError, match=r"bn1.bias \(64,\) instead of \(8,\)"):
        ResNet(depth, 64, base_width=8, weights=str(tmp_path / "weights.pth"))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_reads_both_kinds_of_files_old_and_new(suffix, tmp_path):
    weights, path = torchvision_weights(18), tmp_path / f"resnet18{suffix}"
    save = torch.save if suffix == ".pth" else save_file
    for kept in (
        weights,
        {name: value for name, value in weights.items() if not name.startswith("fc.")},
        {name: value for name, value in weights.items() if not name.endswith("num_batches_tracked")},
    ):
        save(kept, path)
        encoder = ResNet(18, weights=str(path))
        own = encoder.state_dict()
        assert all(torch.equal(value, weights[name]) for name, value in own.items())
        assert set(encoder.loaded.ignored) == kept.keys() & {"fc.weight", "fc.bias"}
        assert set(encoder.loaded.initial) == own.keys() - kept.keys()
        assert encoder.loaded.num_matched == len(own.keys() & kept.keys())


def test_weights_are_loaded_strictly(tmp_path):
    weights, path = torchvision_weights(18), tmp_path / "weights.pth"

    def load(changed: dict[str, torch.Tensor], depth: int = 18) -> None:
        torch.save(changed, path)
        ResNet(depth, weights=str(path))

    lost = {name: value for name, value in weights.items() if not name.startswith("layer2.0.conv1")}
    with pytest.raises(ValueError, match="weights.pth: .*missing: layer2.0.conv1.weight; unexpected: head"):
        load(lost | {"head": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"another shape: conv1.weight \(64, 1, 7, 7\) instead of"):
        load(weights | {"conv1.weight": torch.zeros(64, 1, 7, 7)})
    with pytest.raises(ValueError, match="missing: conv1.weight.*unexpected: module.bn1.bias"):
        load({f"module.{name}": value for name, value in weights.items()})
    with pytest.raises(
        ValueError, match="unexpected: fc.0.weight"
    ):  # a head of another kind is not ours to drop
        load(weights | {"fc.0.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match="missing: bn1.num_batches_tracked"):  # one of many is a damage
        load({name: value for name, value in weights.items() if name != "bn1.num_batches_tracked"})
    with pytest.raises(ValueError, match="missing: layer1.0.conv3.weight"):
        load(weights, depth=50)


def test_errors_name_the_value(tmp_path):
    with pytest.raises(ValueError, match="no ResNet of depth 20 here. Known: 18, 34, 50, 101"):
        ResNet(20)
    with pytest.raises(FileNotFoundError, match="none.pth do not exist"):
        ResNet(18, weights=str(tmp_path / "none.pth"))
    encoder = ResNet(18, 64)
    for shape in ((1, 3, 64, 64), (1, 1, 96, 96)):
        with pytest.raises(ValueError, match=rf"{shape[1]}, {shape[2]}, .* the encoder takes \(1, 64, 64\)"):
            encoder(torch.zeros(shape))
    assert not hasattr(encoder, "attention_maps")
    with pytest.raises(
        AttributeError, match="no attention, so no attention_maps; explain it by its cam_layer"
    ):
        encoder.attention_maps(torch.zeros(1, 1, 64, 64))
    with pytest.raises(AttributeError, match="no attribute 'attention'"):
        _ = encoder.attention


def test_defaults_are_those_of_the_config():
    parameters = inspect.signature(ResNet).parameters
    config = dataclasses.asdict(ResNetConfig())
    assert {name: parameters[name].default for name in config} == config
