"""Bones: ribs, shoulders, breast bone and the processes of the spine as tubes; vertebrae as a stack."""

import numpy as np

from lib.data.phantom.body.cage import Cage
from lib.data.phantom.body.chest import SIGN, Chest
from lib.data.phantom.body.ribs import NUM_RIBS, rib_line
from lib.data.phantom.findings import Finding
from lib.data.phantom.picture.shapes import stack
from lib.data.phantom.picture.tubes import HOLLOW, Tubes, join_tubes, make_tubes
from lib.data.phantom.visit import Visit

NODES = 36
ALONG = np.linspace(0.0, 1.0, NODES, dtype=np.float32)
"""From the start to the end of a bone."""
PROCESS_NODES = 4
"""Points on what sticks out of a vertebra; as many as vessels have, to be drawn with them."""
DISC_PITCH = 2.45
"""From one disc to the next, cm, at scale 1."""


def long_bones(chest: Chest, findings: tuple[Finding, ...], *, arms_up: bool) -> Tubes:
    """Return ribs, collar bones, shoulder blades and breast bone; the blades swing away with the arms."""
    parts = [_ribs(chest, findings), _collar_bones(chest), _breast_bone(chest)]
    return join_tubes(parts if arms_up else [*parts, _shoulder_blades(chest)])


def _ribs(chest: Chest, findings: tuple[Finding, ...]) -> Tubes:
    number = np.arange(1, NUM_RIBS + 1)[:, None]
    lines, densities = [], []
    whole = np.stack(rib_line(chest, "left", number, ALONG[None, :]), -1)  # [ribs, nodes, 3]
    for side, sign in SIGN.items():
        broken = [finding for finding in findings if finding.name == "Rib Fracture" and finding.side == side]
        kept = np.isin(number[:, 0], [finding.rib for finding in broken], invert=True)
        lines.append(whole[kept] * np.array([sign, 1.0, 1.0]))
        densities.append(np.tile(1.0 - 0.35 * ALONG, (int(kept.sum()), 1)))
        for finding in broken:  # two pieces with a gap and a step
            for start, stop, slip in (
                (0.0, finding.place[0] - 0.01, 0.0),
                (finding.place[0] + 0.01, 1.0, 1.0),
            ):
                part = start + (stop - start) * ALONG
                x, y, z = rib_line(chest, side, np.array([[finding.rib]]), part[None, :])
                z = z - slip * (0.5 + 0.7 * finding.amount) * (1.0 - 0.6 * ALONG)
                lines.append(np.stack((x, y, z), -1))
                densities.append((1.25 - 0.35 * part)[None, :])
    density = np.concatenate(densities)
    return make_tubes(np.concatenate(lines), 0.62 * chest.scale, 0.36 * chest.scale, density, HOLLOW)


def _collar_bones(chest: Chest) -> Tubes:
    s, wave = ALONG, np.sin(2 * np.pi * ALONG)
    line = np.stack((2.0 + 14.0 * s, 4.4 - 6.0 * s + 1.3 * wave, 9.4 + 2.4 * s + 0.45 * wave), -1)
    return make_tubes(chest.scale * _both(line), 0.62 * chest.scale, 0.55 * chest.scale, 1.2, HOLLOW)


def _shoulder_blades(chest: Chest) -> Tubes:
    s, scale = ALONG, chest.scale
    inner = np.stack((10.2 + 3.4 * s**2, -8.6 + 0.8 * s, 8.5 - 11.5 * s), -1)
    outer = np.stack((15.6 - 2.0 * s**0.8, -4.0 - 3.8 * s, 8.6 - 11.6 * s), -1)
    spine = np.stack((10.5 + 6.3 * s, -8.6 + 4.6 * s, 7.0 + 4.9 * s), -1)
    thick = np.repeat([[0.3], [0.5], [0.4]], 2, axis=0) * scale
    density = np.repeat([[0.7], [0.6], [0.5]], 2, axis=0) * np.minimum(
        1.0, 4.0 * np.minimum(s + 0.03, 1.03 - s)
    )
    lines = scale * np.concatenate([_both(line) for line in (inner, outer, spine)])
    return make_tubes(lines, thick, thick, density, HOLLOW)


def _breast_bone(chest: Chest) -> Tubes:
    # A plate in the front wall: tubes side by side, thin from the side and wide from the front.
    z = (8.8 - 16.0 * ALONG) * chest.scale
    front = chest.front(chest.relative_height(z)) + 0.5
    shifts = np.array([-1.2, -0.4, 0.4, 1.2])[:, None]
    lines = np.stack(np.broadcast_arrays(shifts, front, z), -1)
    return make_tubes(lines, 0.5, 0.45 * chest.scale, 0.35, HOLLOW)


def vertebral_processes(visit: Visit) -> Tubes:
    """Return what sticks out of the vertebrae: to both sides and to the back."""
    chest, scale = visit.chest, visit.chest.scale
    z = DISC_PITCH * scale * np.arange(-8, 7)[:, None]
    t = chest.relative_height(z)
    s = np.linspace(0.0, 1.0, PROCESS_NODES)[None, :]
    x, y = visit.patient.scoliosis * np.sin(2.5 * t), chest.back(t)
    parts = []
    for sign in SIGN.values():
        line = np.stack(np.broadcast_arrays(x + sign * scale * (0.9 + 1.8 * s), y - 0.6 * s, z), -1)
        parts.append(make_tubes(line, (0.75 - 0.4 * s) * scale, 0.4 * scale, 0.35, HOLLOW))
    line = np.stack(np.broadcast_arrays(x, y - 0.4 - 3.0 * s, z - 1.6 * s), -1)
    return join_tubes([*parts, make_tubes(line, 0.7 * scale, 0.25 * scale, 0.5, HOLLOW)])


def draw_vertebrae(image: np.ndarray, cage: Cage, visit: Visit) -> None:
    """Add the vertebral bodies with their discs to a picture of path lengths, float32 [S, S], in place."""
    rays, patient, scale = cage.rays, visit.patient, visit.chest.scale
    level = np.abs(np.mod(rays.up / (DISC_PITCH * scale), 1.0) - 0.5)  # 0 amid a body, 0.5 in the disc
    waist = (1.55 + 0.5 * level) * scale * (0.85 + 0.3 * cage.t)
    x, y = patient.scoliosis * np.sin(2.5 * cage.t), cage.back + 2.2 * scale
    worn = 0.35 if "spondylosis" in patient.devices else 0.2
    bone = (
        0.36 * np.clip((0.42 - level) * 14.0, 0.0, 1.0)
        + worn * np.exp(-(((level - 0.38) / 0.05) ** 2))
        + 0.02
    )
    bone *= np.clip((17.0 * scale - rays.up) / (6.0 * scale), 0.4, 1.0)  # the neck's are small

    def section(rows):
        return x[rows], y[rows], waist[rows], 0.95 * waist[rows]

    span = stack(rays, -40.0, 30.0, section)
    image[span.window] += span.length() * bone[span.window[0], None]


def _both(line: np.ndarray) -> np.ndarray:
    """Return a line of the left side and its mirror image, [2, nodes, 3]."""
    return np.stack((line, line * np.array([-1.0, 1.0, 1.0])))
