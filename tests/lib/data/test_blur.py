"""The blur equals torchvision's picture by picture."""

import math

import pytest
import torch
import torchvision.transforms.v2.functional as reference

from lib.data.blur import blur_radius, gaussian_blur


def pictures(count: int = 5, rows: int = 24, columns: int = 31) -> torch.Tensor:
    return torch.rand(count, 1, rows, columns, generator=torch.Generator().manual_seed(0))


def naive(picture: list[list[float]], sigma: float) -> list[list[float]]:
    """Sum over the whole window in two dimensions, borders mirrored without repeating the last pixel."""
    radius, rows, columns = math.ceil(3 * sigma), len(picture), len(picture[0])
    steps = range(-radius, radius + 1)
    weight = {(i, j): math.exp(-(i * i + j * j) / (2 * sigma**2)) for i in steps for j in steps}
    total = sum(weight.values())

    def mirrored(place: int, size: int) -> int:
        return -place if place < 0 else 2 * (size - 1) - place if place >= size else place

    return [
        [
            sum(w * picture[mirrored(r + i, rows)][mirrored(c + j, columns)] for (i, j), w in weight.items())
            / total
            for c in range(columns)
        ]
        for r in range(rows)
    ]


def test_equals_torchvision_and_a_naive_sum():
    sigma = torch.tensor([0.1, 0.4, 1.0, 1.7, 3.0])
    images = pictures()
    blurred = gaussian_blur(images, sigma, blur_radius(3.0))
    for image, found, deviation in zip(images, blurred, sigma.tolist(), strict=True):
        size = 2 * blur_radius(deviation) + 1
        expected = reference.gaussian_blur(image, [size, size], [deviation, deviation])
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    expected = torch.tensor(naive(images[2, 0].tolist(), 1.0))
    torch.testing.assert_close(blurred[2, 0], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("radius", [1, 5, 9])
def test_no_deviation_is_no_blur(radius):
    assert torch.equal(gaussian_blur(pictures(), torch.zeros(5), radius), pictures())


def test_pictures_do_not_mix():
    """Alone, in company, and beside one whose kernel is much wider."""
    images, sigma = pictures(), torch.tensor([0.5, 3.0, 1.0, 0.7, 2.0])
    together = gaussian_blur(images, sigma, blur_radius(3.0))
    for i in range(5):
        alone = gaussian_blur(images[i : i + 1], sigma[i : i + 1], blur_radius(float(sigma[i])))
        torch.testing.assert_close(alone[0], together[i], atol=1e-6, rtol=0)


def test_an_even_picture_stays_even_up_to_its_border():
    even = torch.full((2, 1, 20, 20), 0.3)
    torch.testing.assert_close(gaussian_blur(even, torch.tensor([2.0, 0.5]), 6), even)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cpu_and_gpu_agree():
    images, sigma = pictures(), torch.tensor([0.5, 3.0, 1.0, 0.7, 2.0])
    on_gpu = gaussian_blur(images.cuda(), sigma.cuda(), 9).cpu()
    torch.testing.assert_close(on_gpu, gaussian_blur(images, sigma, 9), atol=1e-4, rtol=0)
