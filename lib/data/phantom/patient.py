"""The patient: what stays the same over all of a person's studies."""

import dataclasses

from lib.data.phantom.domain import Domain
from lib.data.phantom.draw import Draw


@dataclasses.dataclass(frozen=True, kw_only=True)
class Patient:
    """One person.

    Attributes:
        sex: "M" or "F".
        age: whole years.
        stature: scale of the skeleton, 1 is an average man.
        breadth: width of the thorax relative to its height.
        depth: depth of the thorax relative to its height.
        girth: thickness of the soft tissue around the ribs, cm.
        kyphosis: 0 straight to 1 strongly curved upper spine.
        scoliosis: sideways bend of the spine, cm, positive to the left.
        heart: cardiothoracic ratio of the healthy heart.
        aorta: 0 slim to 1 unfolded.
        rib_slope: how much ribs descend towards the front, 1 is average.
        vessels: seed of the vessel tree.
        cardiomegaly: amount 0..1, None without the disease.
        emphysema: amount 0..1, None without the disease.
        devices: subset of ("pacemaker", "sternotomy", "granuloma", "spondylosis").
    """

    sex: str
    age: int
    stature: float
    breadth: float
    depth: float
    girth: float
    kyphosis: float
    scoliosis: float
    heart: float
    aorta: float
    rib_slope: float
    vessels: int
    cardiomegaly: float | None
    emphysema: float | None
    devices: tuple[str, ...]


def sample_patient(domain: Domain, seed: int, index: int) -> Patient:
    """Draw patient `index` of a domain; chronic diseases belong to the patient."""
    draw = Draw(domain.name, seed, "patient", index)
    sex = "M" if draw.chance(0.5) else "F"
    age = int(min(94.0, max(18.0, draw.bell(57, 17))))
    old = (age - 18) / 76
    man = sex == "M"
    cardiomegaly = draw.uniform(0.0, 1.0) if draw.chance(domain.prevalence["Cardiomegaly"]) else None
    emphysema = draw.uniform(0.0, 1.0) if draw.chance(domain.prevalence["Emphysema"]) else None
    shares = {
        "pacemaker": 0.02 + 0.05 * old + (0.10 if cardiomegaly is not None else 0.0),
        "sternotomy": 0.01 + 0.05 * old + (0.06 if cardiomegaly is not None else 0.0),
        "granuloma": 0.05,
        "spondylosis": 0.30 * max(0.0, old - 0.3),
    }
    return Patient(
        sex=sex,
        age=age,
        stature=draw.bell(1.0 if man else 0.93, 0.04),
        breadth=draw.bell(1.0 if man else 0.96, 0.04),
        depth=draw.bell(1.0 if man else 0.95, 0.06) + 0.06 * old,
        girth=max(1.2, draw.bell(2.6, 1.0)),
        kyphosis=min(1.0, max(0.0, draw.bell(0.25, 0.15) + 0.3 * old)),
        scoliosis=draw.bell(0.0, 0.35),
        heart=draw.bell(0.435, 0.022),
        aorta=min(1.0, max(0.0, draw.bell(0.15, 0.15) + 0.45 * old)),
        rib_slope=draw.bell(1.0, 0.13),
        vessels=int(draw.unit() * 2**31),
        cardiomegaly=cardiomegaly,
        emphysema=emphysema,
        devices=tuple(name for name, share in shares.items() if draw.chance(share)),
    )


def patient_index(domain: Domain, seed: int, index: int) -> int:
    """Return the patient of study `index`: some studies are of the same person as the study before."""
    while index > 0 and Draw(domain.name, seed, "return", index).chance(domain.return_share):
        index -= 1
    return index
