import dataclasses

import pytest
import torch
from tiny_studies_to_caption import ENCODER, EOS, PAD, SOS, learn_by_heart, make_batch, with_padding

from lib.config import build
from lib.losses.doubly_stochastic import doubly_stochastic
from lib.losses.language_modeling import language_modeling
from lib.objectives.caption_lstm import CaptionLSTM, CaptionLSTMConfig


def make(**changes) -> CaptionLSTM:
    torch.manual_seed(0)
    values = dict(word_width=16, attention_width=12, hidden_width=24, max_report_tokens=12, encoder=ENCODER)
    return CaptionLSTM(build(CaptionLSTMConfig, values | changes), 30)


def test_defaults_are_those_of_the_papers():
    """ResNet-50, whose last feature map has 2048 channels; sizes of the published code of Xu et al."""
    with torch.device("meta"):
        objective = CaptionLSTM(CaptionLSTMConfig(), 10_000)
    assert objective.encoder.width == 2048
    sizes = {name: tuple(weight.shape) for name, weight in objective.decoder.named_parameters()}
    assert sizes["word_embedding.weight"] == (10_000, 512)
    assert sizes["gates_of_hidden.weight"] == (4 * 1800, 1800)
    assert sizes["attention_key.weight"] == (512, 2048)
    config = dataclasses.asdict(CaptionLSTMConfig())
    assert config["attention_weight"] == 1.0 and config["dropout"] == 0.5


def test_losses_are_those_of_the_parts():
    objective, batch = make(attention_weight=0.5).eval(), make_batch()
    told = objective.decoder(objective.encoder(batch.images[:, 0]).tokens, batch.report_tokens)
    losses = objective(batch)
    language = language_modeling(told.logits, batch.report_tokens, PAD)
    # The first report has 5 tokens: 4 steps predict one of them; the others have 8.
    attention = doubly_stochastic(told.weights, torch.arange(8) < torch.tensor([[4], [7], [7]]))
    assert list(losses) == ["language", "attention"]
    torch.testing.assert_close(losses["language"], language)
    torch.testing.assert_close(losses["attention"], 0.5 * attention)
    assert list(make(attention_weight=0.0)(batch)) == ["language"]


def test_features_may_be_normalised_before_they_are_read():
    objective, images = make(feature_norm="batch"), make_batch().images
    tokens = objective.encoder(images[:, 0]).tokens  # no dropout
    places = tokens.flatten(0, 1)
    expected = (places - places.mean(0)) / (places.var(0, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(objective.read(images), expected.view(3, 4, -1), atol=1e-5, rtol=1e-4)


def test_padding_never_changes_the_losses():
    objective, batch = make().eval(), make_batch()
    short, long = objective(batch), objective(with_padding(batch, 4))
    for name, loss in short.items():
        torch.testing.assert_close(long[name], loss, atol=1e-6, rtol=1e-5)


def test_the_penalty_spreads_attention_over_the_image():
    """Trained on the penalty alone, each place gets the same over a report, however short that is."""
    objective, batch = make().eval(), make_batch()
    before = objective(batch)["attention"].item()
    optimizer = torch.optim.AdamW(objective.parameters(), lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        objective(batch)["attention"].backward()
        optimizer.step()
    steps = torch.tensor([4.0, 7.0, 7.0])
    best = (4 * (1 - steps / 4).square()).sum() / steps.sum()  # four places share what the steps give
    assert best <= objective(batch)["attention"] < best + 0.5 * (before - best)


def test_recognises_and_writes_reports_after_training():
    """Six studies by heart: greedy and beam search write the report of each."""
    objective, batch = make(dropout=0.0), make_batch(6)
    learn_by_heart(objective, batch, 100)
    expected = with_padding(batch, 4).report_tokens
    for beam_size in (1, 3):
        generated = objective.generate(batch.images, beam_size)
        assert generated.shape == (6, 12)
        assert torch.equal(generated, expected)


@pytest.mark.parametrize("beam_size", (1, 3))
def test_generates_reports(beam_size):
    objective, images = make(), make_batch().images
    generated = objective.generate(images, beam_size)
    assert generated.shape == (3, 12)
    assert (generated[:, 0] == SOS).all()
    assert ((generated == EOS).sum(dim=1) == 1).all()
    assert objective.training and torch.equal(generated, objective.generate(images, beam_size))


def test_it_tells_where_words_are_read_off():
    objective, batch = make().eval(), make_batch()
    logits, weights, gates = objective.forward_with_attention(batch.images, batch.report_tokens)
    told = objective.decoder(objective.encoder(batch.images[:, 0]).tokens, batch.report_tokens)
    torch.testing.assert_close(logits, told.logits)
    torch.testing.assert_close(weights, told.weights.view(3, 8, 1, 1, 1, 4))  # one layer, head and view
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(3, 8, 1, 1, 1))
    assert gates.tolist() == [[[1] * 4]] * 3


def test_the_first_predictions_are_the_frequencies_of_tokens():
    objective, tokens = make(), make_batch().report_tokens
    objective.start_from_reports(tokens)
    assert objective.decoder.output.bias.argmax() == EOS  # each report has one


def test_parameter_groups():
    groups = make().parameter_groups()
    starts = {group: {name.split(".")[0] for name, _ in members} for group, members in groups.items()}
    assert starts == {"image": {"encoder"}, "text": {"decoder"}}


def test_errors_name_the_value():
    batch = make_batch()
    batch.report_tokens = None
    with pytest.raises(ValueError, match="learns from reports"):
        make()(batch)
    with pytest.raises(ValueError, match=r"attention_weight -1\.0"):
        make(attention_weight=-1.0)
