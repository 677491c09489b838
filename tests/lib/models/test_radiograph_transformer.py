import dataclasses
import inspect

import pytest
import torch
from torch import nn

from lib.models.radiograph_transformer import RadiographTransformer, RadiographTransformerConfig
from lib.models.transformer_block import SelfAttention

PRESETS = ("paper", "official")
PLAIN = {"aggregation": "none"}


def make_encoder(preset: str = "paper", **changes) -> RadiographTransformer:
    torch.manual_seed(0)
    sizes = dict(image_size=32, patch_size=8, width=24, depth=3, num_heads=4, mlp_width=40)
    return RadiographTransformer(**(sizes | changes), preset=preset)


@pytest.mark.parametrize("preset", PRESETS)
def test_output_shapes(preset):
    output = make_encoder(preset)(torch.randn(2, 1, 32, 32))
    assert output.tokens.shape == (2, 16, 24)
    assert output.pooled.shape == (2, 24)


def test_full_size_parameter_counts():
    """Published: 85,798,656 with three channels. Paper: one channel and the two projections more."""
    with torch.device("meta"):
        official = RadiographTransformer(preset="official", in_channels=3)
        paper = RadiographTransformer()
    assert sum(p.numel() for p in official.parameters()) == 85_798_656
    assert sum(p.numel() for p in paper.parameters()) == 87_766_272
    assert 87_766_272 == 85_798_656 - 2 * 256 * 768 + 2 * (2 * 768 * 768 + 768)


def test_agrees_with_the_published_encoder(published):
    recorded = published("vit/")
    encoder = RadiographTransformer(64, 16, 48, 3, 4, 96, in_channels=3, preset="official").eval()
    encoder.load_published(published("vit/weights/"))
    with torch.no_grad():
        output, maps = encoder(recorded["input"]), encoder.attention_maps(recorded["input"])
    assert (output.pooled - recorded["output_tokens"][:, 0]).abs().max() < 1e-5
    assert (output.tokens - recorded["patches_plus_aggregation"]).abs().max() < 1e-5
    assert (maps[-1] - recorded["last_attention"]).abs().max() < 1e-5


def test_published_weights_of_three_channels_fit_grey_images(published):
    colour = RadiographTransformer(64, 16, 48, 3, 4, 96, in_channels=3, preset="official").eval()
    grey = RadiographTransformer(64, 16, 48, 3, 4, 96, in_channels=1, preset="official").eval()
    for encoder in (colour, grey):
        encoder.load_published(published("vit/weights/"))
    images = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(grey(images).pooled, colour(images.expand(-1, 3, -1, -1)).pooled)


def test_published_weights_are_loaded_strictly(published):
    weights = published("vit/weights/")
    encoder = RadiographTransformer(64, 16, 48, 3, 4, 96, in_channels=3, preset="official")
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    lost = {name: value for name, value in weights.items() if "layer.1.attn" not in name}
    with pytest.raises(ValueError, match="missing.*layer.1.attn.query.weight.* and 3 more") as error:
        encoder.load_published(lost | {"visual.vit.head": torch.zeros(1)})
    assert "unexpected: visual.vit.head" in str(error.value)
    with pytest.raises(ValueError, match=r"another shape: embeddings.cls_token \(1, 1, 50\) instead of"):
        encoder.load_published(weights | {"embeddings.cls_token": torch.zeros(1, 1, 50)})
    with pytest.raises(ValueError, match="missing.*unexpected"):  # a wrong prefix must not load nothing
        encoder.load_published({f"visual.vit.{name}": value for name, value in weights.items()})
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, before[name])
    with pytest.raises(ValueError, match='"paper"'):
        make_encoder("paper").load_published(weights)


def test_attention_agrees_with_a_loop_over_heads():
    torch.manual_seed(0)
    attention, x = SelfAttention(12, 3), torch.randn(2, 5, 12)
    query, key, value = attention.query_key_value(x).chunk(3, dim=-1)
    heads = []
    for head in range(3):
        part = slice(4 * head, 4 * head + 4)
        weights = torch.softmax(query[..., part] @ key[..., part].mT / 4**0.5, dim=-1)
        heads.append(weights @ value[..., part])
    torch.testing.assert_close(attention(x), attention.output(torch.cat(heads, dim=-1)))


@pytest.mark.parametrize("preset", PRESETS)
def test_attention_maps_are_those_of_the_fused_path(preset):
    encoder, images = make_encoder(preset).eval(), torch.randn(2, 1, 32, 32)
    output, maps = encoder.forward_with_attention(images)
    fused = encoder(images)
    torch.testing.assert_close(output.tokens, fused.tokens, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(output.pooled, fused.pooled, atol=1e-5, rtol=1e-5)
    assert len(maps) == 3
    for weights in maps:
        assert weights.shape == (2, 4, 17, 17)
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 17))


def test_concatenations_of_the_paper_agree_with_plain_ones():
    """Both products of the paper are split in two; the plain concatenation gives the same."""
    encoder = make_encoder().eval()
    patches, aggregation = torch.randn(2, 16, 24), torch.randn(2, 1, 24)
    joined = encoder.recurrent_concatenation(patches, aggregation)
    plain = torch.cat([patches, aggregation.expand(-1, 16, -1)], dim=-1)
    torch.testing.assert_close(joined, encoder.recurrent_concatenation.projection(plain))

    images = torch.randn(2, 1, 32, 32)
    cells = images.unfold(2, 8, 8).unfold(3, 8, 8).reshape(2, 16, 64)  # row by row, pixels row by row
    features = torch.cat([encoder.aggregation_embedding.expand(2, -1, -1), encoder.patch_embedding(cells)], 1)
    plain = torch.cat([features, encoder.position_embedding.expand(2, -1, -1)], dim=-1)
    torch.testing.assert_close(encoder._embed(images), encoder.position_projection(plain))


def test_patch_embedding_is_a_convolution():
    encoder = make_encoder("official", in_channels=3).eval()
    images = torch.randn(2, 3, 32, 32)
    weight = encoder.patch_embedding.weight.view(24, 3, 8, 8)
    expected = nn.functional.conv2d(images, weight, encoder.patch_embedding.bias, stride=8).flatten(2).mT
    torch.testing.assert_close(encoder._embed(images)[:, 1:] - encoder.position_embedding[:, 1:], expected)


def test_the_aggregation_can_differ_from_that_of_the_preset():
    images = torch.randn(2, 1, 32, 32)
    plain, added = make_encoder(**PLAIN).eval(), make_encoder(aggregation="added").eval()
    assert plain.state_dict().keys() == make_encoder("official").state_dict().keys()
    found, other = plain(images), added(images)
    # Same seed, same weights: what is left out is the class token in each patch feature.
    assert torch.equal(found.pooled, other.pooled)
    torch.testing.assert_close(other.tokens, found.tokens + found.pooled[:, None])
    assert plain.blocks[0].perceptron.activation is nn.functional.relu  # all else is that of the preset
    official = make_encoder("official", aggregation="concatenated")
    assert official.state_dict().keys() == make_encoder().state_dict().keys()
    with pytest.raises(ValueError, match="aggregation 'sum' is not one of concatenated, added, none"):
        make_encoder(aggregation="sum")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_patch_reaches_the_pooled_feature_and_every_token(preset):
    encoder = make_encoder(preset).eval()
    images = torch.randn(1, 1, 32, 32, requires_grad=True)
    output = encoder(images)
    for target in (output.pooled.square().sum(), output.tokens[:, 3].square().sum()):
        (gradient,) = torch.autograd.grad(target, images, retain_graph=True)
        cells = gradient.unfold(2, 8, 8).unfold(3, 8, 8).abs().amax(dim=(-1, -2))
        assert (cells > 0).all()


@pytest.mark.parametrize("preset, changes", [*((preset, {}) for preset in PRESETS), ("paper", PLAIN)])
def test_cam_layer_gives_a_map_that_is_not_zero(preset, changes):
    encoder = make_encoder(preset, **changes).eval()
    layer, kept = encoder.cam_layer(), []
    handle = layer.module.register_forward_hook(lambda module, inputs, output: kept.append(output))
    target = encoder(torch.randn(2, 1, 32, 32)).pooled @ torch.randn(24)
    handle.remove()
    (gradient,) = torch.autograd.grad(target.sum(), kept[0])
    features, gradient = layer.reshape(kept[0]), layer.reshape(gradient)
    assert features.shape == gradient.shape == (2, 24, 4, 4)
    cam = (gradient.mean(dim=(2, 3), keepdim=True) * features).sum(dim=1).relu()
    assert (cam.amax(dim=(1, 2)) > 0).all()
    tokens = layer.module(*_inputs_of(layer.module, encoder))
    torch.testing.assert_close(layer.reshape(tokens)[0, :, 1, 2], tokens[0, tokens.shape[1] - 16 + 6])


def _inputs_of(module: nn.Module, encoder: nn.Module) -> tuple[torch.Tensor, ...]:
    """Catch what a module of an encoder is called with."""
    kept = []
    handle = module.register_forward_pre_hook(lambda module, inputs: kept.append(inputs))
    encoder(torch.randn(2, 1, 32, 32))
    handle.remove()
    return kept[0]


def test_start_values():
    encoder = make_encoder()
    assert encoder.aggregation_embedding.abs().max() == 0
    assert encoder.position_embedding.std() > 0.8
    weight = (
        RadiographTransformer(image_size=32, width=192, depth=1, num_heads=4)
        .blocks[0]
        .attention.output.weight
    )
    assert abs(weight.std().item() * 192**0.5 - 1) < 0.02


def test_defaults_are_those_of_the_config():
    parameters = inspect.signature(RadiographTransformer).parameters
    config = dataclasses.asdict(RadiographTransformerConfig())
    assert {name: parameters[name].default for name in config} == config


def test_errors_name_the_value():
    with pytest.raises(ValueError, match="image_size 30"):
        make_encoder(image_size=30)
    with pytest.raises(ValueError, match="width 24 .* num_heads 5"):
        make_encoder(num_heads=5)
    with pytest.raises(ValueError, match="Unknown preset 'papre'"):
        make_encoder("papre")
    with pytest.raises(ValueError, match=r"\(3, 32, 32\), the encoder takes \(1, 32, 32\)"):
        make_encoder()(torch.zeros(1, 3, 32, 32))
