"""Findings in the lungs and the pleura as bodies: what each adds to or takes from the path lengths."""

from collections.abc import Callable

import numpy as np

from lib.data.phantom.body.anatomy import SoftParts
from lib.data.phantom.body.chest import Chest
from lib.data.phantom.body.extents import effusion_top, plate_tilt, pneumothorax_bottom
from lib.data.phantom.draw import Draw
from lib.data.phantom.findings import Finding, amounts_of
from lib.data.phantom.picture.shapes import Rays, Span, add_free_length, ellipsoid
from lib.data.phantom.visit import Visit

LUNG = 0.26
"""Density of a healthy inflated lung, cm of water per cm."""
LOBES = {"Consolidation": 9, "Mass": 3, "Nodule": 1, "Atelectasis": 1}
"""Overlapping ellipsoids that make up a focal finding."""
FILL = {"Consolidation": 0.26, "Mass": 0.62, "Nodule": 1.15, "Atelectasis": 0.8}
"""Share of the air that each of them takes."""

Shrink = Callable[[np.ndarray], np.ndarray]
"""Heights -> share of the pleural space's half-width and half-depth that the lung fills."""


def lung_density(findings: tuple[Finding, ...]) -> float:
    """Return the density of the inflated lung: emphysema lowers it, edema raises it."""
    amounts = amounts_of(findings)
    density = LUNG
    if "Emphysema" in amounts:
        density *= 0.86 - 0.44 * amounts["Emphysema"]
    if "Edema" in amounts:
        density += 0.03 + 0.17 * amounts["Edema"]
    return density


def shrink_of(side: str, findings: tuple[Finding, ...], chest: Chest) -> Shrink | None:
    """Return how far fluid or free air pushes the lung of a side from the chest wall; None if not at all."""
    for finding in findings:
        if finding.side == side and finding.name == "Pleural Effusion":
            return _shrink_by_fluid(finding, chest)
        if finding.side == side and finding.name == "Pneumothorax":
            return _shrink_by_air(finding, chest)
    return None


def _shrink_by_fluid(finding: Finding, chest: Chest) -> Shrink:
    top, fall = effusion_top(finding, chest), 5.5 * chest.scale

    def share(z: np.ndarray) -> np.ndarray:
        below = np.clip((top - z) / fall, 0.0, 1.0)
        return np.sqrt(1.0 - below * below)  # the meniscus climbs along the wall

    return share


def _shrink_by_air(finding: Finding, chest: Chest) -> Shrink:
    gap = 0.17 + 0.45 * finding.amount
    start, stop = chest.height(0.05 + 0.15 * finding.amount), pneumothorax_bottom(finding, chest)

    def share(z: np.ndarray) -> np.ndarray:
        down = np.clip((start - z) / (start - stop), 0.0, 1.0)
        rounding = np.sqrt(1.0 - (1.0 - np.minimum(down / 0.3, 1.0)) ** 2)
        return rounding * (1.0 - gap * (1.0 - down) ** 0.7)

    return share


def fill_lungs(air: np.ndarray, visit: Visit, parts: SoftParts, density: float) -> dict[str, Span]:
    """Inflate both lungs, with fluid or free air where there is some.

    Args:
        air: what the air takes from the path lengths, cm of water, float32 [S, S]; changed in place.
        visit: for chest and findings.
        parts: the healthy organs.
        density: of the inflated lung.

    Returns:
        Side -> the inflated lung.
    """
    inflated = {}
    for side, space in parts.lungs.items():
        shrink = shrink_of(side, visit.findings, visit.chest)
        lung, blockers = space, parts.blockers(side)
        if shrink is not None:
            lung = space.meet(parts.cage.inside(shrink))
        inflated[side] = lung
        if any(finding.name == "Pneumothorax" and finding.side == side for finding in visit.findings):
            add_free_length(air, space, blockers, -1.0)
            add_free_length(air, lung, blockers, density + 0.05)
            rim = space.meet(parts.cage.inside(lambda z, shrink=shrink: shrink(z) + 0.012))
            add_free_length(air, rim, blockers, 0.6)  # the pleura, seen where rays graze it
            add_free_length(air, lung, blockers, -0.6)
        else:
            add_free_length(air, lung, blockers, density - 1.0)
    return inflated


def add_opacities(
    image: np.ndarray, rays: Rays, visit: Visit, parts: SoftParts, lungs: dict[str, Span]
) -> None:
    """Add what replaces air in parts of the lungs: cm of water, float32 [S, S], changed in place."""
    free = 1.0 - lung_density(visit.findings)
    for number, finding in enumerate(visit.findings):
        if finding.name == "Edema":
            _add_haze(image, rays, visit.chest, parts, lungs, finding.amount)
        elif finding.name in LOBES:
            draw = visit.stream(f"shape {number}")
            centre = visit.chest.lung_point(finding.side, finding.place)
            for body in _lobes(rays, finding, centre, draw):
                inside = lungs[finding.side].meet(body)
                add_free_length(image, inside, parts.blockers(finding.side), free * FILL[finding.name])


def _lobes(rays: Rays, finding: Finding, centre: tuple, draw: Draw) -> list[Span]:
    if finding.kind == "plate":
        tilt, (wide, deep, thin) = plate_tilt(finding), finding.size
        beside = (centre[0] + draw.uniform(-0.3, 0.3) * wide, centre[1], centre[2] - draw.uniform(0.5, 1.2))
        return [
            ellipsoid(rays, centre, finding.size, tilt=tilt),
            ellipsoid(
                rays, beside, (0.6 * wide, 0.8 * deep, 0.6 * thin), tilt=tilt + draw.uniform(-0.2, 0.2)
            ),
        ]
    if LOBES[finding.name] == 1:
        return [ellipsoid(rays, centre, finding.size, tilt=draw.uniform(-0.6, 0.6))]
    bodies = []
    for _ in range(LOBES[finding.name]):
        shrink = draw.uniform(0.4, 0.7) if finding.name == "Consolidation" else draw.uniform(0.6, 0.8)
        slack = 1.0 - shrink
        place = tuple(
            at + size * slack * draw.uniform(-1.0, 1.0) for at, size in zip(centre, finding.size, strict=True)
        )
        radii = tuple(size * shrink for size in finding.size)
        bodies.append(ellipsoid(rays, place, radii, tilt=draw.uniform(-0.5, 0.5)))
    return bodies


def _add_haze(
    image: np.ndarray, rays: Rays, chest: Chest, parts: SoftParts, lungs: dict, amount: float
) -> None:
    """Add fluid around the hila, the bat's wings of edema, densest in the middle."""
    for side, lung in lungs.items():
        for grow in (1.0, 0.7):
            size = chest.scale * grow
            centre = chest.lung_point(side, (0.24, -0.05, 0.42))
            wing = lung.meet(ellipsoid(rays, centre, (5.0 * size, 6.0 * size, 7.0 * size)))
            add_free_length(image, wing, parts.blockers(side), 0.02 + 0.14 * amount)
