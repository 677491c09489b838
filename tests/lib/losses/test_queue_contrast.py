import math

import pytest
import torch
import torch.nn.functional as F

from lib.losses.queue_contrast import (
    batch_scores,
    log_normaliser,
    noise_contrast,
    queue_scores,
    softmax_contrast,
)


def draw(size: int, width: int, num_keys: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(size + 10 * width + 100 * num_keys)
    queries, keys = 2 * torch.randn(2, size, width, generator=generator)
    return queries, keys, F.normalize(torch.randn(num_keys, width, generator=generator), dim=1)


def naive_scores(queries, keys, queue, temperature: float) -> list[list[torch.Tensor]]:
    def cosine(a, b):
        return (a @ b) / (a.norm() * b.norm())

    return [
        [cosine(query, other) / temperature for other in (key, *queue)]
        for query, key in zip(queries, keys, strict=True)
    ]


def naive_softmax(scores) -> torch.Tensor:
    return sum(sum(s.exp() for s in row).log() - row[0] for row in scores) / len(scores)


def naive_noise_contrast(scores, z: float, num_pictures: int) -> torch.Tensor:
    """Wu et al. 2018, 3.2: P = exp(s) / Z with Z = n z; h = P / (P + m / n); -log h(own) - sum log(1 - h)."""
    total = 0.0
    for row in scores:
        noise = (len(row) - 1) / num_pictures
        h = [p / (p + noise) for p in (s.exp() / (num_pictures * z) for s in row)]
        total = total - h[0].log() - sum((1 - other).log() for other in h[1:])
    return total / len(scores)


@pytest.mark.parametrize("size, width, num_keys", ((1, 2, 1), (3, 5, 4), (4, 16, 9)))
@pytest.mark.parametrize("temperature", (0.07, 0.2, 1.0))
def test_values_and_gradients_agree_with_the_definitions(size, width, num_keys, temperature):
    *pair, queue = draw(size, width, num_keys)
    ours = [rows.clone().requires_grad_() for rows in pair]
    exact = [rows.double().requires_grad_() for rows in pair]
    scores = queue_scores(*ours, queue, temperature=temperature)
    expected = naive_scores(*exact, queue.double(), temperature)
    assert scores.shape == (size, 1 + num_keys)
    wanted = torch.stack([torch.stack(row) for row in expected])
    torch.testing.assert_close(scores.double(), wanted, rtol=1e-5, atol=1e-5)

    z = torch.stack([s.exp() for row in expected for s in row]).mean().item()
    assert log_normaliser(scores).item() == pytest.approx(math.log(z), rel=1e-4, abs=1e-5)
    losses = {
        "softmax": (softmax_contrast(scores), naive_softmax(expected)),
        "nce": (noise_contrast(scores, torch.tensor(math.log(z))), naive_noise_contrast(expected, z, 1000)),
    }
    for name, (loss, wanted) in losses.items():
        assert loss.item() == pytest.approx(wanted.item(), rel=1e-4, abs=1e-5), name
        found = torch.autograd.grad(loss, ours, retain_graph=True)
        gradients = torch.autograd.grad(wanted, exact, retain_graph=True)
        for one, other in zip(found, gradients, strict=True):
            torch.testing.assert_close(one.double(), other, rtol=1e-3, atol=2e-5)


def test_the_number_of_pictures_makes_no_difference_to_noise_contrast():
    scores = naive_scores(*(rows.double() for rows in draw(3, 4, 6)), 0.5)
    few, many = (naive_noise_contrast(scores, 1.7, number).item() for number in (10, 10**6))
    assert few == pytest.approx(many, rel=1e-9)


def test_no_gradient_runs_into_the_normaliser():
    queries, keys, queue = draw(3, 4, 6)
    scores = queue_scores(queries.requires_grad_(), keys, queue, temperature=0.1)
    assert not log_normaliser(scores).requires_grad


@pytest.mark.parametrize("size", (1, 2, 5))
def test_in_a_batch_all_others_are_compared_with_once(size):
    queries, keys, _ = draw(size, 6, 1)
    scores = batch_scores(queries, keys, temperature=0.2)
    for i, row in enumerate(scores.tolist()):
        others = [j for j in range(size) if j != i]
        ((own, *rest),) = naive_scores(queries[i : i + 1], keys[i : i + 1], keys[others], 0.2)
        assert row[0] == pytest.approx(own.item(), rel=1e-5)
        assert sorted(row[1:]) == pytest.approx(sorted(s.item() for s in rest), rel=1e-5)


def test_scores_are_float32_under_autocast():
    parts = draw(4, 8, 5)
    with torch.autocast("cpu", torch.bfloat16):
        scores = queue_scores(*parts, temperature=0.07)
        among_themselves = batch_scores(*parts[:2], temperature=0.07)
    assert torch.equal(scores, queue_scores(*parts, temperature=0.07))
    assert torch.equal(among_themselves, batch_scores(*parts[:2], temperature=0.07))
