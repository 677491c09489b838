"""The two hospitals: who comes, how they are radiographed, how pictures are finished."""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

LABEL_NAMES = (
    "Cardiomegaly",
    "Pleural Effusion",
    "Pneumothorax",
    "Consolidation",
    "Atelectasis",
    "Nodule",
    "Mass",
    "Edema",
    "Emphysema",
    "Rib Fracture",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Domain:
    """One hospital.

    Attributes:
        name: names the random streams too.
        prevalence: chance of each finding on its own; `Heart Failure` brings several together.
        return_share: chance that a study is of the same patient as the one before.
        view_mix: shares of studies with a frontal view alone, with a lateral, with three views.
        ap_share: share of frontal views taken AP, (frontal alone, with lateral).
        scatter: scattered share of the primary beam's mean.
        contrast: steepness of the display curve, 1 is plain.
        gamma: brightness of the mid-tones, below 1 is brighter.
        noise: standard deviation of the detector noise relative to the open beam's root.
        field: cm that the square field spans at the middle of the patient.
        magnification: extra scale of the picture.
        marker: "letter" (L or R alone) or "boxed" (dark letter on a bright plate).
    """

    name: str
    prevalence: Mapping[str, float]
    return_share: float
    view_mix: tuple[float, float, float]
    ap_share: tuple[float, float]
    scatter: float
    contrast: float
    gamma: float
    noise: float
    field: float
    magnification: float
    marker: str


SOURCE = Domain(
    name="source",
    prevalence=MappingProxyType(
        {
            "Heart Failure": 0.07,
            "Cardiomegaly": 0.085,
            "Pleural Effusion": 0.08,
            "Pneumothorax": 0.085,
            "Consolidation": 0.145,
            "Atelectasis": 0.10,
            "Nodule": 0.10,
            "Mass": 0.085,
            "Edema": 0.05,
            "Emphysema": 0.10,
            "Rib Fracture": 0.085,
        }
    ),
    return_share=0.12,
    view_mix=(0.16, 0.72, 0.12),
    ap_share=(0.70, 0.04),
    scatter=0.70,
    contrast=1.7,
    gamma=1.0,
    noise=0.0035,
    field=34.0,
    magnification=1.0,
    marker="letter",
)
TARGET = Domain(
    name="target",
    prevalence=MappingProxyType(
        {
            "Heart Failure": 0.085,
            "Cardiomegaly": 0.075,
            "Pleural Effusion": 0.095,
            "Pneumothorax": 0.08,
            "Consolidation": 0.15,
            "Atelectasis": 0.11,
            "Nodule": 0.08,
            "Mass": 0.09,
            "Edema": 0.06,
            "Emphysema": 0.085,
            "Rib Fracture": 0.075,
        }
    ),
    return_share=0.13,
    view_mix=(0.38, 0.56, 0.06),
    ap_share=(0.85, 0.10),
    scatter=1.0,
    contrast=2.6,
    gamma=0.85,
    noise=0.006,
    field=34.0,
    magnification=1.06,
    marker="boxed",
)
DOMAINS = {domain.name: domain for domain in (SOURCE, TARGET)}
