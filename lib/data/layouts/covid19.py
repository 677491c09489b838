"""COVID-19 Image Data Collection as `lib.data.readers.covid19` reads it."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.covid_findings import labels_from_findings
from lib.data.layouts.layout import Layout, write_picture, write_table
from lib.data.readers.covid19 import BOXES, LUNGS, METADATA
from lib.data.study import Box, Study, View

FINDINGS = {
    "Consolidation": "Pneumonia/Viral/COVID-19",
    "Edema": "Pneumonia/Viral/Influenza",
    "Mass": "Pneumonia/Bacterial/Klebsiella",
    "Atelectasis": "Pneumonia",
    "Rib Fracture": "todo",
    "": "No Finding",
}
"""Phantom finding -> finding of the table; of several the first counts."""

HEADER = (
    "patientid", "offset", "sex", "age", "finding", "RT_PCR_positive", "survival", "intubated",
    "intubation_present", "went_icu", "in_icu", "needed_supplemental_O2", "extubated", "temperature",
    "pO2_saturation", "leukocyte_count", "neutrophil_count", "lymphocyte_count", "view", "modality", "date",
    "location", "folder", "filename", "doi", "url", "license", "clinical_notes", "other_notes", "",
)  # fmt: skip

_VIEW_NAMES = {"PA": "PA", "AP": "AP Supine", "LATERAL": "L", "UNKNOWN": "Axial"}
_BY_LABELS = {str(labels_from_findings([finding])): finding for finding in FINDINGS.values()}


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield a study per visit; of every fifth the day is unknown, every seventh has a CT slice as well."""
    patients: dict[str, int] = {}
    days: dict[int, int] = {}
    for number, phantom in enumerate(phantoms):
        patient = patients.setdefault(phantom.patient_id, len(patients) + 1)
        day = days[patient] = days.get(patient, -4) + 3
        present = next((name for name in FINDINGS if phantom.labels.get(name) == 1), "")
        views = [
            dataclasses.replace(view, view_id=f"case-{patient}-visit{number}-{place}.png")
            for place, view in enumerate(phantom.views)
        ]
        if number % 7 == 3:
            slice_id = f"case-{patient}-visit{number}-CT.png"
            views.append(View(view_id=slice_id, render=views[0].render, refused="modality CT"))
        if number % 2:
            size = 2.0 * len(views[0].render())  # marked on a picture that was scaled since
            views[0] = dataclasses.replace(views[0], box_frame=(size, size))
        parts = [tuple(views)] if number % 5 else [(view,) for view in views]
        for part in parts:
            yield Study(
                study_id=f"{patient}_day{day}" if number % 5 else f"{patient}_{part[0].view_id}",
                patient_id=str(patient),
                views=part,
                labels=labels_from_findings([FINDINGS[present]]),
                boxes=tuple(box for view in part if view.box_frame for box in _lungs(view)),
                sex=phantom.sex,
                age=float(int(phantom.age)),
            )


def _lungs(view: View) -> Iterator[Box]:
    """Yield a box per lung; the right lung lies on the left of a picture."""
    width, height = view.box_frame
    for lung, (left, right) in zip(LUNGS, ((0.12, 0.47), (0.53, 0.88)), strict=True):
        yield Box(
            view_id=view.view_id,
            finding=lung,
            x0=left * width,
            y0=0.125 * height,
            x1=right * width,
            y1=0.75 * height,
        )


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the pictures, the table of the last version, and the boxes of the lungs."""
    rows, images, marks = [], [], []
    for study in studies:
        day = study.study_id.partition("_day")[2]
        for view in study.views:
            write_picture(view, root / "images" / view.view_id)
            cells = {
                "patientid": study.patient_id,
                "offset": day,
                "sex": study.sex,
                "age": int(study.age),
                "finding": _BY_LABELS[str(dict(study.labels))],
                "view": _VIEW_NAMES[view.position],
                "modality": "CT" if view.refused else "X-ray",
                "folder": "images",
                "filename": view.view_id,
                "license": "synthetic",
                "clinical_notes": "Made by a phantom, not by a patient.",
            }
            rows.append([cells.get(column, "") for column in HEADER])
            if not view.box_frame:
                continue
            width, height = map(int, view.box_frame)
            images.append({"id": len(images), "file_name": view.view_id, "width": width, "height": height})
            for box in study.boxes:
                if box.view_id == view.view_id:
                    corner = [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0]
                    marks.append(
                        {
                            "id": len(marks),
                            "image_id": images[-1]["id"],
                            "category_id": 1 + LUNGS.index(box.finding),
                            "bbox": corner,
                            "iscrowd": 0,
                            "segmentation": [],
                        }
                    )
    write_table(root / METADATA, HEADER, rows)
    categories = [{"id": number, "name": lung} for number, lung in enumerate(LUNGS, start=1)]
    path = root / BOXES[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"categories": categories, "images": images, "annotations": marks}))


LAYOUT = Layout(studies, write)
