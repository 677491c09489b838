"""Shenzhen chest X-ray set as `lib.data.readers.shenzhen` reads it."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.layouts.layout import Layout, frontal_view, write_picture
from lib.data.readers.shenzhen import ARCHIVE, LABEL, PICTURES, READINGS
from lib.data.study import Study

FINDINGS = ("Consolidation", "Nodule")
"""Phantom findings that stand for tuberculosis."""

SEXES = {"M": "male", "F": "female"}
HEADS = ("{sex} {age}yrs", "{sex}, {age} yrs", "{sex}{age}yr")
"""Spellings of the first line of a reading."""


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield one study and patient per frontal radiograph."""
    number = 0
    for phantom in phantoms:
        view = frontal_view(phantom)
        if view is None:
            continue
        number += 1
        has_disease = any(phantom.labels.get(name) == 1 for name in FINDINGS)
        name = f"CHNCXR_{number:04d}_{int(has_disease)}"
        yield Study(
            study_id=name,
            patient_id=name,
            views=(dataclasses.replace(view, view_id=name, position="FRONTAL"),),
            labels={LABEL: float(has_disease)},
            sex=phantom.sex,
            age=float(int(phantom.age)),
        )


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the pictures and their readings, spelled in several ways."""
    root = root / ARCHIVE
    (root / READINGS).mkdir(parents=True)
    for number, study in enumerate(studies):
        (view,) = study.views
        write_picture(view, root / PICTURES / f"{study.study_id}.png")
        head = HEADS[number % len(HEADS)].format(sex=SEXES[study.sex], age=int(study.age))
        findings = "bilateral PTB" if study.labels[LABEL] else "normal"
        (root / READINGS / f"{study.study_id}.txt").write_text(f"{head}\n{findings}\n")


LAYOUT = Layout(studies, write)
