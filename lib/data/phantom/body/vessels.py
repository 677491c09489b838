"""The tree of lung vessels: drawn once per patient in relative coordinates, grown from the hilum outwards."""

import functools

import numpy as np

from lib.data.phantom.body.chest import SIGN, Chest
from lib.data.phantom.picture.tubes import SOLID, Tubes, make_tubes, pick_tubes

BRANCHES = (8, 3, 3, 3)
"""Children per vessel, from the hilum outwards."""
REACH = (0.30, 0.58, 0.82, 1.02)
"""How far on the way to the pleura each generation ends."""
RADII = (0.50, 0.29, 0.18, 0.10, 0.05)
"""At the root of each generation and at the end of the last, cm."""
DENSITY = (0.5, 0.7, 0.75, 0.75)
"""cm of water per cm, by generation."""
FIRST_SMALL = 2
"""The first generation of small vessels."""
NODES = 4
"""Points per vessel."""


def vessel_tubes(
    chest: Chest, seed: int, shrinks: tuple, *, wet: float, sparse: float
) -> tuple[Tubes, Tubes]:
    """Return the large and the small vessels of both lungs.

    Args:
        chest: the sizes.
        seed: of the patient's tree.
        shrinks: of the left and the right lung, heights -> share of the rib cage that it fills, or None.
        wet: factor on all radii.
        sparse: factor on the mass of the small vessels.
    """
    unit, generation = _unit_tree(seed)
    lines, inside = _place(chest, unit, shrinks)  # [2, vessels, nodes, 3], [2, vessels, nodes]
    roots, ends = np.array(RADII[:-1])[generation], np.array(RADII[1:])[generation]
    taper = wet * (roots[:, None] + (ends - roots)[:, None] * np.linspace(0.0, 1.0, NODES))
    is_small = generation >= FIRST_SMALL
    density = np.array(DENSITY)[generation] * np.where(is_small, sparse, 1.0)
    tubes = make_tubes(
        lines.reshape(-1, NODES, 3),
        np.tile(taper, (2, 1)),
        np.tile(taper, (2, 1)),
        (density[:, None] * inside).reshape(-1, NODES),
        SOLID,
    )
    is_small = np.tile(is_small, 2)
    return pick_tubes(tubes, ~is_small), pick_tubes(tubes, is_small)


@functools.lru_cache(maxsize=8)
def _unit_tree(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the vessels of both lungs, [2, vessels, nodes, 3], and their generations, [vessels].

    Coordinates count from the hilum: sideways to the ribs, to the front, up; 1 is the pleura.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    count = BRANCHES[0]
    turn = (np.arange(count) + 0.7 * draw.random((2, count))) * (2.0 * np.pi / count) + 0.3
    rise = 0.7 * np.cos(2.0 * turn + draw.random((2, 1)) * 6.0)
    heading = np.stack((0.45 + 0.6 * np.cos(turn), rise, np.sin(turn)), -1)  # a fan in the frontal plane
    start, generations = 0.12 * heading, []
    along = np.linspace(0.0, 1.0, NODES)[:, None]
    for depth, reach in enumerate(REACH):
        if depth:
            start = np.repeat(generations[-1][:, :, -1], BRANCHES[depth], 1)
            heading = np.repeat(heading, BRANCHES[depth], 1)
            heading = heading + (0.75 if depth == 1 else 0.6) * (2.0 * draw.random(heading.shape) - 1.0)
        heading = heading / np.maximum(np.sqrt((heading**2).sum(-1, keepdims=True)), 1e-6)
        length = reach * (0.85 + 0.3 * draw.random(heading.shape[:2]))[..., None]
        end = 0.5 * start + heading * (length - 0.5 * np.sqrt((start**2).sum(-1, keepdims=True)))
        way = (end - start)[:, :, None]
        bend = 0.12 * np.sin(np.pi * along) * way[..., ::-1]
        generations.append(start[:, :, None] + along * way + bend)
    counts = [part.shape[1] for part in generations]
    return np.concatenate(generations, 1).astype(np.float32), np.repeat(np.arange(len(counts)), counts)


def _place(chest: Chest, unit: np.ndarray, shrinks: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Return centre lines [2, vessels, nodes, 3] in cm, and which nodes are inside the lung, bool."""
    scale = chest.scale
    z = scale * (1.5 + unit[..., 2] * np.where(unit[..., 2] > 0, np.float32(10.0), np.float32(11.5)))
    t = chest.relative_height(z)
    front, back, outer = chest.front(t), chest.back(t), chest.outer(t)
    hilum = 3.4 * scale
    x = hilum + unit[..., 0] * (0.96 * chest.width - hilum)
    y = -0.8 * scale + unit[..., 1] * (8.0 * chest.depth)
    across = (2.0 * y - front - back) / (front - back)
    top = np.array([chest.dome[1], chest.dome[0]], np.float32)[:, None, None]
    reach = np.full(x.shape, 0.96, np.float32)
    for lung, shrink in enumerate(shrinks):
        if shrink is not None:
            reach[lung] *= shrink(z[lung]) ** 2
    inside = ((x / outer) ** 2 + across**2 < reach) & (z > chest.dome_surface(top, x, y))
    x[1] *= SIGN["right"]
    return np.stack((x, y, z), -1), inside
