import pytest
import torch

from lib.models.dropout import Dropout


def test_rate_mean_and_gradient():
    torch.manual_seed(0)
    x = torch.ones(1001, 1001, requires_grad=True)  # not a multiple of eight
    dropped = Dropout(0.1)(x)
    rate = (dropped == 0).float().mean().item()
    assert abs(rate - 26 / 256) < 0.001
    assert abs(dropped.mean().item() - 1) < 0.001
    dropped.sum().backward()
    assert torch.equal(x.grad, dropped.detach())


def test_every_byte_of_the_numbers_is_uniform():
    """The elements at each of the eight places of a number are dropped alike, also at high rates."""
    torch.manual_seed(0)
    for p in (0.1, 0.9):
        places = (Dropout(p)(torch.ones(200_000, 8)) == 0).float().mean(dim=0)
        assert (places - round(p * 256) / 256).abs().max() < 0.005


def test_evaluation_and_zero_change_nothing():
    x = torch.randn(7)
    assert Dropout(0.1).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert Dropout(1.0)(x).abs().max() == 0


def test_follows_the_seed():
    x, dropout = torch.ones(100), Dropout(0.5)
    torch.manual_seed(1)
    first = dropout(x)
    assert not torch.equal(dropout(x), first)
    torch.manual_seed(1)
    assert torch.equal(dropout(x), first)


@pytest.mark.parametrize("dtype", (torch.float32, torch.bfloat16))
def test_keeps_the_type(dtype):
    assert Dropout(0.5)(torch.ones(3, 5, dtype=dtype)).dtype == dtype
