import dataclasses
import inspect

import pytest
import torch
from torch import nn

from lib.losses.language_modeling import language_modeling
from lib.models.report_transformer import ReportTransformer, ReportTransformerConfig, _Steps

PAD, UNK, SOS, EOS = range(4)


def make_decoder(preset: str = "paper", **changes) -> ReportTransformer:
    torch.manual_seed(0)
    sizes = dict(vocab_size=30, visual_width=10, width=16, num_heads=4, mlp_width=24, depth=2, max_length=9)
    return ReportTransformer(**(sizes | changes), preset=preset)


def reports() -> tuple[torch.Tensor, torch.Tensor]:
    """Return a memory [3, 6, 10] and padded reports [3, 7]."""
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(4, 30, (3, 7), generator=generator)
    tokens[:, 0] = SOS
    tokens[1, 4:], tokens[2, 2:] = PAD, PAD
    return torch.randn(3, 6, 10, generator=generator), tokens


def test_full_size_parameter_count():
    for preset in ("paper", "official"):
        with torch.device("meta"):
            decoder = ReportTransformer(10_000, 768, preset=preset)
        assert sum(p.numel() for p in decoder.parameters()) == 27_938_576


def published_decoder(published) -> ReportTransformer:
    decoder = ReportTransformer(
        60, 48, 32, 4, 64, 1, 12, preset="official", pad_id=0, unk_id=0, sos_id=1, eos_id=2
    )
    decoder.load_published(published("report/weights/"))
    return decoder.eval()


def test_agrees_with_the_published_decoder(published):
    recorded = published("report/")
    decoder = published_decoder(published)
    assert recorded["lengths"].tolist() == (recorded["tokens"] != 0).sum(dim=1).tolist()
    with torch.no_grad():
        logits = decoder(recorded["visual"], recorded["tokens"])
    assert (logits - recorded["logits"]).abs().max() < 1e-5
    assert abs(language_modeling(logits, recorded["tokens"], 0) - recorded["loss"]) < 1e-5


def test_published_weights_are_loaded_strictly(published):
    weights, decoder = published("report/weights/"), published_decoder(published)
    with pytest.raises(ValueError, match="missing: .*multihead_attn.in_proj_bias.*; unexpected: head"):
        bias = "transformer.layers.0.multihead_attn.in_proj_bias"
        lost = {name: value for name, value in weights.items() if name != bias}
        decoder.load_published(lost | {"head": torch.zeros(1)})
    with pytest.raises(ValueError, match="missing: output.weight"):
        decoder.load_published({name: value for name, value in weights.items() if name != "output.weight"})
    with pytest.raises(ValueError, match="not tied: output.weight"):
        decoder.load_published(weights | {"output.weight": weights["output.weight"] + 1})
    with pytest.raises(ValueError, match="unexpected: transformer.layers.1.norm1.weight"):
        decoder.load_published(weights | {"transformer.layers.1.norm1.weight": torch.zeros(32)})


def test_paper_decoder_agrees_with_pytorch_layers():
    """The paper's decoder is that of "Attention is all you need": post-norm, ReLU."""
    decoder = make_decoder().eval()
    memory, tokens = reports()
    x = decoder.word_embedding(tokens) + decoder.position_embedding.weight[:7]
    x = nn.functional.layer_norm(
        x, (16,), decoder.embedding_norm.weight, decoder.embedding_norm.bias, decoder.embedding_norm.eps
    )
    x = x * (tokens != PAD).unsqueeze(-1)
    for layer in decoder.layers:
        reference = nn.TransformerDecoderLayer(16, 4, 24, 0.0, batch_first=True).eval()
        query, key_value = layer.memory_query, layer.memory_key_value
        reference.load_state_dict(
            {
                "self_attn.in_proj_weight": layer.self_query_key_value.weight,
                "self_attn.in_proj_bias": layer.self_query_key_value.bias,
                "self_attn.out_proj.weight": layer.self_output.weight,
                "self_attn.out_proj.bias": layer.self_output.bias,
                "multihead_attn.in_proj_weight": torch.cat([query.weight, key_value.weight]),
                "multihead_attn.in_proj_bias": torch.cat([query.bias, key_value.bias]),
                "multihead_attn.out_proj.weight": layer.memory_output.weight,
                "multihead_attn.out_proj.bias": layer.memory_output.bias,
                "linear1.weight": layer.hidden.weight,
                "linear1.bias": layer.hidden.bias,
                "linear2.weight": layer.output.weight,
                "linear2.bias": layer.output.bias,
                "norm1.weight": layer.self_norm.weight,
                "norm1.bias": layer.self_norm.bias,
                "norm2.weight": layer.memory_norm.weight,
                "norm2.bias": layer.memory_norm.bias,
                "norm3.weight": layer.output_norm.weight,
                "norm3.bias": layer.output_norm.bias,
            }
        )
        is_later = torch.ones(7, 7, dtype=torch.bool).triu(1)
        visual = decoder.visual_projection(memory)
        x = reference(x, visual, tgt_mask=is_later, tgt_key_padding_mask=tokens == PAD)
    expected = x @ decoder.word_embedding.weight.T + decoder.output_bias
    torch.testing.assert_close(decoder(memory, tokens), expected, atol=1e-5, rtol=1e-5)


def test_later_tokens_do_not_change_earlier_predictions():
    decoder = make_decoder().eval()
    memory, tokens = reports()
    changed = tokens.clone()
    changed[0, 4:] = 5
    before, after = decoder(memory, tokens), decoder(memory, changed)
    torch.testing.assert_close(before[0, :4], after[0, :4])
    assert not torch.allclose(before[0, 4:], after[0, 4:])


def test_padding_does_not_change_predictions():
    decoder = make_decoder().eval()
    memory, tokens = reports()
    torch.testing.assert_close(decoder(memory, tokens)[1, :4], decoder(memory[1:2], tokens[1:2, :4])[0])


@pytest.mark.parametrize("preset", ("paper", "official"))
def test_cached_steps_agree_with_the_uncached_pass(preset):
    decoder = make_decoder(preset).eval()
    memory, tokens = reports()
    tokens = tokens.clamp(min=4)
    steps, rows = _Steps(decoder, memory), torch.arange(3)
    with torch.no_grad():
        stepped = torch.stack([steps(tokens[:, place], rows) for place in range(7)], dim=1)
        torch.testing.assert_close(stepped, decoder(memory, tokens), atol=1e-5, rtol=1e-5)


def test_cached_hypotheses_agree_with_the_uncached_pass():
    """Two hypotheses a report, which swap and copy each other between the steps."""
    decoder = make_decoder().eval()
    memory, _ = reports()
    steps, generator = _Steps(decoder, memory), torch.Generator().manual_seed(2)
    history = torch.empty(6, 0, dtype=torch.int64)
    first = torch.arange(3).repeat_interleave(2) * 2
    with torch.no_grad():
        for place in range(6):
            parents = first + (
                torch.randint(0, 2, (6,), generator=generator) if place else torch.arange(6) % 2
            )
            newest = torch.randint(4, 30, (6,), generator=generator)
            history = torch.cat([history[parents], newest.unsqueeze(1)], dim=1)
            uncached = decoder(memory.repeat_interleave(2, dim=0), history)[:, -1]
            torch.testing.assert_close(steps(newest, parents), uncached, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("preset", ("paper", "official"))
@pytest.mark.parametrize("depth", (1, 3))
def test_attention_spelled_out_agrees_with_the_fused_pass(preset, depth):
    decoder = make_decoder(preset, depth=depth).eval()
    for layer in decoder.layers:  # untrained attention is nearly even, which hides mistakes
        layer.memory_query.weight.data.mul_(30)
    memory, tokens = reports()
    logits, maps = decoder.forward_with_attention(memory, tokens)
    assert (logits - decoder(memory, tokens)).abs().max() < 1e-5
    assert [weights.shape for weights in maps] == [(3, 4, 7, 6)] * depth
    torch.testing.assert_close(torch.stack(maps).sum(dim=-1), torch.ones(depth, 3, 4, 7))
    assert max(weights.max() for weights in maps) > 0.5
    with pytest.raises(ValueError, match="10 tokens, the report transformer takes 9"):
        decoder.forward_with_attention(memory, torch.ones(3, 10, dtype=torch.int64))


def test_attention_agrees_with_a_loop_over_heads_and_tokens():
    decoder = make_decoder(depth=1).eval()
    (layer,), (memory, tokens) = decoder.layers, reports()
    layer.memory_query.weight.data.mul_(30)
    seen = {}
    layer.self_norm.register_forward_hook(lambda _, inputs, output: seen.update(x=output))
    with torch.no_grad():
        _, (weights,) = decoder.forward_with_attention(memory, tokens)
        keys = layer.memory_key_value(decoder.visual_projection(memory))[..., :16]
        queries = layer.memory_query(seen["x"])
    for report in range(3):
        for head in range(4):
            part = slice(4 * head, 4 * head + 4)
            for place in range(7):
                scores = [float(queries[report, place, part] @ key[part]) / 2 for key in keys[report]]
                expected = torch.tensor(scores).softmax(dim=0)
                torch.testing.assert_close(weights[report, head, place], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("beam_size", (1, 3))
def test_generated_reports_start_end_and_pad(beam_size):
    decoder = make_decoder().eval()
    memory = torch.randn(40, 6, 10, generator=torch.Generator().manual_seed(3)) * 5
    generated = decoder.generate(memory, beam_size)
    assert generated.shape == (40, 9)
    assert (generated[:, 0] == SOS).all()
    for report in generated.tolist():
        end = report.index(EOS)
        assert not {PAD, UNK, SOS} & set(report[1:end])
        assert all(token == PAD for token in report[end + 1 :])


def test_greedy_takes_the_likeliest_token():
    decoder = make_decoder().eval()
    memory, _ = reports()
    generated = decoder.generate(memory)
    with torch.no_grad():
        logits = decoder(memory, generated)
    logits[..., [PAD, UNK, SOS]] = -torch.inf
    for report, predicted in zip(generated, logits.argmax(dim=-1), strict=True):
        length = min(int((report == EOS).nonzero()[0]), 7)  # the end at the last place is forced
        assert torch.equal(report[1 : length + 1], predicted[:length])


def test_learns_to_write_what_it_sees():
    """Four memories, four reports: after a few steps greedy and beam search write them."""
    decoder = make_decoder(depth=1, dropout=0.0)
    memory = torch.randn(4, 6, 10)
    tokens = torch.randint(4, 30, (4, 9))
    tokens[:, 0] = SOS
    for row, end in enumerate((8, 6, 5, 3)):
        tokens[row, end], tokens[row, end + 1 :] = EOS, PAD
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        language_modeling(decoder(memory, tokens), tokens, PAD).backward()
        optimizer.step()
    decoder.eval()
    assert torch.equal(decoder.generate(memory), tokens)
    assert torch.equal(decoder.generate(memory, beam_size=4), tokens)


def test_defaults_are_those_of_the_config():
    parameters = inspect.signature(ReportTransformer).parameters
    config = dataclasses.asdict(ReportTransformerConfig())
    assert {name: parameters[name].default for name in config} == config


def test_errors_name_the_value():
    with pytest.raises(ValueError, match="10 tokens, the report transformer takes 9"):
        make_decoder()(torch.zeros(1, 6, 10), torch.ones(1, 10, dtype=torch.int64))
    with pytest.raises(ValueError, match="beam_size 0"):
        make_decoder().generate(torch.zeros(1, 6, 10), beam_size=0)
    with pytest.raises(ValueError, match="vocab_size 3 "):
        make_decoder(vocab_size=3)
    with pytest.raises(ValueError, match="num_heads 5"):
        make_decoder(num_heads=5)


def test_the_output_starts_from_the_frequencies_of_next_tokens():
    decoder, (_, tokens) = make_decoder(), reports()
    decoder.start_from_frequencies(tokens)
    followers = [token for row in tokens.tolist() for token in row[1:] if token != PAD]
    expected = [(followers.count(token) + 1) / (len(followers) + 30) for token in range(30)]
    assert decoder.output_bias.softmax(dim=0).tolist() == pytest.approx(expected, rel=1e-5)
