"""Random draws that stay the same on every platform and Python version."""

import random
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Draw:
    """A seeded stream; only `random.random()` is used, whose sequence Python guarantees.

    Args:
        key: what the stream is for; another key gives an independent stream.
    """

    def __init__(self, *key: str | int):
        self._random = random.Random("/".join(map(str, key))).random

    def arrays(self) -> np.random.Generator:
        """Return a generator of whole arrays, seeded with the next draw."""
        return np.random.Generator(np.random.PCG64(int(self._random() * 2**53)))

    def unit(self) -> float:
        """Draw uniformly from [0, 1)."""
        return self._random()

    def uniform(self, low: float, high: float) -> float:
        """Draw uniformly from [low, high)."""
        return low + (high - low) * self._random()

    def bell(self, mean: float, spread: float) -> float:
        """Draw from a bounded bell with this standard deviation; never further than 3 of them."""
        draw = self._random
        return mean + spread * 2.0 * (draw() + draw() + draw() - 1.5)

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self._random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """Draw one item, all equally likely."""
        return items[int(self._random() * len(items))]

    def weighted(self, items: Sequence[T], weights: Sequence[float]) -> T:
        """Draw one item by weights that add up to 1."""
        level = self._random()
        for item, weight in zip(items, weights, strict=True):
            level -= weight
            if level < 0:
                return item
        return items[-1]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in random order."""
        return sorted(items, key=lambda _: self._random())
