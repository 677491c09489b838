import pytest
import torch

from lib.losses.doubly_stochastic import doubly_stochastic


@pytest.mark.parametrize("lengths", ((6,), (2, 6, 3), (1, 1)))
@pytest.mark.parametrize("num_places", (1, 4, 49))
def test_agrees_with_a_loop(lengths, num_places):
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(len(lengths), 6, num_places, generator=generator).softmax(dim=-1)
    is_predicted = torch.arange(6) < torch.tensor(lengths).unsqueeze(1)
    total = 0.0
    for report, length in enumerate(lengths):
        for place in range(num_places):
            received = sum(weights[report, step, place].item() for step in range(length))
            total += (1 - received) ** 2
    found = doubly_stochastic(weights, is_predicted)
    assert found.item() == pytest.approx(total / sum(lengths), rel=1e-5, abs=1e-6)


def test_is_zero_where_each_place_is_looked_at_once():
    assert doubly_stochastic(torch.eye(4).unsqueeze(0), torch.ones(1, 4, dtype=torch.bool)) == 0


def test_steps_that_predict_padding_have_no_gradient():
    weights = torch.full((2, 3, 4), 0.25, requires_grad=True)
    doubly_stochastic(weights, torch.tensor([[True, True, False], [True, False, False]])).backward()
    assert (weights.grad != 0).all(dim=-1).tolist() == [[True, True, False], [True, False, False]]


def test_is_float32_for_bfloat16_weights():
    weights = torch.full((1, 3, 4), 0.25, dtype=torch.bfloat16)
    assert doubly_stochastic(weights, torch.ones(1, 3, dtype=torch.bool)).dtype == torch.float32
