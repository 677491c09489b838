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
from torch import nn

from lib.losses.language_modeling import language_modeling
from lib.models.attention_lstm import AttentionLSTM, _Steps


def make(**changes) -> AttentionLSTM:
    torch.manual_seed(0)
    sizes = dict(word_width=12, attention_width=8, hidden_width=16, max_length=LENGTH)
    return AttentionLSTM(VOCABULARY, 10, **(sizes | changes))


def annotations(num_reports: int = 3) -> torch.Tensor:
    return torch.randn(num_reports, 6, 10, generator=torch.Generator().manual_seed(4))


@pytest.fixture(autouse=True)
def no_gradients(request):
    with torch.set_grad_enabled("learns" in request.node.name):
        yield


def test_agrees_with_the_equations_one_report_place_and_token_at_a_time():
    """The recurrence is PyTorch's LSTM cell on word and context; the attention is a loop over places."""
    decoder = make().eval()
    width = 16
    cell = nn.LSTMCell(12 + 10, width)
    cell.weight_ih.copy_(torch.cat([decoder.gates_of_word.weight, decoder.gates_of_context.weight], dim=1))
    cell.weight_hh.copy_(decoder.gates_of_hidden.weight)
    # PyTorch orders input, forget, new, output; ours are input, forget, output, new.
    order = torch.cat([torch.arange(0, 2 * width), torch.arange(3 * width, 4 * width)])
    order = torch.cat([order, torch.arange(2 * width, 3 * width)])
    bias = decoder.gates_of_word.bias
    cell.weight_ih.copy_(cell.weight_ih[order])
    cell.weight_hh.copy_(cell.weight_hh[order])
    cell.bias_ih.copy_(bias[order])
    cell.bias_hh.zero_()

    images, tokens = annotations(), padded_reports()
    told = decoder(images, tokens)
    for report in range(3):
        places = images[report]
        mean = sum(places) / 6
        hidden, memory = (
            network[2](network[0](mean).clamp(min=0)).tanh()
            for network in (decoder.start_hidden, decoder.start_cell)
        )
        for step in range(7):
            query = decoder.attention_query(hidden)
            scores = [
                float(decoder.attention_score.weight[0] @ torch.tanh(decoder.attention_key(place) + query))
                for place in places
            ]
            weights = torch.tensor(scores).exp() / torch.tensor(scores).exp().sum()
            gate = 1 / (1 + torch.exp(-decoder.attention_gate(hidden)))
            context = gate * sum(weight * place for weight, place in zip(weights, places, strict=True))
            word = decoder.word_embedding.weight[tokens[report, step]]
            hidden, memory = (
                x[0]
                for x in cell(
                    torch.cat([word, context]).unsqueeze(0), (hidden.unsqueeze(0), memory.unsqueeze(0))
                )
            )
            deep = word + decoder.deep_of_hidden(hidden) + decoder.deep_of_context(context)
            expected = decoder.output(deep.tanh())
            torch.testing.assert_close(told.weights[report, step], weights, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(told.logits[report, step], expected, atol=1e-5, rtol=1e-5)


def test_weights_sum_to_one_and_differ_between_steps_and_places():
    weights = make().eval()(10 * annotations(), padded_reports()).weights
    assert weights.shape == (3, 7, 6)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(3, 7))
    assert (weights > 0).all() and weights.std(dim=1).min() > 1e-4 and weights.std(dim=2).min() > 1e-4


def test_order_of_the_places_does_not_matter():
    decoder, images, tokens = make().eval(), annotations(), padded_reports()
    mixed = torch.tensor([3, 1, 5, 0, 2, 4])
    told, other = decoder(images, tokens), decoder(images[:, mixed], tokens)
    torch.testing.assert_close(other.logits, told.logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(other.weights, told.weights[:, :, mixed], atol=1e-5, rtol=1e-5)


def test_later_tokens_do_not_change_earlier_predictions():
    decoder, images, tokens = make().eval(), annotations(), padded_reports()
    changed = tokens.clone()
    changed[0, 4:] = 5
    before, after = decoder(images, tokens).logits, decoder(images, changed).logits
    torch.testing.assert_close(before[0, :4], after[0, :4])
    assert not torch.allclose(before[0, 4:], after[0, 4:])


def test_padding_does_not_change_predictions():
    decoder, images, tokens = make().eval(), annotations(), padded_reports()
    short = decoder(images[1:2], tokens[1:2, :4]).logits
    torch.testing.assert_close(decoder(images, tokens).logits[1, :4], short[0])


def test_single_steps_agree_with_the_whole_pass():
    decoder, images, tokens = make().eval(), annotations(), padded_reports()
    steps, rows = _Steps(decoder, images), torch.arange(3)
    stepped = torch.stack([steps(tokens[:, place], rows) for place in range(7)], dim=1)
    torch.testing.assert_close(stepped, decoder(images, tokens).logits, atol=1e-5, rtol=1e-5)


def test_hypotheses_agree_with_the_whole_pass():
    decoder, images = make().eval(), annotations()
    copies = images.repeat_interleave(2, dim=0)
    assert_hypotheses_agree(_Steps(decoder, images), lambda history: decoder(copies, history).logits[:, -1])


@pytest.mark.parametrize("beam_size", (1, 3))
def test_generated_reports_start_end_and_pad(beam_size):
    generated = make().eval().generate(5 * annotations(40), beam_size)
    assert generated.shape == (40, LENGTH)
    assert_ends_and_pads(generated)


def test_beam_of_one_takes_the_likeliest_token():
    decoder, images = make().eval(), annotations()
    generated = decoder.generate(images)
    assert_greedy(generated, decoder(images, generated).logits)


def test_learns_to_write_what_it_sees():
    decoder, images, tokens = make(dropout=0.0), annotations(4), unequal_reports()
    learn(decoder, lambda tokens: decoder(images, tokens).logits, tokens)
    assert torch.equal(decoder.generate(images), tokens)
    assert torch.equal(decoder.generate(images, beam_size=4), tokens)


def test_starts_from_frequencies():
    decoder, tokens = make(), padded_reports()
    decoder.start_from_frequencies(tokens)
    followers = [token for row in tokens.tolist() for token in row[1:] if token != PAD]
    expected = [(followers.count(token) + 1) / (len(followers) + VOCABULARY) for token in range(VOCABULARY)]
    assert decoder.output.bias.softmax(dim=0).tolist() == pytest.approx(expected, rel=1e-5)
    # Whatever the state, the other weights only add to them: the loss begins near that of the frequencies.
    loss = language_modeling(decoder.eval()(annotations(), tokens).logits, tokens, PAD)
    shares = torch.tensor([expected[token] for token in followers])
    assert abs(loss + shares.log().mean()) < 1.0


def test_errors_name_the_value():
    with pytest.raises(ValueError, match="10 tokens, the LSTM takes 9"):
        make()(annotations(1), torch.ones(1, 10, dtype=torch.int64))
    with pytest.raises(ValueError, match="beam_size 0"):
        make().generate(annotations(1), beam_size=0)
