import math

import pytest
import torch

from lib.losses.nt_xent import nt_xent


def naive(first: torch.Tensor, second: torch.Tensor, temperature: float) -> torch.Tensor:
    """Spell out the sum over i of -log(exp(s_ij / T) / sum over k != i of exp(s_ik / T)), term by term."""
    rows = [*first, *second]
    size, total = len(first), 0.0
    for i, row in enumerate(rows):
        scores = [(row @ other) / (row.norm() * other.norm()) / temperature for other in rows]
        bottom = sum(scores[k].exp() for k in range(2 * size) if k != i)
        total = total - (scores[(i + size) % (2 * size)].exp() / bottom).log()
    return total / (2 * size)


@pytest.mark.parametrize("size", (1, 2, 5, 9))
@pytest.mark.parametrize("width", (1, 3, 17))
@pytest.mark.parametrize("temperature", (0.05, 0.1, 0.5, 2.0))
def test_value_and_gradient_agree_with_the_definition(size, width, temperature):
    generator = torch.Generator().manual_seed(100 * size + width)
    rows = 3 * torch.randn(2, size, width, generator=generator)
    crops, exact = rows.clone().requires_grad_(), rows.double().requires_grad_()
    loss, expected = nt_xent(*crops, temperature=temperature), naive(*exact, temperature)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-5)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(crops.grad.double(), exact.grad, rtol=1e-3, atol=2e-5)


def test_rows_that_cannot_be_told_apart_cost_the_logarithm_of_their_number():
    rows = torch.ones(4, 6)
    assert nt_xent(rows, 2 * rows, temperature=0.1).item() == pytest.approx(math.log(7), rel=1e-6)


def test_is_computed_in_float32_under_autocast():
    first, second = torch.randn(2, 8, 16).unbind(0)
    exact = nt_xent(first, second, temperature=0.05)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = nt_xent(first, second, temperature=0.05)
    assert mixed.dtype == torch.float32 and torch.equal(mixed, exact)
