"""The chest of one study as numbers: sizes and outlines that pictures and boxes share."""

import dataclasses
import math

import numpy as np

from lib.data.phantom.findings import Finding, amounts_of
from lib.data.phantom.patient import Patient

SIGN = {"left": 1.0, "right": -1.0}
HEART_TILT = 0.62
"""Slope in radians of the long axis of the heart, down on the left."""
DOME_CENTRE = (5.6, 2.2)
"""Highest point of a diaphragm: cm from the midline, cm to the front."""
DOME_RADII = (9.3, 11.2)
"""How far it reaches from there sideways and to front and back, at its rim, cm."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chest:
    """Sizes in cm.

    Attributes:
        scale: of the skeleton.
        girth: thickness of the soft tissue around the ribs.
        apex: height of the top of the lungs.
        base: height of the bottom of the pleural sulcus.
        width: largest half-width of the rib cage inside.
        depth: scale of the rib cage from front to back.
        kyphosis: as in `Patient`.
        rib_slope: as in `Patient`.
        dome: height of the diaphragm (right, left).
        dome_height: how far the dome rises above its rim.
        heart_scale: size of the heart, 1 is a cardiothoracic ratio of 0.45.
        heart: centre of the heart.
        heart_radii: along its long axis, front to back, and along its short axis.
    """

    scale: float
    girth: float
    apex: float
    base: float
    width: float
    depth: float
    kyphosis: float
    rib_slope: float
    dome: tuple[float, float]
    dome_height: float
    heart_scale: float
    heart: tuple[float, float, float]
    heart_radii: tuple[float, float, float]

    def height(self, t: float) -> float:
        """Return z of a relative height, 0 at the apex to 1 at the base."""
        return self.apex + t * (self.base - self.apex)

    def relative_height(self, z: np.ndarray) -> np.ndarray:
        """Return heights as in `Finding.place`, clipped to [0, 1]."""
        return np.clip((self.apex - z) / (self.apex - self.base), 0.0, 1.0)

    def outer(self, t):
        """Return the half-width of the rib cage at relative heights in [0, 1], float or array."""
        return self.width * (0.34 + 0.66 * (1.0 - (1.0 - t) ** 3.2) ** 0.6)

    def front(self, t):
        """Return y of the inside of the front chest wall at relative heights, float or array."""
        rise = 1.0 - (1.0 - t) ** 3.2
        return self.depth * (-0.8 + 9.0 * rise**0.62 - 1.8 * t**6)

    def back(self, t):
        """Return y of the inside of the back wall at relative heights, float or array."""
        bow = 1.0 - (2.0 * t - 0.95) ** 2
        return self.depth * (-4.6 - (4.0 + 0.9 * self.kyphosis) * bow)

    def dome_surface(self, top, x, y):
        """Return the height of the diaphragm, float or array.

        Args:
            top: height of that side's dome.
            x: distance from the midline.
            y: position from back to front.
        """
        sideways = (x - DOME_CENTRE[0] * self.scale) / (DOME_RADII[0] * self.scale)
        forward = (y - DOME_CENTRE[1] * self.depth) / (DOME_RADII[1] * self.depth)
        rise = 1.0 - sideways**2 - forward**2
        return top - self.dome_height * (1.0 - (rise * (rise > 0)) ** 0.5)

    def lung_point(self, side: str, place: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return the point at relative coordinates in one lung (see `Finding.place`)."""
        reach, forward, t = place
        front, back = self.front(t), self.back(t)
        y = 0.5 * (front + back) + 0.5 * forward * (front - back)
        inner = 2.6 * self.scale
        wall = self.outer(t) * math.sqrt(1.0 - forward * forward)
        return SIGN[side] * (inner + reach * (wall - inner)), y, self.height(t)


def build_chest(patient: Patient, breath: float, findings: tuple[Finding, ...]) -> Chest:
    """Work out the sizes of a patient's chest at one moment.

    Args:
        patient: the skeleton and the healthy heart.
        breath: 0 shallow to 1 deep inspiration.
        findings: those that move things: emphysema, cardiomegaly, collapse.
    """
    amounts = amounts_of(findings)
    air = 0.2 + 0.8 * amounts["Emphysema"] if "Emphysema" in amounts else 0.0
    scale = patient.stature
    width = 13.0 * scale * patient.breadth * (1.0 + 0.03 * air)
    mean = scale * (-9.6 + 3.4 * (1.0 - breath) - 2.4 * air)
    raised = {finding.side: 1.0 + 1.5 * finding.amount for finding in findings if finding.kind == "collapse"}
    dome = (mean + 0.6 * scale + raised.get("right", 0.0), mean - 0.6 * scale + raised.get("left", 0.0))
    ratio = patient.heart * (1.0 - 0.10 * air) + 0.012 * (1.0 - breath)
    if "Cardiomegaly" in amounts:
        ratio = max(ratio * 1.08, 0.505) + 0.15 * amounts["Cardiomegaly"]
    heart_scale = ratio / 0.45
    front = scale * patient.depth * (1.0 + 0.12 * air) * 8.0
    long, deep, short = (radius * width / 13.0 * heart_scale for radius in (6.5, 6.4, 5.0))
    return Chest(
        scale=scale,
        girth=patient.girth,
        apex=scale * (12.3 + 0.4 * air),
        base=scale * (-16.2 - 1.4 * air),
        width=width,
        depth=scale * patient.depth * (1.0 + 0.12 * air),
        kyphosis=patient.kyphosis,
        rib_slope=patient.rib_slope,
        dome=dome,
        dome_height=scale * (9.0 - 3.0 * air),
        heart_scale=heart_scale,
        heart=(2.2 * scale * heart_scale**1.3, front - 0.82 * deep, min(dome) + 0.3 + 0.8 * short),
        heart_radii=(long, deep, short),
    )
