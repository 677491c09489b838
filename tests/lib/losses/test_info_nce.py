import math

import numpy as np
import pytest
import torch

from lib.losses.info_nce import info_nce, same_texts


@pytest.fixture
def recorded(shared):
    archive = np.load(shared / "parity" / "refers_official.npz")
    prefix = "infonce/"
    return {
        name.removeprefix(prefix): torch.from_numpy(np.asarray(archive[name]))
        for name in archive.files
        if name.startswith(prefix)
    }


def naive(images: torch.Tensor, texts: torch.Tensor, temperature: float, weight: float) -> float:
    """Spell the definition out with plain numbers."""

    def cosine(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))

    rows, columns = images.double().tolist(), texts.double().tolist()
    total = 0.0
    for k in range(len(rows)):
        pair = math.exp(cosine(rows[k], columns[k]) / temperature)
        over_texts = sum(math.exp(cosine(rows[k], text) / temperature) for text in columns)
        over_images = sum(math.exp(cosine(image, columns[k]) / temperature) for image in rows)
        total -= weight * math.log(pair / over_texts) + (1 - weight) * math.log(pair / over_images)
    return total / len(rows)


@pytest.mark.parametrize("size", (1, 2, 7, 16))
@pytest.mark.parametrize("width", (1, 3, 40))
@pytest.mark.parametrize("temperature", (0.05, 0.1, 1.0, 10.0))
@pytest.mark.parametrize("weight", (1.0, 0.75, 0.5, 0.0))
def test_agrees_with_the_definition(size, width, temperature, weight):
    generator = torch.Generator().manual_seed(size + width)
    images, texts = 3 * torch.randn(2, size, width, generator=generator)
    loss = info_nce(images, texts, temperature=temperature, image_to_text_weight=weight)
    assert loss.item() == pytest.approx(naive(images, texts, temperature, weight), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("suffix, has_gradient", (("", True), ("_official", False)))
def test_value_and_gradients_agree_with_the_published_loss(recorded, suffix, has_gradient):
    images, texts = recorded["v"].requires_grad_(), recorded["u"].requires_grad_()
    loss = info_nce(
        images,
        texts,
        temperature=recorded["tau"].item(),
        image_to_text_weight=recorded["lambda_image_to_text"].item(),
        has_text_to_image_gradient=has_gradient,
    )
    gradients = torch.autograd.grad(loss, (images, texts))
    assert abs(loss - recorded["loss"]) < 1e-5
    for gradient, name in zip(gradients, ("grad_v", "grad_u"), strict=True):
        assert (gradient - recorded[name + suffix]).abs().max() < 1e-5


def test_official_gradient_is_three_quarters_of_image_to_text():
    images, texts = torch.randn(2, 5, 8).unbind(0)
    images.requires_grad_()
    arguments = dict(temperature=0.1)
    whole = info_nce(images, texts, image_to_text_weight=1.0, **arguments)
    official = info_nce(
        images, texts, image_to_text_weight=0.75, has_text_to_image_gradient=False, **arguments
    )
    (first,), (second,) = torch.autograd.grad(whole, images), torch.autograd.grad(official, images)
    torch.testing.assert_close(second, 0.75 * first)


def test_is_computed_in_float32_under_autocast():
    images, texts = torch.randn(2, 32, 64).unbind(0)
    exact = info_nce(images, texts, temperature=0.05, image_to_text_weight=0.75)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = info_nce(images, texts, temperature=0.05, image_to_text_weight=0.75)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, exact)


def naive_with_repeats(images, texts, groups: list[int], repeats: str) -> float:
    """Spell out what each pair competes with, and what counts as right, at temperature 1 and weight 0.75."""
    images, texts = (torch.nn.functional.normalize(rows.double(), dim=1) for rows in (images, texts))
    logits = (images @ texts.T).tolist()
    size = len(groups)
    total = 0.0
    for weight, value in ((0.75, lambda i, j: logits[i][j]), (0.25, lambda i, j: logits[j][i])):
        for i in range(size):
            same = [j for j in range(size) if groups[j] == groups[i]]
            against = [j for j in range(size) if repeats != "masked" or j == i or j not in same]
            bottom = math.log(sum(math.exp(value(i, j)) for j in against))
            right = same if repeats == "positives" else [i]
            total -= weight * sum(value(i, j) - bottom for j in right) / len(right)
    return total / size


@pytest.mark.parametrize("repeats", ("negatives", "masked", "positives"))
@pytest.mark.parametrize("groups", ([0, 1, 2, 3, 4], [0, 1, 0, 2, 0], [0, 0, 1, 1, 2], [0, 0, 0, 0, 0]))
def test_repeated_texts_count_as_said(repeats, groups):
    generator = torch.Generator().manual_seed(3)
    images, texts = torch.randn(2, 5, 7, generator=generator)
    tokens = torch.tensor([[group, 9, 0] for group in groups])
    loss = info_nce(
        images,
        texts,
        temperature=1.0,
        image_to_text_weight=0.75,
        same_text=same_texts(tokens),
        repeats=repeats,
    )
    assert loss.item() == pytest.approx(naive_with_repeats(images, texts, groups, repeats), rel=1e-5)


def test_repeats_that_are_none_or_lack_their_texts():
    rows = torch.eye(2)
    with pytest.raises(ValueError, match="repeats 'ignored' is not one of negatives, masked, positives"):
        info_nce(rows, rows, temperature=1.0, image_to_text_weight=1.0, repeats="ignored")
    with pytest.raises(ValueError, match="needs to know which texts are the same"):
        info_nce(rows, rows, temperature=1.0, image_to_text_weight=1.0, repeats="masked")
