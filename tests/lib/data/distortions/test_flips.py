"""Flips mirror what they say, and come as often as published."""

import pytest
import torch
from pictures_to_distort import numbered, seeded

from lib.data.distortions.flips import draw_flips, flip


def test_each_picture_is_mirrored_along_its_axes():
    pictures = numbered(4, 3, 5)
    before = pictures.clone()
    flips = torch.tensor([[False, False], [True, False], [False, True], [True, True]])
    flipped = flip(pictures, flips)
    expected = [pictures[0], pictures[1].flip(1), pictures[2].flip(2), pictures[3].flip(1, 2)]
    assert torch.equal(flipped, torch.stack(expected)) and torch.equal(pictures, before)
    assert torch.equal(flip(flipped, flips), pictures)


def test_as_many_flips_as_chance_gives():
    """One flip at most: 0.4, half on each axis. Three: 0.4, then again; two of an axis undo each other."""
    draws = 20_000
    once = draw_flips(draws, 0.4, 1, seeded()).double()
    assert once.mean(0).tolist() == pytest.approx([0.2, 0.2], abs=0.015)
    assert not (once.sum(1) > 1).any()
    # k flips with chances 0.6, 0.24, 0.096, 0.064; of k flips the rows' are odd in half of all cases.
    three = draw_flips(draws, 0.4, 3, seeded())
    assert three.double().mean(0).tolist() == pytest.approx([0.2, 0.2], abs=0.015)
    both = three.all(1).double().mean()
    assert both == pytest.approx(0.096 / 2, abs=0.008)  # of two flips, one on each axis


@pytest.mark.parametrize("probability, most", [(0.0, 3), (1.0, 0)])
def test_no_flips(probability, most):
    assert not draw_flips(50, probability, most, seeded()).any()


def test_the_same_seed_gives_the_same_flips():
    draws = [draw_flips(40, 0.4, 3, seeded(seed)) for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
