"""Curves are monotone functions, equal a naive double, and half of them fall."""

import numpy as np
import pytest
import torch
from pictures_to_distort import seeded

from lib.data.distortions.bezier import LEVELS, Curves, bend_intensities_, curve_tables, draw_curves


def naive(
    values: np.ndarray, control: list[list[float]], is_falling: bool, samples: int = 20_000
) -> np.ndarray:
    """Bend as the published code does: points from the end to the beginning, x sorted, y where it rises."""
    points = [(0.0, 0.0), *control, (1.0, 1.0)]
    t = np.linspace(1, 0, samples)
    weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]
    x, y = (sum(w * p[axis] for w, p in zip(weights, points, strict=True)) for axis in (0, 1))
    return np.interp(values, np.sort(x), y if is_falling else np.sort(y))


def test_equals_a_naive_double():
    curves = draw_curves(24, seeded())
    tables = curve_tables(curves)
    levels = np.linspace(0, 1, LEVELS)
    for table, control, is_falling in zip(tables, *curves, strict=True):
        expected = naive(levels, control.tolist(), bool(is_falling))
        np.testing.assert_allclose(table.numpy(), expected, atol=1e-3)


def test_every_curve_is_monotone_from_end_to_end():
    """The corners of the unit square too, where curves are steepest and turn back if any does."""
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 0.5, 1.0])] * 4).view(-1, 2, 2)
    control = torch.cat([corners, draw_curves(100, seeded()).control])
    for is_falling in (False, True):
        tables = curve_tables(Curves(control, torch.full((len(control),), is_falling)))
        steps = tables.diff(dim=1) * (-1 if is_falling else 1)
        assert steps.min() >= -1e-6
        ends = torch.tensor([1.0, 0.0] if is_falling else [0.0, 1.0])
        torch.testing.assert_close(tables[:, [0, -1]], ends.expand(len(tables), 2), atol=1e-6, rtol=0)


def test_a_straight_curve_changes_nothing_or_inverts():
    """Control points on the diagonal, at a third each, make y(t) = x(t) = t."""
    control = torch.tensor([[1 / 3, 1 / 3], [2 / 3, 2 / 3]]).expand(2, 2, 2)
    pictures = (torch.arange(LEVELS) / (LEVELS - 1)).view(1, 1, 16, -1).expand(2, 1, 16, -1)
    bent = bend_intensities_(pictures.clone(), Curves(control, torch.tensor([False, True])))
    torch.testing.assert_close(bent[0], pictures[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(bent[1], 1 - pictures[1], atol=1e-5, rtol=0)


def test_a_picture_passes_through_its_own_curve():
    curves, pictures = draw_curves(8, seeded()), torch.rand(8, 1, 13, 9, generator=seeded(1))
    bent = bend_intensities_(pictures.clone(), curves)
    for picture, found, control, is_falling in zip(pictures, bent, *curves, strict=True):
        rounded = np.round(picture.numpy() * (LEVELS - 1)) / (LEVELS - 1)
        np.testing.assert_allclose(found, naive(rounded, control.tolist(), bool(is_falling)), atol=1e-3)
    whole = bend_intensities_(torch.tensor([0.0, 1.0]).view(1, 1, 1, 2), Curves(*(v[:1] for v in curves)))
    assert sorted(whole.flatten().tolist()) == pytest.approx([0.0, 1.0], abs=1e-6)


def test_control_points_fill_the_square_and_half_of_the_curves_fall():
    curves = draw_curves(4000, seeded())
    assert curves.control.shape == (4000, 2, 2)
    torch.testing.assert_close(curves.control.mean(0), torch.full((2, 2), 0.5), atol=0.025, rtol=0)
    assert 0 <= curves.control.min() < 0.001 and 0.999 < curves.control.max() <= 1
    assert abs(curves.is_falling.float().mean() - 0.5) < 0.04  # five deviations


def test_the_same_seed_gives_the_same_curves():
    draws = [draw_curves(5, seeded(seed)) for seed in (1, 1, 2)]
    assert all(map(torch.equal, draws[0], draws[1]))
    assert not torch.equal(draws[0].control, draws[2].control)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_cpu_and_gpu_agree():
    curves, pictures = draw_curves(8, seeded()), torch.rand(8, 1, 40, 40, generator=seeded(1))
    on_gpu = bend_intensities_(pictures.cuda(), curves).cpu()
    torch.testing.assert_close(on_gpu, bend_intensities_(pictures.clone(), curves), atol=1e-4, rtol=0)
