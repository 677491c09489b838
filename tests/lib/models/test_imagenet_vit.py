import hashlib

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.transforms.v2.functional import normalize
from vit_weights import OWN, google_entries, make_vit, save_torchvision

from lib.data import augment
from lib.models.imagenet_vit import fold_colours, resize_positions
from lib.models.radiograph_transformer import RadiographTransformer
from lib.models.vit_files import GOOGLE, TORCHVISION


@pytest.fixture
def network():
    return make_vit()


@pytest.fixture
def archive(network, tmp_path):
    path = tmp_path / "ViT.npz"
    np.savez(path, **google_entries(network))
    return path


def grey_images(size: int = 32) -> torch.Tensor:
    return torch.rand(2, 1, size, size, generator=torch.Generator().manual_seed(1))


def load(path, **changes) -> RadiographTransformer:
    torch.manual_seed(7)
    return RadiographTransformer(**(OWN | {"preset": "official"} | changes), weights=str(path)).eval()


def features(network, images: torch.Tensor) -> torch.Tensor:
    """Return all tokens after torchvision's own encoder, [N, T, D]."""
    patches = network._process_input(images)
    return network.encoder(torch.cat([network.class_token.expand(len(images), -1, -1), patches], dim=1))


def colour(images: torch.Tensor, kind) -> torch.Tensor:
    return normalize(images.repeat(1, 3, 1, 1), kind.mean, kind.std)


@pytest.mark.parametrize("kind", ["torchvision", "older torchvision", "safetensors", "google"])
def test_a_grey_picture_gives_what_torchvisions_own_forward_gives(kind, network, archive, tmp_path):
    path = tmp_path / "vit.pth"
    if kind == "google":
        path = archive
    elif kind == "safetensors":
        path = tmp_path / "vit.safetensors"
        save_file(network.state_dict(), path)
    else:
        state = network.state_dict()
        if kind == "older torchvision":
            state = {
                k.replace("mlp.0", "mlp.linear_1").replace("mlp.3", "mlp.linear_2"): v
                for k, v in state.items()
            }
        torch.save(state, path)
    images = grey_images()
    with torch.no_grad():
        expected = features(network, colour(images, GOOGLE if kind == "google" else TORCHVISION))
        plain = load(path, aggregation="none")(augment.normalize(images))
        added = load(path)(augment.normalize(images))
        three = load(path, in_channels=3)(augment.normalize(images).expand(-1, 3, -1, -1))
    assert (plain.pooled - expected[:, 0]).abs().max() < 1e-5
    assert (plain.tokens - expected[:, 1:]).abs().max() < 1e-5
    assert torch.equal(added.pooled, plain.pooled)
    assert (added.tokens - expected[:, 1:] - expected[:, :1]).abs().max() < 1e-5
    assert (three.tokens - added.tokens).abs().max() < 1e-5


def test_the_papers_encoder_begins_by_adding_positions(network, archive):
    encoder, images = load(archive, preset="paper"), grey_images()
    patches = network._process_input(colour(images, GOOGLE))
    tokens = torch.cat([network.class_token.expand(2, -1, -1), patches], dim=1)
    embedded = encoder._embed(augment.normalize(images))
    torch.testing.assert_close(embedded, tokens + network.encoder.pos_embedding, atol=1e-5, rtol=0)
    torch.manual_seed(7)
    unloaded = RadiographTransformer(**OWN)
    kept = "recurrent_concatenation.projection.weight"
    assert torch.equal(encoder.state_dict()[kept], unloaded.state_dict()[kept])
    assert encoder.loaded.initial == ["recurrent_concatenation.projection.bias", kept]
    assert encoder.loaded.differences == [
        "activation relu in place of gelu",
        "epsilon of the norms 1e-05 in place of 1e-06",
    ]
    assert unloaded.loaded is None


def test_the_card_counts_every_entry(network, archive, tmp_path):
    loaded = load(archive).loaded
    assert loaded.file == "ViT.npz" and loaded.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert loaded.ignored == ["head/bias", "head/kernel", "pre_logits/bias", "pre_logits/kernel"]
    assert loaded.adapted.keys() == {"patch_embedding.weight", "patch_embedding.bias"}
    assert loaded.num_matched == len(load(archive).state_dict()) - 2
    assert loaded.initial == loaded.differences == []
    paper = load(save_torchvision(network, tmp_path / "vit.pth"), preset="paper", image_size=64)
    loaded = paper.loaded
    assert loaded.ignored == ["heads.head.bias", "heads.head.weight"]
    assert loaded.adapted["position_embedding"] == "interpolated from 4 x 4 to 8 x 8 places"
    assert "positions are added at first" in loaded.adapted["position_projection.weight"]
    assert loaded.num_matched + len(loaded.adapted) + len(loaded.initial) == len(paper.state_dict())


@pytest.mark.parametrize("is_summed", [True, False])
@pytest.mark.parametrize("kind", [GOOGLE, TORCHVISION])
def test_folded_colours_agree_with_a_normalised_picture(kind, is_summed):
    generator = torch.Generator().manual_seed(3)
    kernel, bias = torch.randn(6, 3, 4, 4, generator=generator), torch.randn(6, generator=generator)
    pixels = torch.rand(2, 1, 8, 8, generator=generator)
    if not is_summed:
        pixels = torch.rand(2, 3, 8, 8, generator=generator)
    shown = normalize(pixels.expand(-1, 3, -1, -1), kind.mean, kind.std)
    expected = torch.nn.functional.conv2d(shown, kernel, bias, stride=4)
    folded = fold_colours(kernel, bias, kind.mean, kind.std, is_summed)
    found = torch.nn.functional.conv2d(augment.normalize(pixels), *folded, stride=4)
    assert (found - expected).abs().max() < 1e-5


def test_positions_of_another_grid():
    positions = torch.randn(1, 1 + 49, 6, generator=torch.Generator().manual_seed(3))
    assert resize_positions(positions, 7) is positions
    for grid_size in (4, 14):
        resized = resize_positions(positions, grid_size)
        assert resized.shape == (1, 1 + grid_size**2, 6)
        assert torch.equal(resized[:, 0], positions[:, 0])
    # Row by row, as patches lie: what changes along columns only, does so afterwards.
    columns = torch.linspace(-1, 1, 7).repeat(7)[None, :, None]  # [1, 49, 1]
    resized = resize_positions(torch.cat([torch.zeros(1, 1, 1), columns], dim=1), 14)[0, 1:, 0].view(14, 14)
    torch.testing.assert_close(resized, resized[:1].expand(14, -1))
    middle = (torch.arange(14) + 0.5) / 2 - 0.5  # where the new places lie among the old ones
    torch.testing.assert_close(resized[0, 4:10], (middle / 3 - 1)[4:10], atol=1e-3, rtol=0)
    with pytest.raises(ValueError, match="47 positions are no class token and a square"):
        resize_positions(positions[:, :47], 4)


def test_weights_of_another_architecture_are_refused_in_a_few_words(network, archive, tmp_path):
    path = save_torchvision(network, tmp_path / "vit.pth")
    with pytest.raises(ValueError, match="vit.pth: .*missing: encoder.layers.encoder_layer_2.*and 7 more.$"):
        load(path, depth=3)
    with pytest.raises(ValueError, match="unexpected: encoder.layers.encoder_layer_1"):
        load(path, depth=1)
    with pytest.raises(ValueError, match="of another shape: .* instead of .* more.$") as error:
        load(path, width=48)
    assert len(str(error.value)) < 700
    with pytest.raises(ValueError, match=r"conv_proj.weight \(24, 64\) instead of \(24, 16\)"):
        load(path, patch_size=4)
    with pytest.raises(ValueError, match="ViT.npz: The weights have 4 heads, the encoder 6; set num_heads"):
        load(archive, num_heads=6)
    odd = {"conv_proj.weight": torch.zeros(24, 1, 8, 8)}
    with pytest.raises(ValueError, match=r"conv_proj.weight \(24, 1, 8, 8\) instead of \(24, 64\)"):
        load(save_torchvision(network, path, **odd))
    path = save_torchvision(network, path, **{"encoder.extra": torch.zeros(1)})
    with pytest.raises(ValueError, match="unexpected: encoder.extra"):
        load(path)
    torch.save({"conv1.weight": torch.zeros(1), "bn1.weight": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="no vision transformer that is known .* bn1.weight, conv1.weight"):
        load(path)
    with pytest.raises(FileNotFoundError, match="none.npz do not exist"):
        load(tmp_path / "none.npz")


def test_damaged_archives_are_refused(network, tmp_path):
    entries, path = google_entries(network), tmp_path / "ViT.npz"
    for name, value, message in (
        ("embedding/kernel", np.zeros((8, 3, 24), np.float32), r"embedding/kernel \(8, 3, 24\) instead of"),
        ("Transformer/encoderblock_0/MlpBlock_3/Dense_0/kernel", np.zeros(3, np.float32), r"kernel \(3,\)"),
        ("cls", np.zeros((1, 1, 24), "V2"), "entry cls has numbers of type .*V2; save it as float32"),
    ):
        np.savez(path, **entries | {name: value})
        with pytest.raises(ValueError, match=message):
            load(path)
    np.savez(path, **{name: value for name, value in entries.items() if "encoderblock_1" not in name})
    with pytest.raises(ValueError, match="missing: Transformer/encoderblock_1/.* and 11 more"):
        load(path)
