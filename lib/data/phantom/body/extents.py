"""How far findings reach, in closed form; pictures and boxes share these numbers."""

import math

from lib.data.phantom.body.chest import HEART_TILT, SIGN, Chest
from lib.data.phantom.body.ribs import rib_line
from lib.data.phantom.findings import Finding

Extent = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Centre and half-axes along x, y and z, cm."""


def effusion_top(finding: Finding, chest: Chest) -> float:
    """Return the height that fluid reaches along the chest wall, cm."""
    dome = chest.dome[0 if finding.side == "right" else 1]
    return dome + chest.scale * (-3.2 + 14.0 * finding.amount**0.75)


def pneumothorax_bottom(finding: Finding, chest: Chest) -> float:
    """Return the height down to which free air shows along the chest wall, cm."""
    return chest.height(0.38 + 0.45 * finding.amount)


def plate_tilt(finding: Finding) -> float:
    """Return the slope in radians of a plate of collapsed lung, down on the patient's left."""
    return (0.5 - finding.amount) * 0.7


def extent(finding: Finding, chest: Chest) -> Extent:
    """Return the box in space that a finding fills."""
    sign = SIGN.get(finding.side, 0.0)
    if finding.name == "Cardiomegaly":
        long, deep, short = chest.heart_radii
        cos, sin = math.cos(HEART_TILT), math.sin(HEART_TILT)
        return chest.heart, (math.hypot(long * cos, short * sin), deep, math.hypot(long * sin, short * cos))
    if finding.name == "Rib Fracture":
        x, y, z = rib_line(chest, finding.side, finding.rib, finding.place[0])
        return (float(x), float(y), float(z)), (1.5, 1.5, 1.3)
    if finding.name == "Pleural Effusion":
        dome = chest.dome[0 if finding.side == "right" else 1]
        bottom = dome - 0.5 * chest.dome_height
        return _region(chest, sign, (2.2 * chest.scale, chest.width), bottom, effusion_top(finding, chest))
    if finding.name == "Pneumothorax":
        return _region(
            chest, sign, (2.8 * chest.scale, chest.width), pneumothorax_bottom(finding, chest), chest.apex
        )
    if finding.name == "Edema":
        return _region(chest, 0.0, (0.0, 0.75 * chest.width), chest.height(0.66), chest.height(0.2))
    if finding.name == "Emphysema":
        return _region(chest, 0.0, (0.0, chest.width), chest.height(0.85), chest.apex)
    centre = chest.lung_point(finding.side, finding.place)
    if finding.kind == "plate":
        wide, deep, thin = finding.size
        cos, sin = math.cos(plate_tilt(finding)), math.sin(plate_tilt(finding))
        return centre, (math.hypot(wide * cos, thin * sin), deep, math.hypot(wide * sin, thin * cos))
    return centre, finding.size


def _region(chest: Chest, sign: float, reach: tuple[float, float], bottom: float, top: float) -> Extent:
    low, high = reach if sign else (-reach[1], reach[1])
    x = (sign or 1.0) * 0.5 * (low + high)
    middle = min(1.0, max(0.0, (chest.apex - 0.5 * (bottom + top)) / (chest.apex - chest.base)))
    front, back = chest.front(middle), chest.back(middle)
    centre = (x, 0.5 * (front + back), 0.5 * (bottom + top))
    return centre, (0.5 * (high - low), 0.5 * (front - back), 0.5 * (top - bottom))
