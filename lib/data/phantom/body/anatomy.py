"""Soft parts of the healthy chest as bodies that rays cross."""

import dataclasses

import numpy as np

from lib.data.phantom.body.cage import Cage, measure_cage
from lib.data.phantom.body.chest import DOME_CENTRE, DOME_RADII, HEART_TILT, SIGN, Chest
from lib.data.phantom.body.outline import trace_body
from lib.data.phantom.patient import Patient
from lib.data.phantom.picture.shapes import Rays, Span, ellipsoid, hull, stack

MEDIASTINUM = np.array(
    [
        (-18.0, -1.9, 2.2), (-8.0, -1.6, 1.9), (-3.0, -1.6, 1.9), (-0.5, -2.2, 2.3), (1.5, -2.7, 2.8),
        (3.5, -2.8, 2.7), (5.0, -2.8, 2.5), (8.0, -2.6, 2.3), (11.0, -2.6, 2.6), (13.5, -3.2, 3.4),
    ],
    np.float32,
)  # fmt: skip
"""Height, right and left border of what lies between the lungs, without heart and aortic arch."""
JUNCTION = 0.5
"""How close to the midline the lungs come, cm."""


@dataclasses.dataclass(frozen=True)
class SoftParts:
    """The bodies of one view.

    Attributes:
        cage: outline of the chest cavity.
        body: path length through the patient, cm, float32 [S, S].
        lungs: side -> the space inside the pleura, before the heart and the diaphragm cut it.
        core: heart, aortic arch and what else lies between the lungs; they touch, so each ray crosses
            one interval.
        dome: side -> what lies under the diaphragm.
        airway: trachea and main bronchi.
        stomach: the air bubble in it.
    """

    cage: Cage
    body: np.ndarray
    lungs: dict[str, Span]
    core: Span
    dome: dict[str, Span]
    airway: tuple[Span, ...]
    stomach: Span

    def blockers(self, side: str) -> tuple[Span, ...]:
        """Return what cuts the lung of a side."""
        return self.dome[side], self.core


def build_soft_parts(rays: Rays, chest: Chest, patient: Patient) -> SoftParts:
    """Place the healthy organs of a patient in one view."""
    scale = chest.scale
    cage = measure_cage(rays, chest)
    inside = cage.inside()
    bubble = (5.8 * scale, 2.0, chest.dome[1] - 2.4)
    return SoftParts(
        cage=cage,
        body=trace_body(cage, patient),
        lungs={side: _pleural_space(cage, inside, side) for side in SIGN},
        core=hull(
            rays,
            _middle(cage),
            *_heart(rays, chest),
            _arch(rays, scale, patient.aorta),
        ),
        dome={side: _dome(rays, chest, side) for side in SIGN},
        airway=_airway(rays, scale),
        stomach=ellipsoid(rays, bubble, (2.6, 2.2, 1.1), tilt=0.15),
    )


def _pleural_space(cage: Cage, inside: Span, side: str) -> Span:
    rays, chest, sign = cage.rays, cage.chest, SIGN[side]

    def rounding(rows):
        t = cage.t[rows]
        top = np.sqrt(1.0 - (1.0 - np.minimum(t / 0.35, 1.0)) ** 2)
        x = chest.width * (0.36 + 0.12 * np.minimum(t / 0.5, 1.0))
        return sign * x, cage.middle[rows], top * (chest.width - x + 1.5), top * (cage.deep[rows] + 2.0)

    half = inside.meet(stack(rays, chest.base, chest.apex, rounding))
    return half.beyond(rays, sign, sign * JUNCTION * chest.scale)


def _dome(rays: Rays, chest: Chest, side: str) -> Span:
    sign, scale = SIGN[side], chest.scale
    top = chest.dome[0] if side == "right" else chest.dome[1]
    rim = top - chest.dome_height

    def section(rows):
        rise = np.clip((rays.up[rows] - rim) / chest.dome_height, 0.0, 1.0)
        spread = np.sqrt(1.0 - rise * rise)
        return (
            sign * DOME_CENTRE[0] * scale,
            DOME_CENTRE[1] * chest.depth,
            DOME_RADII[0] * scale * spread,
            DOME_RADII[1] * chest.depth * spread,
        )

    return stack(rays, chest.base, top, section)


def _middle(cage: Cage) -> Span:
    rays, chest = cage.rays, cage.chest
    heights, right, left = (MEDIASTINUM * chest.scale).T
    grow = 0.5 * chest.heart_scale**0.5

    def section(rows):
        z = rays.up[rows]
        start, stop = np.interp(z, heights, right), np.interp(z, heights, left)
        return grow * (start + stop), -2.2 * chest.depth, grow * (stop - start), 0.74 * cage.deep[rows]

    return stack(rays, chest.base, chest.apex + 1.0, section)


def _heart(rays: Rays, chest: Chest) -> tuple[Span, Span]:
    """Cut the ventricles, and the atria with the root of the great vessels."""
    x, y, z = chest.heart
    size = chest.scale * chest.heart_scale**0.5
    base = (0.35 * x, y - 1.0, z + 0.86 * chest.heart_radii[2])
    return (
        ellipsoid(rays, chest.heart, chest.heart_radii, tilt=HEART_TILT, swing=0.2),
        ellipsoid(rays, base, (3.3 * size, 3.6 * size, 4.5 * size), tilt=0.1, swing=-0.15),
    )


def _arch(rays: Rays, scale: float, unfolded: float) -> Span:
    wide = scale * (1.0 + 0.35 * unfolded)
    centre = (1.3 * wide, -1.0, (5.4 + 0.5 * unfolded) * scale)
    return ellipsoid(rays, centre, (2.3 * wide, 4.2 * scale, 2.0 * wide))


def _airway(rays: Rays, scale: float) -> tuple[Span, ...]:
    def trachea(rows):
        down = np.clip((16.0 * scale - rays.up[rows]) / (13.0 * scale), 0.0, 1.0)
        return -0.35 * down * scale, (-1.2 - 2.6 * down) * scale, 0.85 * scale, 0.8 * scale

    right = ellipsoid(rays, (-1.7 * scale, -3.9 * scale, 2.3 * scale), (2.4, 0.6, 0.6), tilt=-0.65)
    left = ellipsoid(rays, (1.9 * scale, -3.9 * scale, 2.4 * scale), (2.6, 0.5, 0.5), tilt=0.5)
    return stack(rays, 3.2 * scale, 22.0, trachea), right, left
