"""The RSNA Pneumonia Detection Challenge as `lib.data.readers.rsna` reads it.

The official pictures are 8-bit DICOM files in JPEG; these are compressed without loss, by runs.
"""

import dataclasses
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.layouts.dicom import write_grey
from lib.data.layouts.layout import Layout, boxes_of, frontal_view, write_table
from lib.data.readers.rsna import (
    BOXES,
    CLASSES,
    FRAME,
    IMAGE_FOLDERS,
    LABELS,
    MAPPINGS,
    NORMAL,
    NOT_NORMAL,
    OPACITY,
    READER,
)
from lib.data.study import Box, Study, View

OPAQUE = ("Consolidation", "Atelectasis", "Edema")
"""Findings of the phantom that a reader takes for opacities which may be pneumonia."""

STAGE = "stage_2"


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield one study per frontal radiograph."""
    patients: dict[str, int] = {}
    for phantom in phantoms:
        view = frontal_view(phantom)
        if view is None:
            continue
        image = str(uuid.uuid5(uuid.NAMESPACE_OID, phantom.study_id))
        boxes = tuple(_boxes(phantom, view, image))
        others = any(value == 1 for value in phantom.labels.values())
        kind = OPACITY if boxes else NOT_NORMAL if others else NORMAL
        yield Study(
            study_id=image,
            patient_id=f"{patients.setdefault(phantom.patient_id, len(patients) + 1):08d}",
            views=(dataclasses.replace(view, view_id=image, position="FRONTAL", box_frame=FRAME),),
            labels={label: float(label == kind) for label in LABELS},
            boxes=boxes,
        )


def _boxes(phantom: Study, view: View, image: str) -> Iterator[Box]:
    """Yield the opacities that the second reader marked, on the frame of 1024 pixels."""
    scale = FRAME[0] / len(view.render())
    for box in boxes_of(phantom, view, readers=("R2",)):
        if box.finding in OPAQUE:
            x0, y0, x1, y1 = (scale * value for value in (box.x0, box.y0, box.x1, box.y1))
            yield Box(view_id=image, finding=OPACITY, x0=x0, y0=y0, x1=x1, y1=y1, reader=READER)


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the pictures, the two tables and the mapping to the patients of NIH ChestX-ray14."""
    boxes, classes, mappings = [], [], []
    for number, study in enumerate(studies):
        image = study.study_id
        path = root / f"{STAGE}_{IMAGE_FOLDERS[0]}" / f"{image}.dcm"
        write_grey(path, study.views[0].render(), bits=8, is_inverted=False, compression="RLELossless")
        rows = [(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0) for box in study.boxes]
        boxes += [(image, *map(repr, row), 1) for row in rows] or [(image, "", "", "", "", 0)]
        kind = next(label for label, value in study.labels.items() if value == 1)
        classes += [(image, kind)] * max(1, len(rows))
        mappings.append({"subset_img_id": image, "img_id": f"{study.patient_id}_{number:03d}.png"})
    write_table(root / f"{STAGE}_{BOXES}", ("patientId", "x", "y", "width", "height", "Target"), boxes)
    write_table(root / f"{STAGE}_{CLASSES}", ("patientId", "class"), classes)
    (root / MAPPINGS).write_text(json.dumps(mappings), encoding="utf-8")


LAYOUT = Layout(studies, write)
