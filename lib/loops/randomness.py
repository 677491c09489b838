"""The generators of random numbers that a training step may use: Python, NumPy, torch on every device."""

import random
from typing import Any

import numpy as np
import torch


def seed_generators(seed: int) -> None:
    """Start all generators from one seed; initial weights and dropout follow from it."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def random_states() -> dict[str, Any]:
    """Return the states of all random generators that a training step may use."""
    algorithm, keys, *position = np.random.get_state()
    version, internal, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [algorithm, torch.from_numpy(keys.astype(np.int64)), *position],
        "python": [version, list(internal), gauss],
    }


def restore_random_states(states: dict[str, Any]) -> None:
    """Put the generators back to where `random_states` found them."""
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
    algorithm, keys, *position = states["numpy"]
    np.random.set_state((algorithm, keys.numpy().astype(np.uint32), *position))
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
