"""Hannover COVID-19 image repository as `lib.data.readers.hannover` reads it."""

import dataclasses
import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.layouts.layout import Layout, frontal_view, write_picture, write_table
from lib.data.readers.hannover import FOLDERS, LABELS, TABLE
from lib.data.study import Study

INTENSIVE, DEATH = "Edema", "Pleural Effusion"
"""Phantom findings that stand for the course of the disease."""

HEADER = (
    "patient_id", "image_id", "sex", "age", "size", "weight", "admission_offset", "icu_admission_offset",
    "icu_release_offset", "death_offset", "modality", "projection", "crp_offset", "crp_val", "d-dimer_offset",
    "d-dimer_val", "factor_xii_offset", "factor_xii_val", "ldh_offset", "ldh_val", "lymphocytes_offset",
    "lymphocytes_val", "neutrophils_offset", "neutrophils_val", "pco2_offset", "pco2_val", "po2_offset",
    "po2_val",
)  # fmt: skip


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield one study per frontal radiograph; every eleventh is a CT, which no reader takes."""
    for number, phantom in enumerate(phantoms):
        view = frontal_view(phantom)
        if view is None:
            continue
        image = _short(phantom.study_id)
        course = (float(phantom.labels.get(name) == 1) for name in (INTENSIVE, DEATH))
        refused = "modality CT" if number % 11 == 5 else ""
        yield Study(
            study_id=image,
            patient_id=_short(phantom.patient_id),
            views=(dataclasses.replace(view, view_id=image, refused=refused),),
            labels=dict(zip(LABELS, (1.0, *course), strict=True)),
            sex=phantom.sex,
            age=math.nan,
        )


def _short(name: str) -> str:
    """Return eight hexadecimal digits, as this data set names patients and pictures."""
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the pictures and the table, laboratory values with their infinities."""
    rows = []
    for study in studies:
        (view,) = study.views
        write_picture(view, root / FOLDERS[0] / f"{view.view_id}.png")
        cells = {
            "patient_id": study.patient_id,
            "image_id": view.view_id,
            "sex": study.sex.lower(),
            "admission_offset": 0,
            "icu_admission_offset": "-2.0" if study.labels["Intensive Care"] else "",
            "death_offset": "7.0" if study.labels["Death"] else "",
            "modality": "CT" if view.refused else "DX" if view.position == "PA" else "CR",
            "projection": view.position.lower(),
            "crp_offset": 0.0,
            "crp_val": "-inf",
            "d-dimer_val": "inf",
        }
        rows.append([cells.get(column, "") for column in HEADER])
    write_table(root / TABLE, HEADER, rows)


LAYOUT = Layout(studies, write)
