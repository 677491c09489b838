"""MURA as `lib.data.readers.mura` reads it; the pictures stay those of a chest."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.layouts.layout import Layout, write_picture
from lib.data.readers.mura import LABEL, PARTS, PICTURES, SPLITS, STUDIES
from lib.data.study import Study

FOLDER = "MURA-v1.1"


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield the studies with official ids: abnormal where the phantom has a finding."""
    patients: dict[str, int] = {}
    visits: dict[tuple[str, str], int] = {}
    kept: dict[str, list[Study]] = {split: [] for split in SPLITS.values()}
    for number, phantom in enumerate(phantoms):
        place = patients.setdefault(phantom.patient_id, len(patients) + 1)
        patient, part = f"patient{place:05d}", PARTS[number % len(PARTS)]
        visits[patient, part] = visits.get((patient, part), 0) + 1
        is_abnormal = 1.0 in phantom.labels.values()
        study = f"study{visits[patient, part]}_{'positive' if is_abnormal else 'negative'}"
        study_id = f"{part}/{patient}/{study}"
        views = (
            dataclasses.replace(view, view_id=f"{study_id}/image{image}", position="UNKNOWN")
            for image, view in enumerate(phantom.views, start=1)
        )
        split = "validation" if place % 3 == 0 else "train"
        kept[split].append(
            Study(
                study_id=study_id,
                patient_id=patient,
                views=tuple(views),
                labels={LABEL: float(is_abnormal)},
                split=split,
            )
        )
    for members in kept.values():
        yield from members


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the pictures and the four tables, below the folder that the download unpacks to."""
    for folder, split in SPLITS.items():
        members = [study for study in studies if study.split == split]
        views = [view for study in members for view in study.views]
        for view in views:
            write_picture(view, root / FOLDER / folder / f"{view.view_id}.png")
        pictures = [f"{FOLDER}/{folder}/{view.view_id}.png\n" for view in views]
        labels = [f"{FOLDER}/{folder}/{study.study_id}/,{study.labels[LABEL]:.0f}\n" for study in members]
        for name, lines in ((PICTURES, pictures), (STUDIES, labels)):
            (root / FOLDER / name.format(folder)).write_text("".join(lines), encoding="utf-8")


LAYOUT = Layout(studies, write)
