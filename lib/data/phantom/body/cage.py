"""The rib cage seen from inside, at the height of every row of a picture."""

import dataclasses
from collections.abc import Callable

import numpy as np

from lib.data.phantom.body.chest import Chest
from lib.data.phantom.picture.shapes import Rays, Span, stack


@dataclasses.dataclass(frozen=True)
class Cage:
    """Outline of the chest cavity, worked out once per view.

    Attributes:
        rays: of the view.
        chest: the sizes.
        t: height of each row as in `Finding.place`, clipped to [0, 1], [S].
        middle: y half way between front and back wall, [S].
        deep: half the distance between them, [S].
        outer: half-width, [S].
    """

    rays: Rays
    chest: Chest
    t: np.ndarray
    middle: np.ndarray
    deep: np.ndarray
    outer: np.ndarray

    @property
    def back(self) -> np.ndarray:
        """Return y of the inside of the back wall, [S]."""
        return self.middle - self.deep

    def inside(self, shrink: Callable | None = None) -> Span:
        """Cut the whole cavity, or a part of the same shape.

        Args:
            shrink: heights [rows] -> share of the half-width and half-depth that is left; None for all.
        """

        def section(rows):
            share = 1.0 if shrink is None else shrink(self.rays.up[rows])
            return 0.0, self.middle[rows], share * self.outer[rows], share * self.deep[rows]

        return stack(self.rays, self.chest.base, self.chest.apex, section)


def measure_cage(rays: Rays, chest: Chest) -> Cage:
    """Work out the outline for the rows of a view."""
    t = chest.relative_height(rays.up)
    front, back = chest.front(t), chest.back(t)
    return Cage(rays, chest, t, 0.5 * (front + back), 0.5 * (front - back), chest.outer(t))
