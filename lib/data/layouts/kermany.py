"""Kermany paediatric pneumonia radiographs as `lib.data.readers.kermany` reads them."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.layouts.layout import Layout, frontal_view, write_picture
from lib.data.readers.kermany import LABELS, SPLITS
from lib.data.study import Study

KINDS = {"Consolidation": "bacteria", "Edema": "virus"}
"""Phantom finding -> kind of pneumonia; of several the first counts."""

_VALUES = {"bacteria": (1.0, 1.0, 0.0), "virus": (1.0, 0.0, 1.0), "": (0.0, 0.0, 0.0)}


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield one study per frontal radiograph; persons are counted anew in the test part."""
    patients: dict[str, tuple[str, str, int]] = {}
    counts = {"train": 0, "test": 0}
    for number, phantom in enumerate(phantoms):
        view = frontal_view(phantom)
        if view is None:
            continue
        kind = KINDS.get(next((name for name in KINDS if phantom.labels.get(name) == 1), ""), "")
        if phantom.patient_id not in patients:
            part = ("train", "train", "test", "val", "train")[len(patients) % 5]
            side = "train" if part == "val" else part
            counts[side] += 1
            patients[phantom.patient_id] = part, side, counts[side]
        part, side, person = patients[phantom.patient_id]
        if kind:
            patient, name = f"person{person}", f"PNEUMONIA/person{person}_{kind}_{number}"
        else:
            patient, name = f"IM-{person:04d}", f"NORMAL/IM-{person:04d}-{number:04d}"
        name = f"{part}/{name}"
        yield Study(
            study_id=name,
            patient_id=f"{side}/{patient}",
            views=(dataclasses.replace(view, view_id=name, position="AP"),),
            labels=dict(zip(LABELS, _VALUES[kind], strict=True)),
            split=SPLITS[part],
        )


def write(studies: Sequence[Study], root: Path) -> None:
    """Write the pictures into the folders of their parts and classes."""
    for study in studies:
        (view,) = study.views
        write_picture(view, root / "chest_xray" / f"{view.view_id}.jpeg")


LAYOUT = Layout(studies, write)
