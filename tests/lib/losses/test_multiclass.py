import pytest
import torch

from lib.losses.multiclass import multiclass

NAN = float("nan")


@pytest.mark.parametrize("num_classes", (2, 5))
def test_agrees_with_the_known_rows_alone(num_classes):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(9, num_classes, generator=generator)
    classes = torch.randint(0, num_classes, (9,), generator=generator)
    labels = torch.nn.functional.one_hot(classes, num_classes).float()
    labels[2, 0], labels[5] = NAN, NAN
    losses = [-logits[n].double().softmax(0)[classes[n]].log() for n in range(9) if n not in (2, 5)]
    torch.testing.assert_close(
        multiclass(logits, labels).double(), torch.stack(losses).mean(), rtol=1e-5, atol=1e-6
    )


def test_unknown_rows_have_no_gradient():
    logits = torch.randn(2, 3, requires_grad=True)
    multiclass(logits, torch.tensor([[1.0, 0.0, 0.0], [NAN, NAN, NAN]])).backward()
    assert (logits.grad != 0).tolist() == [[True] * 3, [False] * 3]


def test_nothing_known():
    logits = torch.randn(2, 3, requires_grad=True)
    loss = multiclass(logits, torch.full((2, 3), NAN))
    loss.backward()
    assert loss == 0
    assert logits.grad.abs().max() == 0
