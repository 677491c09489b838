"""One study of the phantom: patient, findings, chest and the views taken, without any pixel."""

import dataclasses
import functools

from lib.data.phantom.body.chest import Chest, build_chest
from lib.data.phantom.domain import DOMAINS, Domain
from lib.data.phantom.draw import Draw
from lib.data.phantom.findings import Finding, sample_findings
from lib.data.phantom.patient import Patient, patient_index, sample_patient
from lib.data.phantom.picture.viewpoint import Viewpoint, build_viewpoint


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Visit:
    """What there is to know about a study.

    Attributes:
        domain: the hospital.
        key: (seed, index); names the random streams of this study.
        patient_index: index of the patient's first study.
        patient: the person.
        findings: of this study.
        breath: 0 shallow to 1 deep inspiration.
        chest: sizes at the time of this study.
        devices: those of the patient and of this study ("catheter").
        views: geometry of each view.
    """

    domain: Domain
    key: tuple[int, int]
    patient_index: int
    patient: Patient
    findings: tuple[Finding, ...]
    breath: float
    chest: Chest
    devices: tuple[str, ...]
    views: tuple[Viewpoint, ...]

    @property
    def granuloma_side(self) -> str:
        """Side of an old granuloma, where the patient has one."""
        return "left" if self.patient.vessels % 2 else "right"

    def stream(self, purpose: str) -> Draw:
        """Return an independent random stream of this study."""
        return Draw(self.domain.name, *self.key, purpose)


@functools.lru_cache(maxsize=4)
def sample_visit(domain_name: str, seed: int, index: int, image_size: int) -> Visit:
    """Draw study `index`; it depends on nothing but the arguments, and `image_size` only scales the views."""
    domain = DOMAINS[domain_name]
    draw = Draw(domain_name, seed, "study", index)
    person = patient_index(domain, seed, index)
    patient = sample_patient(domain, seed, person)
    positions = _positions(domain, draw)
    findings = sample_findings(domain, patient, draw, has_lateral="LATERAL" in positions)
    is_ill = positions[0] == "AP"
    breath = min(1.0, max(0.0, draw.bell(0.5 if is_ill else 0.8, 0.15)))
    chest = build_chest(patient, breath, findings)
    devices = patient.devices + (("catheter",) if draw.chance(0.25 if is_ill else 0.03) else ())
    views = tuple(_viewpoint(position, domain, chest, draw, image_size) for position in positions)
    return Visit(
        domain=domain,
        key=(seed, index),
        patient_index=person,
        patient=patient,
        findings=findings,
        breath=breath,
        chest=chest,
        devices=devices,
        views=views,
    )


def _positions(domain: Domain, draw: Draw) -> tuple[str, ...]:
    views = draw.weighted((1, 2, 3), domain.view_mix)
    frontal = "AP" if draw.chance(domain.ap_share[0 if views == 1 else 1]) else "PA"
    third = draw.pick(("PA", "LATERAL"))
    return {1: (frontal,), 2: (frontal, "LATERAL"), 3: (frontal, "LATERAL", third)}[views]


def _viewpoint(position: str, domain: Domain, chest: Chest, draw: Draw, image_size: int) -> Viewpoint:
    sloppy = 2.0 if position == "AP" else 1.0
    zoom = draw.bell(1.0, 0.03) * (0.35 + 0.65 * chest.scale) / domain.magnification
    yaw = draw.bell(0.0, 0.035 * sloppy)
    middle = 0.0 if position != "LATERAL" else -0.5 * (chest.front(0.6) + chest.back(0.5)) + 0.5
    height = 0.5 * (chest.apex + min(chest.dome)) - 1.8 * chest.scale
    return build_viewpoint(
        position,
        yaw,
        {"PA": 165.0, "AP": 105.0, "LATERAL": 165.0}[position],
        domain.field * zoom,
        (middle + draw.bell(0.0, 0.5 * sloppy), height + draw.bell(0.0, 0.6 * sloppy)),
        image_size,
    )
