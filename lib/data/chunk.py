"""One chunk of an ingest: a few studies -> their pixels and table rows, written by a worker process.

Workers import this module, so it stays light: no torch, no pandas.
"""

import dataclasses
import hashlib
import json
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

RULES = (
    "refused_view",
    "missing_image",
    "unreadable_image",
    "duplicate_view",
    "no_views",
    "duplicate_study",
    "report_too_short",
    "bad_box",
)
"""Why a view or a study is not in the store; every case is a row of drops.parquet."""


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
        except FileNotFoundError:
            drop("missing_image", f"{view.path.name} is listed and not there", view.view_id)
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
            if view.path is None or getattr(error, "errno", None) is not None:
                raise  # a fault of ours or of the machine (permissions, a lost drive), not of the picture
            drop("unreadable_image", f"{view.path.name}: {_reason(error)}", view.view_id)
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
        x0, x1 = (min(max(x / width, 0.0), 1.0) * placement.width for x in (box.x0, box.x1))
        y0, y1 = (min(max(y / height, 0.0), 1.0) * placement.height for y in (box.y0, box.y1))
        if not (x0 < x1 and y0 < y1):  # NaN included
            corners = ", ".join(f"{value:g}" for value in (box.x0, box.y0, box.x1, box.y1))
            drop("bad_box", f"{box.finding}: no area inside the picture ({corners})", box.view_id)
            continue
        canvas = (*placement.to_canvas(x0, y0), *placement.to_canvas(x1, y1))
        record["boxes"].append([box.view_id, box.finding, *canvas, box.reader])


def _see(view: View, image_size: int) -> tuple[np.ndarray, Placement]:
    if view.path is None:
        return draw_picture(view.render(), image_size, view.aspect)
    return read_picture(view.path, image_size, view.aspect)


def _reason(error: Exception) -> str:
    """Say what is wrong with a picture, without the path that Pillow puts into its text."""
    if isinstance(error, Image.UnidentifiedImageError):
        return "not a picture that Pillow knows"
    return str(error) or type(error).__name__


def _study_row(study: Study, label_names: Sequence[str]) -> list:
    labels = [study.labels.get(name, float("nan")) for name in label_names]
    identity = [study.study_id, study.patient_id, study.sex, study.age, study.split]
    return [*identity, study.findings, study.impression, *labels]


def _view_row(study: Study, view: View, placement: Placement, picture: np.ndarray) -> list:
    sha1 = hashlib.sha1(picture.data).hexdigest()
    return [study.study_id, view.view_id, view.position, *placement, sha1]
