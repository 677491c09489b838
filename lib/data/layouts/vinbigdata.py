"""VinBigData as Kaggle lays it out and `lib.data.readers.vinbigdata` reads it.

The pictures are DICOM files of four kinds in turn, as the official ones are of several: 8 and 12 bits, of
either photometric interpretation, compressed and not.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.layouts.dicom import write_grey
from lib.data.layouts.layout import Layout, boxes_of, frontal_view, write_table
from lib.data.readers.vinbigdata_marks import CORNERS, LABELS, NO_FINDING, TABLE
from lib.data.study import Box, Study, View

FINDINGS = {
    "Cardiomegaly": "Cardiomegaly",
    "Pleural Effusion": "Pleural effusion",
    "Pneumothorax": "Pneumothorax",
    "Consolidation": "Consolidation",
    "Atelectasis": "Atelectasis",
    "Nodule": "Nodule/Mass",
    "Mass": "Nodule/Mass",
    "Edema": "Other lesion",
    "Emphysema": "Other lesion",
    "Rib Fracture": "Other lesion",
}
"""Phantom finding -> class."""

READERS = {"R1": "R8", "R2": "R9", "R3": "R10"}
"""Reader of the phantom -> of the 17 here."""

KINDS = (
    {"bits": 8, "is_inverted": False},
    {"bits": 12, "is_inverted": False, "compression": "JPEG2000Lossless"},
    {"bits": 12, "is_inverted": True},
    {"bits": 8, "is_inverted": True, "compression": "RLELossless"},
)
"""How the pictures are stored, in turn."""


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield one study per frontal radiograph; labels are the union of what its three readers marked."""
    for number, phantom in enumerate(phantoms):
        view = frontal_view(phantom)
        if view is None:
            continue
        image = hashlib.md5(phantom.study_id.encode()).hexdigest()
        boxes = tuple(_boxes(phantom, view, image, number))
        present = {box.finding for box in boxes}
        yield Study(
            study_id=image,
            patient_id=image,
            views=(dataclasses.replace(view, view_id=image, position="PA"),),
            labels={label: float(label in present) for label in LABELS},
            boxes=boxes,
        )


def _boxes(phantom: Study, view: View, image: str, number: int) -> Iterator[Box]:
    """Yield the boxes reader by reader; the third misses all in every second picture, the second in some."""
    for name, reader in READERS.items():
        if (name == "R3" and number % 2) or (name == "R2" and number % 3 == 1):
            continue
        for box in boxes_of(phantom, view, readers=(name,)):
            yield dataclasses.replace(box, view_id=image, finding=FINDINGS[box.finding], reader=reader)


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the pictures and the table, where the rows of a picture are scattered."""
    for number, study in enumerate(studies):
        write_grey(root / "train" / f"{study.study_id}.dicom", study.views[0].render(), **KINDS[number % 4])
    rows = [row for reader in READERS.values() for study in studies for row in _rows(study, reader)]
    write_table(root / TABLE, ("image_id", "class_name", "class_id", "rad_id", *CORNERS), rows)


def _rows(study: Study, reader: str) -> list[tuple]:
    """Return what one reader said of a picture."""
    boxes = [box for box in study.boxes if box.reader == reader]
    if not boxes:
        return [(study.study_id, NO_FINDING, len(LABELS), reader, "", "", "", "")]
    class_ids = {name: number for number, name in enumerate(sorted(LABELS))}
    return [
        (study.study_id, box.finding, class_ids[box.finding], reader, *map(repr, corners))
        for box in boxes
        for corners in [(box.x0, box.y0, box.x1, box.y1)]
    ]


LAYOUT = Layout(studies, write)
