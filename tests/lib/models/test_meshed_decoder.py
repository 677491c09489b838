import pytest
import torch
from tiny_captions import (
    LENGTH,
    PAD,
    VOCABULARY,
    assert_ends_and_pads,
    assert_greedy,
    assert_hypotheses_agree,
    learn,
    padded_reports,
    unequal_reports,
)

from lib.models.meshed_decoder import MeshedDecoder, MeshedLayer, _Steps, sinusoids

WIDTH, HEADS, LEVELS = 12, 3, 2


def make(**changes) -> MeshedDecoder:
    torch.manual_seed(0)
    sizes = dict(width=WIDTH, num_heads=HEADS, mlp_width=20, depth=2, num_levels=LEVELS, max_length=LENGTH)
    return MeshedDecoder(VOCABULARY, **(sizes | changes))


def levels(num_reports: int = 3) -> torch.Tensor:
    return torch.randn(num_reports, LEVELS, 6, WIDTH, generator=torch.Generator().manual_seed(4))


@pytest.fixture(autouse=True)
def no_gradients(request):
    with torch.set_grad_enabled("learns" in request.node.name):
        yield


def naive_attention(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Attend with one query [D] to keys and values [places, D], head by head."""
    heads = []
    for head in range(HEADS):
        own = slice(head * WIDTH // HEADS, (head + 1) * WIDTH // HEADS)
        scores = torch.stack([query[own] @ key[own] for key in keys]) / (WIDTH // HEADS) ** 0.5
        heads.append(sum(w * v[own] for w, v in zip(scores.softmax(dim=0), values, strict=True)))
    return torch.cat(heads)


def test_a_layer_agrees_with_the_equations_token_by_token():
    torch.manual_seed(0)
    layer = MeshedLayer(WIDTH, HEADS, 20, LEVELS, dropout=0.0).eval()
    x, encoded = torch.randn(3, 5, WIDTH), levels()
    found, _ = layer(x, layer.read_levels(encoded))
    for report in range(3):
        queries, keys, values = layer.self_query_key_value(x[report]).split(WIDTH, dim=-1)
        for token in range(5):
            earlier = slice(0, token + 1)
            attended = layer.self_output(naive_attention(queries[token], keys[earlier], values[earlier]))
            y = layer.self_norm(x[report, token] + attended)
            meshed = torch.zeros(WIDTH)
            for level in range(LEVELS):
                level_keys, level_values = layer.level_key_value(encoded[report, level]).split(WIDTH, dim=-1)
                seen = naive_attention(layer.level_query(y), level_keys, level_values)
                seen = layer.level_output(seen)
                alpha = 1 / (1 + torch.exp(-layer.level_gates[level](torch.cat([y, seen]))))
                meshed += alpha * seen
            z = layer.level_norm(y + meshed)
            perceptron = layer.perceptron
            expected = layer.output_norm(z + perceptron.output(perceptron.hidden(z).clamp(min=0)))
            torch.testing.assert_close(found[report, token], expected, atol=1e-5, rtol=1e-5)


def test_every_level_matters():
    decoder, encoded, tokens = make().eval(), levels(), padded_reports()
    before = decoder(encoded, tokens)
    for level in range(LEVELS):
        changed = encoded.clone()
        changed[:, level] = 0
        assert (decoder(changed, tokens) - before).abs().max() > 1e-3


def test_later_tokens_do_not_change_earlier_predictions():
    decoder, encoded, tokens = make().eval(), levels(), padded_reports()
    changed = tokens.clone()
    changed[0, 4:] = 5
    before, after = decoder(encoded, tokens), decoder(encoded, changed)
    torch.testing.assert_close(before[0, :4], after[0, :4])
    assert not torch.allclose(before[0, 4:], after[0, 4:])


def test_padding_does_not_change_predictions():
    decoder, encoded, tokens = make().eval(), levels(), padded_reports()
    short = decoder(encoded[1:2], tokens[1:2, :4])
    torch.testing.assert_close(decoder(encoded, tokens)[1, :4], short[0], atol=1e-5, rtol=1e-5)


def test_cached_steps_agree_with_the_uncached_pass():
    decoder, encoded, tokens = make().eval(), levels(), padded_reports()
    steps, rows = _Steps(decoder, encoded), torch.arange(3)
    stepped = torch.stack([steps(tokens[:, place], rows) for place in range(7)], dim=1)
    torch.testing.assert_close(stepped, decoder(encoded, tokens), atol=1e-5, rtol=1e-5)


def test_cached_hypotheses_agree_with_the_uncached_pass():
    decoder, encoded = make().eval(), levels()
    copies = encoded.repeat_interleave(2, dim=0)
    assert_hypotheses_agree(_Steps(decoder, encoded), lambda history: decoder(copies, history)[:, -1])


@pytest.mark.parametrize("beam_size", (1, 3))
def test_generated_reports_start_end_and_pad(beam_size):
    generated = make().eval().generate(5 * levels(40), beam_size)
    assert generated.shape == (40, LENGTH)
    assert_ends_and_pads(generated)


def test_beam_of_one_takes_the_likeliest_token():
    decoder, encoded = make().eval(), levels()
    generated = decoder.generate(encoded)
    assert_greedy(generated, decoder(encoded, generated))


def test_learns_to_write_what_it_sees():
    decoder, encoded, tokens = make(depth=1, dropout=0.0), levels(4), unequal_reports()
    learn(decoder, lambda tokens: decoder(encoded, tokens), tokens)
    assert torch.equal(decoder.generate(encoded), tokens)
    assert torch.equal(decoder.generate(encoded, beam_size=4), tokens)


def test_starts_from_frequencies():
    decoder, tokens = make(), padded_reports()
    decoder.start_from_frequencies(tokens)
    followers = [token for row in tokens.tolist() for token in row[1:] if token != PAD]
    expected = [(followers.count(token) + 1) / (len(followers) + VOCABULARY) for token in range(VOCABULARY)]
    assert decoder.output.bias.softmax(dim=0).tolist() == pytest.approx(expected, rel=1e-5)


def test_positions_are_those_of_the_formula():
    table = sinusoids(5, 8)
    for place in range(5):
        for pair in range(4):
            angle = torch.tensor(place / 10_000 ** (2 * pair / 8))
            torch.testing.assert_close(table[place, 2 * pair], angle.sin(), atol=1e-6, rtol=1e-5)
            torch.testing.assert_close(table[place, 2 * pair + 1], angle.cos(), atol=1e-6, rtol=1e-5)


def test_errors_name_the_value():
    with pytest.raises(ValueError, match="10 tokens, the decoder takes 9"):
        make()(levels(1), torch.ones(1, 10, dtype=torch.int64))
    with pytest.raises(ValueError, match="beam_size 0"):
        make().generate(levels(1), beam_size=0)
    with pytest.raises(ValueError, match="num_heads 5"):
        make(num_heads=5)
    with pytest.raises(ValueError, match="width 9 is odd"):
        make(width=9)
