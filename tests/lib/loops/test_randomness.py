import random

import numpy as np
import torch

from lib.loops.checkpoint import load_state, save_state
from lib.loops.randomness import random_states, restore_random_states, seed_generators


def draw():
    return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random(), np.random.standard_normal()


def test_random_states_survive_the_file(tmp_path):
    np.random.standard_normal()  # leaves a second number cached
    random.gauss(0, 1)
    save_state(tmp_path / "last.pt", random_states())
    expected = draw()
    assert draw() != expected
    restore_random_states(load_state(tmp_path / "last.pt"))
    assert draw() == expected


def test_one_seed_starts_all_generators():
    seed_generators(3)
    expected = draw()
    assert draw() != expected
    seed_generators(3)
    assert draw() == expected
    seed_generators(4)
    assert all(a != b for a, b in zip(draw(), expected, strict=True))
