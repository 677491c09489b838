"""MIMIC-CXR-JPG with the reports of MIMIC-CXR beside it, as `lib.data.readers.mimic_cxr` reads it."""

import dataclasses
import gzip
import hashlib
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.layouts.layout import Layout, write_picture, write_table
from lib.data.layouts.mentions import label_cells, labels_as_mentioned
from lib.data.readers.mimic_cxr import LABEL_TABLES, METADATA, SPLIT
from lib.data.study import Study

METADATA_COLUMNS = (
    "dicom_id",
    "subject_id",
    "study_id",
    "PerformedProcedureStepDescription",
    "ViewPosition",
    "Rows",
    "Columns",
    "StudyDate",
    "StudyTime",
    "ProcedureCodeSequence_CodeMeaning",
    "ViewCodeSequence_CodeMeaning",
    "PatientOrientationCodeSequence_CodeMeaning",
)
MEANINGS = {
    "PA": "postero-anterior",
    "AP": "antero-posterior",
    "LATERAL": "lateral",
    "LL": "left lateral",
}
PROCEDURES = {True: "CHEST (PA AND LAT)", False: "CHEST (PORTABLE AP)"}
LABEL_COLUMNS = tuple(sorted(CHEXPERT_LABELS))
"""The official order."""

LINE_LENGTH = 78


def studies(phantoms: Iterable[Study]) -> Iterator[Study]:
    """Yield the studies with official ids and labels, their reports in short lines."""
    patients: dict[str, int] = {}
    for number, phantom in enumerate(phantoms):
        patient = patients.setdefault(phantom.patient_id, len(patients))
        yield Study(
            study_id=f"{50_000_000 + number}",
            patient_id=f"{10 + patient % 10}{patient:06d}",
            views=tuple(dataclasses.replace(view, view_id=_dicom_id(view.view_id)) for view in phantom.views),
            findings=_wrap(phantom.findings),
            impression=_wrap(phantom.impression),
            labels=labels_as_mentioned(phantom),
            split=("train", "train", "validation", "test")[patient % 4],
        )


def write(studies: Sequence[Study], root: Path) -> None:
    """Write pictures, reports and the four packed tables."""
    pictures, splits, labels = [], [], []
    for number, study in enumerate(studies):
        patient = root / "files" / f"p{study.patient_id[:2]}" / f"p{study.patient_id}"
        has_lateral = any(view.position == "LATERAL" for view in study.views)
        for place, view in enumerate(study.views):
            write_picture(view, patient / f"s{study.study_id}" / f"{view.view_id}.jpg")
            size = len(view.render())
            position = "LL" if view.position == "LATERAL" and number % 2 else view.position
            procedure = PROCEDURES[has_lateral]
            pictures.append(
                (
                    view.view_id,
                    study.patient_id,
                    study.study_id,
                    procedure,
                    position,
                    size,
                    size,
                    f"2180{1 + number % 12:02d}{1 + number % 28:02d}",
                    f"{80_000 + place}.{number:03d}",
                    procedure,
                    MEANINGS[position],
                    "Erect" if has_lateral else "",
                )
            )
            split = "validate" if study.split == "validation" else study.split
            splits.append((view.view_id, study.study_id, study.patient_id, split))
        (patient / f"s{study.study_id}.txt").write_text(_report(study), encoding="utf-8")
        labels.append((study.patient_id, study.study_id, *label_cells(study.labels, LABEL_COLUMNS, number)))
    _write_packed(root / METADATA, METADATA_COLUMNS, pictures)
    _write_packed(root / SPLIT, ("dicom_id", "study_id", "subject_id", "split"), splits)
    for name in LABEL_TABLES.values():
        _write_packed(root / name, ("subject_id", "study_id", *LABEL_COLUMNS), labels)


def _dicom_id(view_id: str) -> str:
    """Return an id of the official shape: five groups of eight hexadecimal digits."""
    return "-".join(textwrap.wrap(hashlib.sha1(view_id.encode()).hexdigest(), 8))


def _wrap(text: str) -> str:
    """Break a section into lines that start with a blank, as the reports are."""
    return "\n ".join(textwrap.wrap(text, LINE_LENGTH, break_long_words=False, break_on_hyphens=False))


def _report(study: Study) -> str:
    """Return the report in the usual form: a title, sections under headings, removed words as `___`."""
    parts = ["                                 FINAL REPORT", " EXAMINATION:  CHEST RADIOGRAPH"]
    parts += [" INDICATION:  ___ with shortness of breath.", " COMPARISON:  None."]
    sections = {"FINDINGS": study.findings, "IMPRESSION": study.impression}
    parts += [f" {name}:\n \n {text}" for name, text in sections.items() if text]
    return "\n \n".join(parts) + "\n"


def _write_packed(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a gzip table; without a time in it, so that its bytes are always the same."""
    write_table(path, header, rows)
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


LAYOUT = Layout(studies, write)
