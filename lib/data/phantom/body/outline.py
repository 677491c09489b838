"""The outside of the patient: trunk with shoulders and neck, breasts, raised arms."""

import numpy as np

from lib.data.phantom.body.cage import Cage
from lib.data.phantom.body.chest import SIGN
from lib.data.phantom.patient import Patient
from lib.data.phantom.picture.shapes import Span, add_free_length, ellipsoid, stack

SHOULDERS = np.array(
    [
        *((-12.0, 9.0), (-7.0, 15.0), (-3.0, 16.8), (1.0, 18.0), (5.0, 19.2), (9.0, 20.4), (10.8, 20.2)),
        *((12.0, 18.6), (13.0, 15.6), (13.8, 12.4), (14.8, 9.6), (16.0, 7.6), (17.5, 6.4), (22.0, 5.8)),
    ],
    np.float32,
)
"""Height and half-width of the outline from below the armpits to the neck, arms down."""
RAISED = (4.5, 0.75)
"""How far the shoulders go up with the arms, cm, and what is left of their width."""


def trace_body(cage: Cage, patient: Patient) -> np.ndarray:
    """Return the path length through the patient, cm, float32 [S, S]."""
    rays, chest, scale = cage.rays, cage.chest, cage.chest.scale
    arms_up = rays.view.position == "LATERAL"
    body = np.zeros((rays.view.size, rays.view.size), np.float32)
    trunk = _trunk(cage, arms_up)
    body[trunk.window] += trunk.length()
    for sign in SIGN.values():
        if arms_up:
            arm = ellipsoid(rays, (sign * 13.0, 8.0, 18.5), (5.0, 5.5, 16.0), swing=0.8)
            add_free_length(body, arm, (trunk,), 1.0)
        if patient.sex == "F":
            front = chest.front(chest.relative_height(np.float32(-4.0 * scale)))
            size = 0.7 + 0.12 * chest.girth
            centre = (sign * 7.6 * scale, float(front) - 0.2, -5.0 * scale)
            breast = ellipsoid(rays, centre, (5.6 * size, 3.4 * size, 5.6 * size), swing=-0.45)
            add_free_length(body, breast, (trunk,), 1.0)
    return body


def _trunk(cage: Cage, arms_up: bool) -> Span:
    chest, scale, z = cage.chest, cage.chest.scale, cage.rays.up
    up, share = RAISED if arms_up else (0.0, 1.0)
    heights, widths = scale * SHOULDERS[:, 0] + up, share * scale * SHOULDERS[:, 1]

    belly = np.clip((-8.0 * scale - z) / (12.0 * scale), 0.0, 1.0) * (chest.girth - 1.5)
    wall = cage.outer + chest.girth + 1.0 + 0.5 * belly
    shoulder = np.interp(z, heights, widths, left=0.0)
    wide = 0.5 * (wall + shoulder + np.sqrt((wall - shoulder) ** 2 + 3.0))  # the larger, without a kink
    neck = np.clip((z - 9.5 * scale) / (7.5 * scale), 0.0, 1.0)
    neck = neck * neck * (3.0 - 2.0 * neck)
    front = (cage.middle + cage.deep + 0.8 * chest.girth + belly) * (1.0 - neck) + 5.5 * scale * neck
    back = (cage.back - 1.8 - 0.6 * chest.girth) * (1.0 - neck) - 9.3 * scale * neck
    middle, deep = 0.5 * (front + back), 0.5 * (front - back)
    fill = 0.25 + 0.6 * np.clip((9.0 * scale - z) / 6.0, 0.0, 1.0)

    def section(rows):
        return 0.0, middle[rows], wide[rows], deep[rows]

    return stack(cage.rays, -60.0, 40.0, section, fill=fill)
