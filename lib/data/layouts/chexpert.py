"""CheXpert as `lib.data.readers.chexpert` reads it, the test set included."""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.layouts.layout import Layout, write_picture, write_table
from lib.data.layouts.mentions import label_cells, labels_as_mentioned
from lib.data.readers.chexpert import ABOUT, SEXES
from lib.data.study import Study

FOLDER = "CheXpert-v1.0-small"
SPLITS = {"train": "train", "validation": "valid", "test": "test"}
"""Split -> folder."""

TABLES = {"train": "train.csv", "validation": "valid.csv", "test": "test_labels.csv"}


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield the studies with official ids; outside of train all labels are known, from radiologists."""
    patients: dict[str, int] = {}
    visits: dict[str, int] = {}
    kept: dict[str, list[Study]] = {split: [] for split in SPLITS}
    for phantom in phantoms:
        number = patients.setdefault(phantom.patient_id, len(patients) + 1)
        patient = f"patient{number:05d}"
        visits[patient] = visits.get(patient, 0) + 1
        study_id = f"{patient}/study{visits[patient]}"
        split = ("test", "train", "train", "validation")[number % 4]
        labels = labels_as_mentioned(phantom)
        if split != "train":
            labels = {name: 0.0 if math.isnan(value) else value for name, value in labels.items()}
        views = []
        for place, view in enumerate(phantom.views, start=1):
            plane = "lateral" if view.position == "LATERAL" else "frontal"
            # The test table names no projection, so that the path alone tells the plane.
            position = "FRONTAL" if split == "test" and plane == "frontal" else view.position
            view_id = f"{study_id}/view{place}_{plane}"
            views.append(dataclasses.replace(view, view_id=view_id, position=position))
        kept[split].append(
            Study(
                study_id=study_id,
                patient_id=patient,
                views=tuple(views),
                labels=labels,
                sex="" if split == "test" else phantom.sex,
                age=math.nan if split == "test" else float(int(phantom.age)),
                split=split,
            )
        )
    for members in kept.values():
        yield from members


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the pictures and one table per split, below the folder that the download unpacks to."""
    words = {short: name for name, short in SEXES.items()}
    rows: dict[str, list[list[object]]] = {split: [] for split in SPLITS}
    for number, study in enumerate(studies):
        folder = SPLITS[study.split]
        labels = label_cells(study.labels, CHEXPERT_LABELS, number)
        for view in study.views:
            name = f"{folder}/{view.view_id}.jpg"
            write_picture(view, root / FOLDER / name)
            if study.split == "test":
                rows["test"].append([name, *labels])
                continue
            is_lateral = view.position == "LATERAL"
            about = [words[study.sex], int(study.age), "Lateral" if is_lateral else "Frontal"]
            projection = "" if is_lateral else view.position
            rows[study.split].append([f"{FOLDER}/{name}", *about, projection, *labels])
    for split, table in TABLES.items():
        about = () if split == "test" else ABOUT
        write_table(root / FOLDER / table, ("Path", *about, *CHEXPERT_LABELS), rows[split])


LAYOUT = Layout(studies, write)
