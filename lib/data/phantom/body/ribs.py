"""The course of the ribs: the same formula for whole skeletons and for one broken place."""

import numpy as np

from lib.data.phantom.body.chest import SIGN, Chest

NUM_RIBS = 12
LEVELS = np.arange(NUM_RIBS)
REACH = np.array([2.70, 2.62, 2.56, 2.50, 2.45, 2.40, 2.35, 2.27, 2.20, 2.05, 1.60, 1.20])
"""Angle in radians from the spine to the end of each rib, as seen from above."""
DROP = np.array([3.4, 4.3, 5.2, 5.9, 6.6, 7.4, 7.6, 7.9, 8.2, 7.4, 6.2, 5.0])
"""How much lower its end is than its head, cm."""


def rib_line(chest: Chest, side: str, number, along) -> tuple:
    """Return x, y, z on the centre line of a rib.

    Args:
        chest: the sizes.
        side: "left" or "right".
        number: 1..12, int or array.
        along: 0 at the spine to 1 at the cartilage, float or array that broadcasts with `number`.
    """
    scale = chest.scale
    index = number - 1
    head = chest.apex + 0.6 * scale - index * ((chest.apex - chest.base) / 12.3)
    angle = 0.16 + along * (REACH[index] - 0.16)
    z = head - DROP[index] * chest.rib_slope * scale * (0.15 * along + 0.85 * along**1.7)
    t = np.minimum(np.maximum((chest.apex - z) / (chest.apex - chest.base), 0.0), 1.0)
    front, back = chest.front(t), chest.back(t)
    x = SIGN[side] * (chest.outer(t) + 0.35) * np.sin(angle)
    return x, 0.5 * (front + back) - (0.5 * (front - back) + 0.35) * np.cos(angle), z
