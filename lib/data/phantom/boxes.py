"""Boxes around findings, from their extent in 3-D; three readers who differ a little."""

import math

from lib.data.phantom.body.chest import Chest
from lib.data.phantom.body.extents import Extent, extent
from lib.data.phantom.draw import Draw
from lib.data.phantom.findings import BEHIND_HEART, Finding
from lib.data.phantom.picture.viewpoint import Viewpoint
from lib.data.phantom.visit import Visit

READERS = {"R1": 0.96, "R2": 1.0, "R3": 1.07}
"""Reader -> how tightly that reader draws."""
HIDDEN_FLUID = 0.1
"""Effusions up to this amount stay behind the diaphragm on frontal views."""
LEAST_VISIBLE = 0.4
"""A box of which less than this share lies inside the picture is not drawn."""


def mark_findings(visit: Visit, view: Viewpoint, draw: Draw) -> list[tuple[str, str, tuple[float, ...]]]:
    """Return (reader, finding, (x0, y0, x1, y1)) of what shows in a view, in pixels, inside the picture."""
    marks = []
    for finding in visit.findings:
        if not is_visible(finding, view, visit.chest):
            continue
        outline = _project(extent(finding, visit.chest), view)
        for reader, loose in READERS.items():
            box = _clip(_redraw(outline, loose, draw, view), view.size)
            if box is not None:
                marks.append((reader, finding.name, box))
    return marks


def is_visible(finding: Finding, view: Viewpoint, chest: Chest) -> bool:
    """Say whether a careful reader sees a finding in a view.

    Frontal views hide what lies behind the heart and fluid that only fills the rear sulcus. Lateral views
    hide what the shoulders cover, broken ribs, and free air unless there is a lot.
    """
    is_lateral = view.position == "LATERAL"
    if finding.kind == BEHIND_HEART:
        return is_lateral or finding.amount > 0.6
    if finding.name == "Pleural Effusion":
        return is_lateral or finding.amount > HIDDEN_FLUID
    if finding.name == "Rib Fracture":
        return not is_lateral
    if finding.name == "Pneumothorax":
        return not is_lateral or finding.amount > 0.7
    if finding.zone == "upper" and is_lateral:
        return finding.place[2] > 0.2
    return True


def _project(body: Extent, view: Viewpoint) -> tuple[float, float, float, float]:
    centre, radii = body
    column, row = view.project(centre)
    depth = view.towards[0] * centre[0] + view.towards[1] * centre[1]
    scale = view.magnification(depth) * view.pixels_per_cm
    across = scale * math.hypot(view.right[0] * radii[0], view.right[1] * radii[1])
    return column - across, row - scale * radii[2], column + across, row + scale * radii[2]


def _redraw(outline: tuple, loose: float, draw: Draw, view: Viewpoint) -> tuple[float, ...]:
    x0, y0, x1, y1 = outline
    slip = 0.15 * view.pixels_per_cm
    wide, high = 0.5 * (x1 - x0), 0.5 * (y1 - y0)
    x, y = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    return (
        x - loose * wide + draw.bell(0.0, 0.05 * wide + slip),
        y - loose * high + draw.bell(0.0, 0.05 * high + slip),
        x + loose * wide + draw.bell(0.0, 0.05 * wide + slip),
        y + loose * high + draw.bell(0.0, 0.05 * high + slip),
    )


def _clip(box: tuple[float, ...], size: int) -> tuple[float, ...] | None:
    x0, y0, x1, y1 = box
    if x1 - x0 < 1.0 or y1 - y0 < 1.0:
        return None
    inner = max(x0, 0.0), max(y0, 0.0), min(x1, float(size)), min(y1, float(size))
    wide, high = inner[2] - inner[0], inner[3] - inner[1]
    if wide <= 0.0 or high <= 0.0 or wide * high < LEAST_VISIBLE * (x1 - x0) * (y1 - y0):
        return None
    return inner
