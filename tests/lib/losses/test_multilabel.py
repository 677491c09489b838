import math

import pytest
import torch

from lib.losses.multilabel import multilabel

NAN = float("nan")


@pytest.mark.parametrize("shape", ((1, 1), (5, 1), (4, 14)))
@pytest.mark.parametrize("unknown", (0.0, 0.4))
def test_agrees_with_a_loop(shape, unknown):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(shape, generator=generator)
    labels = (torch.rand(shape, generator=generator) < 0.5).float()
    labels[torch.rand(shape, generator=generator) < unknown] = NAN
    losses = []
    for logit, label in zip(logits.double().flatten().tolist(), labels.flatten().tolist(), strict=True):
        if not math.isnan(label):
            probability = 1 / (1 + math.exp(-logit))
            losses.append(-math.log(probability if label else 1 - probability))
    assert multilabel(logits, labels).item() == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_unknown_labels_have_no_gradient():
    logits = torch.randn(2, 2, requires_grad=True)
    multilabel(logits, torch.tensor([[1.0, NAN], [NAN, 0.0]])).backward()
    assert (logits.grad != 0).tolist() == [[True, False], [False, True]]
    assert logits.grad.isfinite().all()


def test_nothing_known():
    logits = torch.randn(2, 2, requires_grad=True)
    loss = multilabel(logits, torch.full((2, 2), NAN))
    loss.backward()
    assert loss == 0
    assert logits.grad.abs().max() == 0
