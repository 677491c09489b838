"""A person's own table as `lib.data.readers.csv` reads it."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.layouts.layout import Layout, write_picture, write_table
from lib.data.readers.csv import DESCRIPTIONS
from lib.data.study import Study

TABLE, BOXES, IMAGES = "studies.csv", "boxes.csv", "pictures"
COLUMNS = {
    "image": "file",
    "patient": "patient_number",
    "study": "visit",
    "position": "projection",
    "findings": "findings",
    "impression": "impression",
    "sex": "sex",
    "age": "age_in_years",
    "split": "part",
}
"""Key of the description -> column of the table."""

BOX_COLUMNS = {
    "image": "file",
    "finding": "what",
    "reader": "who",
    "x0": "left",
    "y0": "top",
    "x1": "right",
    "y1": "bottom",
}


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield the phantom studies with all that they have, and a split by patient."""
    patients: dict[str, int] = {}
    for phantom in phantoms:
        number = patients.setdefault(phantom.patient_id, len(patients))
        yield dataclasses.replace(
            phantom,
            views=tuple(dataclasses.replace(view, view_id=f"{view.view_id}.png") for view in phantom.views),
            boxes=tuple(dataclasses.replace(box, view_id=f"{box.view_id}.png") for box in phantom.boxes),
            split=("train", "train", "validation", "test")[number % 4],
        )


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the pictures, the table, the boxes, and the description of both."""
    labels = list(studies[0].labels) if studies else []
    rows, boxes = [], []
    for study in studies:
        # NaN differs from itself.
        values = ["" if value != value else int(value) for value in study.labels.values()]
        for place, view in enumerate(study.views):
            write_picture(view, root / IMAGES / view.view_id)
            position = "lat" if view.position == "LATERAL" else view.position
            # A report need not stand in every row of its study.
            texts = ("", "") if place else (study.findings, study.impression)
            about = (study.sex, study.age, study.split)
            rows.append((view.view_id, study.patient_id, study.study_id, position, *texts, *about, *values))
        for box in study.boxes:
            corners = map(repr, (box.x0, box.y0, box.x1, box.y1))
            boxes.append((box.view_id, box.finding, box.reader, *corners))
    write_table(root / TABLE, (*COLUMNS.values(), *(f"has {label}" for label in labels)), rows)
    write_table(root / BOXES, tuple(BOX_COLUMNS.values()), boxes)
    (root / DESCRIPTIONS[0]).write_text(_description(labels), encoding="utf-8")


def _description(labels: Sequence[str]) -> str:
    """Return the YAML text, written by hand so that it shows how a person would write it."""
    return "\n".join(
        [
            "# What the columns of the tables are; see lib/data/readers/csv.py.",
            f"table: {TABLE}",
            f"images: {IMAGES}",
            "columns:",
            *(f"  {key}: {column}" for key, column in COLUMNS.items()),
            "positions:",
            "  lat: LATERAL",
            "labels:",
            *(f"  {label}: has {label}" for label in labels),
            "boxes:",
            f"  table: {BOXES}",
            *(f"  {key}: {column}" for key, column in BOX_COLUMNS.items()),
            "source: Phantom studies of this project, no patient behind them.",
            "licence: MIT, as the project.",
            "label_noise: That of the phantom.",
            "",
        ]
    )


LAYOUT = Layout(studies, write)
