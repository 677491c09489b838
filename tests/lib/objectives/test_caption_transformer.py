import pytest
import torch
from tiny_studies_to_caption import ENCODER, EOS, PAD, SOS, learn_by_heart, make_batch, with_padding

from lib.config import build
from lib.losses.language_modeling import language_modeling
from lib.objectives.caption_transformer import CaptionTransformer, CaptionTransformerConfig


def make(**changes) -> CaptionTransformer:
    torch.manual_seed(0)
    values = dict(width=16, num_heads=2, mlp_width=24, num_slots=4, max_report_tokens=12, encoder=ENCODER)
    return CaptionTransformer(build(CaptionTransformerConfig, values | changes), 30)


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_defaults_are_those_of_the_papers():
    """Behind the ResNet-50: 3 and 3 layers of 512 features, 8 heads, perceptrons of 2048, 40 slots."""
    with torch.device("meta"):
        objective = CaptionTransformer(CaptionTransformerConfig(), 10_000)
    width, mlp, slots, words = 512, 2048, 40, 10_000
    attention = 4 * (width * width + width)
    norm, perceptron = 2 * width, 2 * width * mlp + mlp + width
    encoder_layer = attention + 2 * slots * width + perceptron + 2 * norm
    assert count(objective.memory_encoder) == (2048 + 1) * width + norm + 3 * encoder_layer
    gates = 3 * (2 * width * width + width)
    decoder_layer = 2 * attention + gates + perceptron + 3 * norm
    assert count(objective.decoder) == words * width + 3 * decoder_layer + (width + 1) * words
    assert (
        objective.memory_encoder.layers[0].attention.num_heads == objective.decoder.layers[0].num_heads == 8
    )
    assert CaptionTransformerConfig().dropout == 0.1


def test_loss_is_that_of_the_parts():
    objective, batch = make().eval(), make_batch()
    levels = objective.memory_encoder(objective.encoder(batch.images[:, 0]).tokens)
    assert levels.shape == (3, 3, 4, 16)
    logits = objective.decoder(levels, batch.report_tokens)
    losses = objective(batch)
    assert list(losses) == ["language"]
    torch.testing.assert_close(losses["language"], language_modeling(logits, batch.report_tokens, PAD))


def test_features_may_be_normalised_before_they_are_read():
    objective, images = make(feature_norm="batch", dropout=0.0), make_batch().images
    places = objective.encoder(images[:, 0]).tokens.flatten(0, 1)
    normal = (places - places.mean(0)) / (places.var(0, unbiased=False) + 1e-5).sqrt()
    expected = objective.memory_encoder(normal.view(3, 4, -1))
    torch.testing.assert_close(objective.read(images), expected, atol=1e-5, rtol=1e-4)


def test_padding_never_changes_the_loss():
    objective, batch = make().eval(), make_batch()
    short, long = objective(batch), objective(with_padding(batch, 4))
    torch.testing.assert_close(long["language"], short["language"], atol=1e-6, rtol=1e-5)


def test_recognises_and_writes_reports_after_training():
    """Six studies by heart: greedy and beam search write the report of each."""
    objective, batch = make(dropout=0.0), make_batch(6)
    learn_by_heart(objective, batch, 100)
    expected = with_padding(batch, 4).report_tokens
    for beam_size in (1, 3):
        assert torch.equal(objective.generate(batch.images, beam_size), expected)


@pytest.mark.parametrize("beam_size", (1, 3))
def test_generates_reports(beam_size):
    objective, images = make(), make_batch().images
    generated = objective.generate(images, beam_size)
    assert generated.shape == (3, 12)
    assert (generated[:, 0] == SOS).all()
    assert ((generated == EOS).sum(dim=1) == 1).all()
    assert objective.training and torch.equal(generated, objective.generate(images, beam_size))


def test_the_first_predictions_are_the_frequencies_of_tokens():
    objective, tokens = make(), make_batch().report_tokens
    objective.start_from_reports(tokens)
    assert objective.decoder.output.bias.argmax() == EOS  # each report has one


def test_parameter_groups():
    groups = make().parameter_groups()
    starts = {group: {name.split(".")[0] for name, _ in members} for group, members in groups.items()}
    assert starts == {"image": {"encoder"}, "text": {"memory_encoder", "decoder"}}


def test_errors_name_the_value():
    batch = make_batch()
    batch.report_tokens = None
    with pytest.raises(ValueError, match="learns from reports"):
        make()(batch)
    with pytest.raises(ValueError, match="num_heads 5"):
        make(num_heads=5)
