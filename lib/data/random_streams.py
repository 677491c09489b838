"""The random numbers of loaders: they follow from what they are for and from the position in the training."""

import numpy as np

PURPOSES = ("order", "batch", "text")


def random_stream(purpose: str, seed: int, epoch: int, step: int) -> np.random.Generator:
    """Return the random numbers of one purpose at one position of the training."""
    # The purpose comes first: trailing zeros do not change a seed sequence.
    return np.random.default_rng(np.random.SeedSequence([PURPOSES.index(purpose) + 1, seed, epoch, step]))
