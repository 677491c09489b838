import pytest
import torch
from torch import nn

from lib.models.memory_encoder import MemoryAttention, MemoryEncoder


def make(**changes) -> MemoryEncoder:
    torch.manual_seed(0)
    sizes = dict(width=12, num_heads=3, mlp_width=20, depth=3, num_slots=5)
    return MemoryEncoder(10, **(sizes | changes)).eval()


def places() -> torch.Tensor:
    return torch.randn(2, 6, 10, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_attention_agrees_with_a_loop_over_heads_and_queries():
    torch.manual_seed(0)
    attention = MemoryAttention(12, 3, 5)
    x = torch.randn(2, 6, 12)
    query, key, value = attention.query_key_value(x).split(12, dim=-1)
    expected = torch.empty(2, 6, 12)
    for image in range(2):
        for head in range(3):
            own = slice(4 * head, 4 * head + 4)
            keys = [*key[image, :, own], *attention.slot_keys[:, own]]
            values = [*value[image, :, own], *attention.slot_values[:, own]]
            for place in range(6):
                scores = [float(query[image, place, own] @ candidate) / 2.0 for candidate in keys]  # sqrt(4)
                weights = torch.tensor(scores).softmax(dim=0)
                expected[image, place, own] = sum(w * v for w, v in zip(weights, values, strict=True))
    torch.testing.assert_close(attention(x), attention.output(expected), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_without_slots_a_layer_is_pytorchs():
    encoder = make(num_slots=0)
    levels = encoder(places())
    x = encoder.norm(encoder.projection(places()).relu())
    for number, layer in enumerate(encoder.layers):
        reference = nn.TransformerEncoderLayer(12, 3, 20, 0.0, batch_first=True).eval()
        own = {
            "self_attn.in_proj_": layer.attention.query_key_value,
            "self_attn.out_proj.": layer.attention.output,
            "linear1.": layer.perceptron.hidden,
            "linear2.": layer.perceptron.output,
            "norm1.": layer.attention_norm,
            "norm2.": layer.output_norm,
        }
        reference.load_state_dict(
            {
                f"{name}{kind}": getattr(part, kind)
                for name, part in own.items()
                for kind in ("weight", "bias")
            }
        )
        x = reference(x)
        torch.testing.assert_close(levels[:, number], x, atol=1e-5, rtol=1e-5)


def test_slots_matter_and_learn():
    encoder = make()
    levels = encoder(places())
    assert levels.shape == (2, 3, 6, 12)
    (levels * torch.randn_like(levels)).sum().backward()
    for layer in encoder.layers:
        assert layer.attention.slot_keys.grad.abs().max() > 1e-6
        assert layer.attention.slot_values.grad.abs().max() > 1e-6
    with torch.no_grad():
        encoder.layers[1].attention.slot_values.zero_()
        changed = encoder(places())
    difference = (changed - levels).abs().amax(dim=(0, 2, 3))
    assert difference[0] == 0 and difference[1] > 1e-3 and difference[2] > 1e-3


def test_errors_name_the_value():
    with pytest.raises(ValueError, match="num_heads 5"):
        make(num_heads=5)
