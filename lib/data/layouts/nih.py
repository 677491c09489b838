"""NIH ChestX-ray14 as `lib.data.readers.nih` reads it."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.layouts.layout import Layout, boxes_of, frontal_view, write_picture, write_table
from lib.data.readers.nih import BOXES, ENTRIES, FRAME, LABELS, NO_FINDING, OTHER_NAMES
from lib.data.study import Box, Study, View

FINDINGS = {"Pleural Effusion": "Effusion", **{name: name for name in LABELS}}
"""Phantom finding -> label; the others have none here."""

BOXED = ("Atelectasis", "Cardiomegaly", "Effusion", "Mass", "Nodule", "Pneumothorax")
"""Findings of the phantom that the data set has boxes of."""

_TO_BOX_NAME = {label: name for name, label in OTHER_NAMES.items()}


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield one study per frontal radiograph."""
    patients: dict[str, int] = {}
    follow_ups: dict[str, int] = {}
    for phantom in phantoms:
        view = frontal_view(phantom)
        if view is None:
            continue
        patient = f"{patients.setdefault(phantom.patient_id, len(patients) + 1):08d}"
        follow_ups[patient] = follow_ups.get(patient, -1) + 1
        name = f"{patient}_{follow_ups[patient]:03d}"
        present = {
            FINDINGS[finding]
            for finding, value in phantom.labels.items()
            if value == 1 and finding in FINDINGS
        }
        yield Study(
            study_id=name,
            patient_id=patient,
            views=(dataclasses.replace(view, view_id=name, box_frame=FRAME),),
            labels={label: float(label in present) for label in LABELS},
            boxes=tuple(_boxes(phantom, view, name)),
            sex=phantom.sex,
            age=float(int(phantom.age)),
            split="test" if int(patient) % 5 == 0 else "train",
        )


def _boxes(phantom: Study, view: View, name: str) -> Iterator[Box]:
    """Yield the boxes of one reader, on the frame of 1024 pixels, one per finding."""
    size = len(view.render())
    seen: set[str] = set()
    for box in boxes_of(phantom, view, readers=("R1",)):
        finding = FINDINGS.get(box.finding)
        if finding not in BOXED or finding in seen:
            continue
        seen.add(finding)
        x0, y0, x1, y1 = (value * FRAME[0] / size for value in (box.x0, box.y0, box.x1, box.y1))
        yield Box(view_id=name, finding=finding, x0=x0, y0=y0, x1=x1, y1=y1)


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the pictures, the two tables with their split headers, and the official lists."""
    entries, boxes = [], []
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for number, study in enumerate(studies):
        (view,) = study.views
        file = f"{study.study_id}.png"
        write_picture(view, root / f"images_{1 + number % 12:03d}" / "images" / file)
        present = "|".join(label for label, value in study.labels.items() if value) or NO_FINDING
        follow_up = int(study.study_id.rsplit("_", 1)[1])
        sizes = (2500, 2048, 0.168, 0.168)
        entries.append(
            (
                file,
                present,
                follow_up,
                int(study.patient_id),
                int(study.age),
                study.sex,
                view.position,
                *sizes,
            )
        )
        for box in study.boxes:
            corner = (repr(box.x0), repr(box.y0), repr(box.x1 - box.x0), repr(box.y1 - box.y0))
            boxes.append((file, _TO_BOX_NAME.get(box.finding, box.finding), *corner))
        lists[study.split].append(file)
    header = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position"
    sizes = "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
    write_table(root / ENTRIES[0], (header, sizes), entries)
    write_table(root / BOXES, ("Image Index", "Finding Label", "Bbox [x", "y", "w", "h]", "", "", ""), boxes)
    (root / "train_val_list.txt").write_text("\n".join(lists["train"]) + "\n")
    (root / "test_list.txt").write_text("\n".join(lists["test"]) + "\n")


LAYOUT = Layout(studies, write)
