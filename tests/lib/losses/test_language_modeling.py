import pytest
import torch

from lib.losses.language_modeling import language_modeling


@pytest.mark.parametrize("pad_id", (0, 3))
@pytest.mark.parametrize("lengths", ((6,), (2, 6, 3), (5, 5)))
@pytest.mark.parametrize("vocab_size", (5, 50))
def test_agrees_with_a_loop(pad_id, lengths, vocab_size):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(len(lengths), 6, vocab_size, generator=generator)
    tokens = torch.randint(0, vocab_size, (len(lengths), 6), generator=generator)
    tokens[tokens == pad_id] = 4
    losses = []
    for report, length in enumerate(lengths):
        tokens[report, length:] = pad_id
        for place in range(length - 1):
            probabilities = logits[report, place].double().softmax(dim=0)
            losses.append(-probabilities[tokens[report, place + 1]].log())
    loss = language_modeling(logits, tokens, pad_id)
    torch.testing.assert_close(loss.double(), torch.stack(losses).mean(), rtol=1e-5, atol=1e-5)


def test_last_prediction_and_padding_have_no_gradient():
    logits = torch.randn(2, 5, 7, requires_grad=True)
    tokens = torch.tensor([[2, 4, 5, 6, 3], [2, 3, 0, 0, 0]])
    language_modeling(logits, tokens, 0).backward()
    has_gradient = logits.grad.abs().sum(dim=-1) > 0
    assert has_gradient.tolist() == [[True] * 4 + [False], [True] + [False] * 4]


def test_is_float32_for_bfloat16_logits():
    logits = torch.randn(2, 5, 7).bfloat16()
    tokens = torch.tensor([[2, 4, 5, 6, 3], [2, 3, 0, 0, 0]])
    loss = language_modeling(logits, tokens, 0)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, language_modeling(logits.float(), tokens, 0))
