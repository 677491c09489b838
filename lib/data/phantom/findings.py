"""The findings of one study: what, on which side, where in the lung, how much."""

import dataclasses

from lib.data.phantom.domain import Domain
from lib.data.phantom.draw import Draw
from lib.data.phantom.patient import Patient

BEHIND_HEART = "behind heart"
ZONES = {"upper": (0.13, 0.28), "mid": (0.33, 0.49), "lower": (0.53, 0.68)}
"""Zone of the lung -> range of height, 0 at the apex to 1 at the bottom of the sulcus."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding on one side; a bilateral one is two of them.

    Attributes:
        name: one of `LABEL_NAMES`.
        side: "left", "right", or "" where the finding has none.
        amount: 0 just there to 1 extreme.
        zone: "upper", "mid", "lower" or "" where the finding has none.
        kind: what the picture and the words need beyond that ("behind heart", "plate", "collapse").
        place: position in the lung: 0 at the mediastinum to 1 at the ribs, -1 back to 1 front, and
            height as in `ZONES`. Of a broken rib: how far along it, 0 at the spine to 1 at the cartilage.
        size: half-axes in cm of a focal finding: sideways, front to back, up.
        rib: number of a broken rib.
    """

    name: str
    side: str = ""
    amount: float = 0.0
    zone: str = ""
    kind: str = ""
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    size: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rib: int = 0


def amounts_of(findings: tuple[Finding, ...]) -> dict[str, float]:
    """Return the amount of each finding that is there, of its last side where it has two."""
    return {finding.name: finding.amount for finding in findings}


def sample_findings(
    domain: Domain, patient: Patient, draw: Draw, *, has_lateral: bool
) -> tuple[Finding, ...]:
    """Draw what this study shows.

    Args:
        domain: for the prevalence.
        patient: brings the chronic findings.
        draw: the study's stream.
        has_lateral: without a lateral view nothing is placed where the frontal view hides it.
    """
    share = domain.prevalence
    failure = draw.chance(share["Heart Failure"])
    found: list[Finding] = []
    if patient.cardiomegaly is not None:
        found.append(Finding(name="Cardiomegaly", amount=patient.cardiomegaly))
    elif failure and draw.chance(0.9):
        found.append(Finding(name="Cardiomegaly", amount=draw.unit()))
    if (failure and draw.chance(0.85)) or draw.chance(share["Edema"]):
        found.append(Finding(name="Edema", amount=draw.unit()))
    if patient.emphysema is not None:
        found.append(Finding(name="Emphysema", amount=patient.emphysema))
    if (failure and draw.chance(0.6)) or draw.chance(share["Pleural Effusion"]):
        found += _effusions(draw, both=0.6 if failure else 0.2, least=0.0 if has_lateral else 0.15)
    fracture = draw.chance(share["Rib Fracture"])
    if fracture:
        found.append(_fracture(draw))
    wet = {finding.side for finding in found if finding.name == "Pleural Effusion"}
    if draw.chance(share["Pneumothorax"] + (0.12 if fracture else 0.0)):
        side = found[-1].side if fracture and not wet else _dry_side(draw, wet)
        if side:
            found.append(Finding(name="Pneumothorax", side=side, zone="upper", amount=draw.unit()))
    air = {finding.side for finding in found if finding.name == "Pneumothorax"}
    if draw.chance(share["Consolidation"]):
        found.append(_consolidation(draw, has_lateral))
    if draw.chance(share["Atelectasis"] + (0.25 if wet else 0.0)):
        side = draw.pick(sorted(wet)) if wet and draw.chance(0.7) else draw.pick(("left", "right"))
        found.append(_atelectasis(draw, side, has_lateral and side not in wet | air))
    if draw.chance(share["Mass"]):
        found.append(_round("Mass", draw, 1.6, 3.6, has_lateral))
    if draw.chance(share["Nodule"]):
        for _ in range(1 if draw.chance(0.8) else 2):
            found.append(_round("Nodule", draw, 0.55, 1.4, has_lateral))
    return tuple(found)


def _effusions(draw: Draw, *, both: float, least: float) -> list[Finding]:
    sides = ("left", "right") if draw.chance(both) else (draw.pick(("left", "right")),)
    amount = draw.uniform(least, 1.0)
    return [
        Finding(
            name="Pleural Effusion",
            side=side,
            zone="lower",
            amount=max(least, amount * draw.uniform(0.6, 1.0)),
        )
        for side in sides
    ]


def _fracture(draw: Draw) -> Finding:
    # The angle along the rib, 0 at the spine to 1 at the cartilage; mostly lateral, as after a fall.
    return Finding(
        name="Rib Fracture",
        side=draw.pick(("left", "right")),
        rib=int(draw.uniform(3, 10)),
        amount=draw.unit(),
        place=(draw.uniform(0.25, 0.72), 0.0, 0.0),
    )


def _dry_side(draw: Draw, wet: set[str]) -> str:
    dry = [side for side in ("left", "right") if side not in wet]
    return draw.pick(dry) if dry else ""


def _place(draw: Draw, zone: str, low: float, high: float) -> tuple[float, float, float]:
    return draw.uniform(low, high), draw.uniform(-0.6, 0.6), draw.uniform(*ZONES[zone])


def _consolidation(draw: Draw, has_lateral: bool) -> Finding:
    amount = draw.unit()
    radius = 2.3 + 2.9 * amount
    if has_lateral and draw.chance(0.15):
        place = draw.uniform(0.1, 0.22), draw.uniform(-0.75, -0.5), draw.uniform(0.56, 0.68)
        size = (1.6 + 0.8 * amount, 2.0 + amount, 2.2 + amount)
        return Finding(
            name="Consolidation",
            side="left",
            zone="lower",
            amount=amount,
            kind=BEHIND_HEART,
            place=place,
            size=size,
        )
    zone = draw.weighted(("upper", "mid", "lower"), (0.2, 0.3, 0.5))
    size = tuple(radius * draw.uniform(0.75, 1.2) for _ in range(3))
    return Finding(
        name="Consolidation",
        side=draw.weighted(("right", "left"), (0.55, 0.45)),
        zone=zone,
        amount=amount,
        place=_place(draw, zone, 0.35, 0.75),
        size=size,
    )


def _atelectasis(draw: Draw, side: str, can_collapse: bool) -> Finding:
    amount = draw.unit()
    if can_collapse and draw.chance(0.35):
        size = (2.0 + 1.6 * amount, 2.6 + amount, 2.6 + 1.6 * amount)
        place = draw.uniform(0.12, 0.25), draw.uniform(-0.7, -0.5), draw.uniform(0.58, 0.66)
        return Finding(
            name="Atelectasis",
            side=side,
            zone="lower",
            amount=amount,
            kind="collapse",
            place=place,
            size=size,
        )
    zone = "lower" if draw.chance(0.8) else "mid"
    size = (2.2 + 2.0 * amount, 1.8 + 1.2 * amount, 0.28 + 0.25 * amount)
    place = draw.uniform(0.35, 0.6), draw.uniform(-0.4, 0.5), draw.uniform(*ZONES[zone])
    return Finding(
        name="Atelectasis", side=side, zone=zone, amount=amount, kind="plate", place=place, size=size
    )


def _round(name: str, draw: Draw, low: float, high: float, has_lateral: bool) -> Finding:
    amount = draw.unit()
    radius = low + (high - low) * amount
    side = draw.pick(("left", "right"))
    if has_lateral and side == "left" and draw.chance(0.2) and name == "Nodule":
        amount, radius = 0.5 * amount, low + 0.5 * (high - low) * amount
        place = draw.uniform(0.08, 0.2), draw.uniform(-0.8, -0.5), draw.uniform(0.56, 0.68)
        return Finding(
            name=name,
            side=side,
            zone="lower",
            amount=amount,
            kind=BEHIND_HEART,
            place=place,
            size=(radius,) * 3,
        )
    zone = draw.weighted(("upper", "mid", "lower"), (0.4, 0.35, 0.25))
    size = tuple(radius * draw.uniform(0.88, 1.12) for _ in range(3))
    return Finding(
        name=name, side=side, zone=zone, amount=amount, place=_place(draw, zone, 0.3, 0.85), size=size
    )
