"""Deletion and insertion tell a map of what a classifier uses from one that knows nothing."""

import numpy as np
import pytest
import torch

from lib.data.blur import blur_radius, gaussian_blur
from lib.explain.faithfulness import BLUR, faithfulness_curves, shuffle_places

SIZE, REGION = 40, slice(0, 10)


def brightness(images: torch.Tensor) -> torch.Tensor:
    """A classifier that looks at one corner, a fourth of each side."""
    return images[:, 0, REGION, REGION].std(dim=(1, 2))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(6, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def curves(images, maps, **options):
    generator = torch.Generator().manual_seed(1)
    return faithfulness_curves(brightness, images, maps, generator=generator, **options)


def test_curves_begin_and_end_with_the_picture_and_its_blur(images):
    maps = torch.rand(6, 4, 4)
    found = curves(images, maps, steps=5)
    deviation = BLUR * SIZE
    blurred = gaussian_blur(images, torch.full((6,), deviation), blur_radius(deviation))
    assert found.deletion.shape == (6, 6)
    torch.testing.assert_close(found.deletion[:, 0], brightness(images))
    torch.testing.assert_close(found.deletion[:, -1], brightness(blurred))
    torch.testing.assert_close(found.insertion.flip(1)[:, 0], found.deletion[:, 0])
    torch.testing.assert_close(found.insertion[:, 0], found.deletion[:, -1])


def test_the_place_that_is_used_goes_first(images):
    maps = torch.zeros(6, 4, 4)
    maps[:, 0, 0] = 1
    found = curves(images, maps, steps=16)  # a place a step
    torch.testing.assert_close(found.deletion[:, 1], found.deletion[:, -1])
    torch.testing.assert_close(found.insertion[:, 1], found.insertion[:, -1])
    deletion, insertion = found.areas()
    shuffled_deletion, shuffled_insertion = curves(
        images, shuffle_places(maps, torch.Generator().manual_seed(3)), steps=16
    ).areas()
    assert deletion.mean() < shuffled_deletion.mean() / 2
    assert insertion.mean() > 1.5 * shuffled_insertion.mean()


def test_areas_are_those_of_the_trapezoids(images):
    found = curves(images, torch.rand(6, 4, 4), steps=3)
    for curve, area in zip((found.deletion, found.insertion), found.areas(), strict=True):
        expected = [np.trapezoid(one, np.linspace(0, 1, 4)) for one in curve.numpy()]
        np.testing.assert_allclose(area.numpy(), expected, rtol=1e-6)


def test_equal_values_are_taken_in_random_order():
    """A flat map deletes no corner before the others."""
    images = torch.rand(400, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    taken = []

    def remember(pictures: torch.Tensor) -> torch.Tensor:
        taken.append(pictures)
        return pictures.mean((1, 2, 3))

    generator = torch.Generator().manual_seed(0)
    faithfulness_curves(remember, images, torch.ones(400, 2, 2), steps=4, generator=generator)
    changed = (taken[2] != images)[:, 0, ::4, ::4].float().mean(0)  # after one of four places
    assert changed.sum() == 1 and (changed - 0.25).abs().max() < 0.1


def test_shuffling_keeps_the_values_of_each_map():
    maps = torch.rand(5, 3, 4)
    shuffled = shuffle_places(maps, torch.Generator().manual_seed(0))
    assert not torch.equal(shuffled, maps)
    assert torch.equal(shuffled.flatten(1).sort().values, maps.flatten(1).sort().values)
