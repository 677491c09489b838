"""Elastic deformation moves pixels smoothly, as far as wanted, and makes no new greys."""

import numpy as np
import pytest
import scipy.ndimage
import torch
from pictures_to_distort import seeded

from lib.data.distortions.elastic import REACH, deform, draw_nodes, places

SIDES = (24, 32)


def displacements(nodes: torch.Tensor, sides: tuple[int, int], displacement: float, smoothness: float):
    """Return by how much each pixel is displaced, to the right and down, as shares of the sides."""
    found, own = (places(one, sides, displacement, smoothness) for one in (nodes, torch.zeros_like(nodes)))
    return (found - own) / 2


def naive_field(nodes: np.ndarray, side: tuple[int, int], displacement: float, smoothness: float):
    """Sum the bumps one by one, and divide by the root of the sum of their squared heights of 1."""
    field = np.zeros(side)
    for row in range(side[0]):
        for column in range(side[1]):
            y, x = (row + 0.5) / side[0], (column + 0.5) / side[1]
            total = squares = 0.0
            for i in range(nodes.shape[0]):
                for j in range(nodes.shape[1]):
                    dy, dx = y - (i - REACH) * smoothness, x - (j - REACH) * smoothness
                    bump = np.exp(-(dy**2 + dx**2) / (2 * smoothness**2))
                    total, squares = total + nodes[i, j] * bump, squares + bump**2
            field[row, column] = displacement * total / squares**0.5
    return field


def test_the_field_equals_a_naive_double():
    nodes = draw_nodes(2, 0.3, seeded())
    found = displacements(nodes, (5, 7), 0.06, 0.3)
    expected = [[naive_field(axis.numpy(), (5, 7), 0.06, 0.3) for axis in both] for both in nodes]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_every_pixel_moves_as_far_as_wanted_and_like_its_neighbours():
    """The correlation of smoothed noise at a distance d is exp(-d^2 / (4 smoothness^2))."""
    smoothness, side = 0.125, 32
    fields = displacements(draw_nodes(3000, smoothness, seeded()), (side, side), 0.06, smoothness)
    fields = fields.flatten(0, 1)  # [6000, H, W]
    deviations = fields.std(dim=0)
    assert deviations.min() > 0.057 and deviations.max() < 0.063  # five deviations of 6000 draws
    for lag in (1, 4, 8):
        for one, other in (
            (fields[:, 5, 6], fields[:, 5, 6 + lag]),
            (fields[:, 0, 0], fields[:, lag, 0]),
        ):
            found = torch.corrcoef(torch.stack([one, other]))[0, 1].item()
            assert found == pytest.approx(np.exp(-((lag / side) ** 2) / (4 * smoothness**2)), abs=0.05)
    both = displacements(draw_nodes(3000, smoothness, seeded()), (side, side), 0.06, smoothness)
    assert abs(torch.corrcoef(both[:, :, 9, 9].T)[0, 1]) < 0.1  # right and down do not depend on each other


def test_pixels_are_taken_from_where_the_field_says():
    pictures, nodes = torch.rand(3, 1, *SIDES, generator=seeded(1)), draw_nodes(3, 0.2, seeded())
    fields = displacements(nodes, SIDES, 0.1, 0.2).double().numpy()
    rows, columns = np.mgrid[: SIDES[0], : SIDES[1]]
    found = deform(pictures, nodes, 0.1, 0.2)
    for picture, deformed, (right, down) in zip(pictures[:, 0], found[:, 0], fields, strict=True):
        places = [rows + down * SIDES[0], columns + right * SIDES[1]]
        expected = scipy.ndimage.map_coordinates(picture.double().numpy(), places, order=1, mode="reflect")
        np.testing.assert_allclose(deformed.numpy(), expected, atol=1e-4)


def test_no_new_greys():
    pictures = torch.rand(8, 1, *SIDES, generator=seeded(1)) * 0.5 + 0.2
    deformed = deform(pictures, draw_nodes(8, 0.125, seeded()), 0.3, 0.125)
    assert deformed.min() >= pictures.min() - 1e-6 and deformed.max() <= pictures.max() + 1e-6
    assert ((deformed - pictures).flatten(1).abs().mean(1) > 0.05).all()


def test_no_displacement_is_the_picture_itself():
    pictures = torch.rand(4, 1, *SIDES, generator=seeded(1))
    torch.testing.assert_close(deform(pictures, draw_nodes(4, 0.125, seeded()), 0.0, 0.125), pictures)


def test_without_nodes_every_pixel_stays_in_its_middle():
    right, down = places(torch.zeros_like(draw_nodes(2, 0.3, seeded())), (4, 5), 0.1, 0.3).unbind(1)
    torch.testing.assert_close(right, torch.linspace(-0.8, 0.8, 5).expand(2, 4, 5))
    torch.testing.assert_close(down, torch.linspace(-0.75, 0.75, 4)[:, None].expand(2, 4, 5))


def test_mixed_precision_moves_pixels_alike():
    nodes = draw_nodes(2, 0.125, seeded())
    with torch.autocast("cpu", torch.bfloat16):
        found = places(nodes, SIDES, 0.06, 0.125)
    assert torch.equal(found, places(nodes, SIDES, 0.06, 0.125))
