"""One chunk of an ingest: a few studies -> their pixels and table rows, written by a worker process.

Workers import this module, so it stays light: no torch, no pandas.
"""

import dataclasses
import errno
import hashlib
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from lib.atomic import atomic_path, write_text
from lib.data.decode import Placement, draw_picture, read_picture
from lib.data.reports import count_tokens
from lib.data.study import Study, View

MIN_REPORT_TOKENS = 3
"""REFERS, datasets for pre-training: a text of fewer tokens is removed."""

MIN_SIDE = 8
"""Pixels; a file with a shorter side is a placeholder or the picture of a button."""

NO_SUCH_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
"""How the system says that there is no file of a name: also where no file can have it."""

FAULTS_ELSEWHERE = (ImportError, MemoryError, AssertionError)
"""A package that is not installed, the machine, ourselves: not a fault of the picture, so ingest stops."""

RULES = {
    "refused_view": "the reader must not read a picture, for example a CT or a path outside the root; "
    "its detail says why",
    "missing_image": "the table names a picture that is not there; see whether the download is complete",
    "unreadable_image": "a picture is damaged or is no picture; download it again",
    "duplicate_view": "a picture is listed twice; the first entry is in the store",
    "no_views": "no picture of the study could be used; the entries of its pictures say why",
    "duplicate_study": "a study is listed twice; the first entry is in the store",
    "report_too_short": "findings and impression have fewer words together than a model can learn from",
    "bad_box": "a box has no area inside its picture; the picture is in the store without it",
}
"""Why a view or a study is not in the store, and what to do; every case is a row of drops.parquet."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChunkJob:
    """What a worker needs to know.

    Attributes:
        index: position of the chunk in the data set.
        folder: where the chunk's files go.
        studies: as the reader yields them.
        repeated_studies: for each study, whether its id was read before.
        repeated_views: for each study and each of its views, whether that id was read before.
        image_size: side of the stored pictures, pixels.
        label_names: order of the label columns.
        has_reports: whether a study without text is a defect.
    """

    index: int
    folder: Path
    studies: tuple[Study, ...]
    repeated_studies: tuple[bool, ...]
    repeated_views: tuple[tuple[bool, ...], ...]
    image_size: int
    label_names: tuple[str, ...]
    has_reports: bool


@dataclasses.dataclass(frozen=True)
class ChunkDone:
    """What a worker reports back; the rest is on disk."""

    index: int
    num_read: int
    num_views: int


def pixels_path(folder: Path, index: int) -> Path:
    """Return where the pixels of a chunk wait, raw uint8 `[views, S, S]`, until they are in the store."""
    return folder / f"{index:06d}.pixels"


def record_path(folder: Path, index: int) -> Path:
    """Return the completion record of a chunk: when this file is there, the chunk is done."""
    return folder / f"{index:06d}.json"


def digest_studies(studies: Sequence[Study]) -> str:
    """Hash what studies say, without paths and pixels."""
    digest = hashlib.sha256()
    for study in studies:
        views = [
            (view.view_id, view.position, view.aspect, view.box_frame, view.refused) for view in study.views
        ]
        boxes = [dataclasses.astuple(box) for box in study.boxes]
        plain = (study.study_id, study.patient_id, study.sex, study.age, study.split, study.findings)
        digest.update(json.dumps([plain, study.impression, dict(study.labels), views, boxes]).encode())
    return digest.hexdigest()


def ingest_chunk(job: ChunkJob) -> ChunkDone:
    """Decode the views of a chunk and write its pixels, then its record; a finished chunk is left alone.

    Raises:
        ValueError: the chunk on disk was made from other studies, or a reader broke its contract.
        OSError: a file cannot be opened or written (full disk); names it.
    """
    digest = digest_studies(job.studies)
    done = record_path(job.folder, job.index)
    if done.is_file():
        record = json.loads(done.read_text(encoding="utf-8"))
        if record["digest"] != digest:
            raise ValueError(
                f"{job.folder.parent} holds an unfinished ingest of other studies (chunk {job.index}). "
                "Delete that folder to start over, or ingest with the options it was started with."
            )
        return ChunkDone(job.index, len(job.studies), len(record["views"]))
    record = {"digest": digest, "synthetic": False, "studies": [], "views": [], "boxes": [], "drops": []}
    with atomic_path(pixels_path(job.folder, job.index)) as temporary, open(temporary, "wb") as pixels:
        for position, study in enumerate(job.studies):
            if job.repeated_studies[position]:
                record["drops"].append([study.study_id, "", "duplicate_study", "the id was read before"])
            else:
                _ingest_study(study, job.repeated_views[position], job, record, pixels)
    write_text(done, json.dumps(record, ensure_ascii=False))
    return ChunkDone(job.index, len(job.studies), len(record["views"]))


def _ingest_study(
    study: Study, repeated_views: Sequence[bool], job: ChunkJob, record: dict, pixels: BinaryIO
) -> None:
    """Append the study to the record and its pictures to the pixels, or say in drops why not."""

    def drop(rule: str, detail: str, view_id: str = "") -> None:
        record["drops"].append([study.study_id, view_id, rule, detail])

    num_tokens = count_tokens(f"{study.findings} {study.impression}")
    if job.has_reports and num_tokens < MIN_REPORT_TOKENS:
        return drop("report_too_short", f"{num_tokens} tokens in findings and impression together")
    unknown = set(study.labels) - set(job.label_names)
    if unknown:
        raise ValueError(
            f"Study {study.study_id} has labels {sorted(unknown)} that are not in the reader's label_names."
        )
    placements: dict[str, Placement] = {}
    for view, repeated in zip(study.views, repeated_views, strict=True):
        if repeated:
            drop("duplicate_view", "the id was read before", view.view_id)
            continue
        if view.refused:
            drop("refused_view", view.refused, view.view_id)
            continue
        try:
            picture, placement = _see(view, job.image_size)
        except Exception as error:  # a damaged file makes decoders raise almost anything
            number = getattr(error, "errno", None)
            if view.path is not None and number in NO_SUCH_FILE:
                drop("missing_image", f"{_name(view.path)} is listed and not there", view.view_id)
                continue
            if view.path is None or number is not None or isinstance(error, FAULTS_ELSEWHERE):
                error.add_note(f"View {view.view_id} of study {study.study_id}: {view.path or 'generated'}.")
                raise
            drop("unreadable_image", f"{_name(view.path)}: {_reason(error, view.path)}", view.view_id)
        else:
            placements[view.view_id] = placement
            pixels.write(picture.data)
            record["synthetic"] |= view.path is None
            record["views"].append(_view_row(study, view, placement, picture))
    if not placements:
        return drop("no_views", f"none of {len(study.views)} views is usable")
    record["studies"].append(_study_row(study, job.label_names))
    frames = {view.view_id: view.box_frame for view in study.views}
    for box in study.boxes:
        if box.view_id not in placements:
            continue
        placement = placements[box.view_id]
        width, height = frames[box.view_id] or (placement.width, placement.height)
        corners = (box.x0, box.y0, box.x1, box.y1)
        x0, x1 = (min(max(x / width, 0.0), 1.0) * placement.width for x in (box.x0, box.x1))
        y0, y1 = (min(max(y / height, 0.0), 1.0) * placement.height for y in (box.y0, box.y1))
        if not (x0 < x1 and y0 < y1 and all(map(math.isfinite, corners))):
            said = ", ".join(f"{value:g}" for value in corners)
            drop("bad_box", f"{box.finding}: no area inside the picture ({said})", box.view_id)
            continue
        canvas = (*placement.to_canvas(x0, y0), *placement.to_canvas(x1, y1))
        record["boxes"].append([box.view_id, box.finding, *canvas, box.reader])


def _see(view: View, image_size: int) -> tuple[np.ndarray, Placement]:
    if view.path is None:
        return draw_picture(view.render(), image_size, view.aspect)
    picture, placement = read_picture(view.path, image_size, view.aspect)
    if min(placement.width, placement.height) < MIN_SIDE:
        raise ValueError(f"{placement.width} x {placement.height} pixels are no radiograph")
    return picture, placement


def _name(path: Path) -> str:
    """Return the name of a file, the odd bytes of one that is no text in UTF-8 spelled out."""
    return path.name.encode("utf-8", "backslashreplace").decode()


def _reason(error: Exception, path: Path) -> str:
    """Say what is wrong with a picture, the same in every run: without paths and addresses."""
    with open(path, "rb") as file:
        start = file.read(64).lstrip().lower()
    if not start:
        return "the file is empty"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page, not a picture; was the download refused?"
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture that Pillow knows"
    words = re.sub(r" at 0x[0-9a-f]+", "", " ".join(str(error).split()))
    is_plain = isinstance(error, OSError | ValueError | SyntaxError | Image.DecompressionBombError)
    return words if words and is_plain else f"{type(error).__name__} {words}".rstrip()


def _study_row(study: Study, label_names: Sequence[str]) -> list:
    labels = [study.labels.get(name, float("nan")) for name in label_names]
    identity = [study.study_id, study.patient_id, study.sex, study.age, study.split]
    return [*identity, study.findings, study.impression, *labels]


def _view_row(study: Study, view: View, placement: Placement, picture: np.ndarray) -> list:
    sha1 = hashlib.sha1(picture.data).hexdigest()
    return [study.study_id, view.view_id, view.position, *placement, sha1]
