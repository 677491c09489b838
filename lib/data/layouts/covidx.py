"""COVIDx version 4 as `lib.data.readers.covidx` reads it."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.layouts.layout import Layout, frontal_view, write_picture
from lib.data.readers.covidx import CLASSES, DEFAULT_VERSION, LABELS, list_name
from lib.data.study import Study

FINDINGS = {"Consolidation": "COVID-19", "Edema": "pneumonia", "Atelectasis": "pneumonia"}
"""Phantom finding -> class; of several the first counts."""


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield one study per frontal radiograph, those for training first."""
    patients: dict[str, int] = {}
    found: dict[str, list[Study]] = {"train": [], "test": []}
    for number, phantom in enumerate(phantoms):
        view = frontal_view(phantom)
        if view is None:
            continue
        patient = patients.setdefault(phantom.patient_id, len(patients) + 1)
        present = next((name for name in FINDINGS if phantom.labels.get(name) == 1), "")
        split = "test" if patient % 5 == 0 else "train"
        file = f"case-{number}.png"
        study = Study(
            study_id=file,
            patient_id=str(patient),
            views=(dataclasses.replace(view, view_id=file, position="FRONTAL"),),
            labels=dict(zip(LABELS, CLASSES[FINDINGS.get(present, "normal")], strict=True)),
            split=split,
        )
        found[split].append(study)
    yield from (*found["train"], *found["test"])


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the two folders of pictures and the two lists."""
    lines: dict[str, list[str]] = {"train": [], "test": []}
    names = dict(zip(LABELS, ("normal", "pneumonia", "COVID-19"), strict=True))
    for study in studies:
        (view,) = study.views
        write_picture(view, root / study.split / view.view_id)
        label = next(names[label] for label, value in study.labels.items() if value == 1)
        lines[study.split].append(f"{study.patient_id} {view.view_id} {label} phantom\n")
    for split, texts in lines.items():
        (root / list_name(split, DEFAULT_VERSION)).write_text("".join(texts))


LAYOUT = Layout(studies, write)
