"""Things that are not the patient's own, and old calcium."""

import numpy as np

from lib.data.phantom.picture.shapes import Rays, ellipsoid
from lib.data.phantom.picture.tubes import SOLID, draw_tubes, make_tubes
from lib.data.phantom.visit import Visit

METAL = 6.0
"""Of thin metal, cm of water per cm."""


def draw_devices(image: np.ndarray, rays: Rays, visit: Visit) -> None:
    """Add pacemaker, wires, catheter and granuloma of a study to a picture of path lengths."""
    chest, scale = visit.chest, visit.chest.scale
    if "granuloma" in visit.devices:
        draw = visit.patient.vessels
        place = (0.3 + 0.5 * (draw % 97) / 97, -0.5 + (draw % 89) / 89, 0.2 + 0.4 * (draw % 83) / 83)
        body = ellipsoid(rays, chest.lung_point(visit.granuloma_side, place), (0.32, 0.32, 0.32))
        image[body.window] += 3.0 * body.length()
    if "pacemaker" in visit.devices:
        front = float(chest.front(chest.relative_height(np.float32(6.5 * scale))))
        box = ellipsoid(rays, (8.6 * scale, front - 0.3, 6.3 * scale), (2.3, 0.45, 2.5), tilt=0.3)
        image[box.window] += 5.0 * box.length()
        x, y, z = chest.heart
        for end in ((x - 3.0, y, z + 2.0), (x + 2.8, y + 1.5, z - 3.0)):
            way = [
                (8.0 * scale, front - 0.6, 8.2 * scale),
                (5.5 * scale, 2.5, 9.6 * scale),
                (1.0, 1.5, 8.4 * scale),
            ]
            way += [(-1.9 * scale, 0.5, 6.0 * scale), (-2.1 * scale, 0.5, 1.0 * scale), end]
            draw_tubes(image, rays.view, make_tubes(_bend(way), 0.1, 0.1, METAL, SOLID))
    if "catheter" in visit.devices:
        way = [(-4.5 * scale, 2.0, 17.0), (-3.4 * scale, 1.5, 12.5 * scale), (-2.2 * scale, 1.0, 9.0 * scale)]
        way += [(-2.1 * scale, 0.8, 5.5 * scale), (-2.0 * scale, 0.6, 1.8 * scale)]
        draw_tubes(image, rays.view, make_tubes(_bend(way), 0.12, 0.12, 0.6 * METAL, SOLID))
    if "sternotomy" in visit.devices:
        turn = np.linspace(0.0, 2.0 * np.pi, 14, dtype=np.float32)
        z = scale * np.linspace(7.0, -5.5, 6, dtype=np.float32)[:, None]
        front = chest.front(chest.relative_height(z)) + 0.4
        loops = np.broadcast_arrays(
            0.9 * np.cos(turn), front + 0.5 * np.sin(turn), z + 0.5 * np.sin(2.0 * turn)
        )
        draw_tubes(image, rays.view, make_tubes(np.stack(loops, -1), 0.07, 0.07, METAL, SOLID))


def _bend(way: list[tuple[float, float, float]]) -> np.ndarray:
    """Return a smooth line through a few points, [1, nodes, 3]."""
    points = np.array(way)
    s = np.linspace(0.0, len(points) - 1.0, 8 * len(points))
    line = np.stack([np.interp(s, np.arange(len(points)), column) for column in points.T], -1)
    for _ in range(6):
        line[1:-1] = 0.25 * (line[:-2] + line[2:]) + 0.5 * line[1:-1]
    return line[None].astype(np.float32)
