"""All pictures of a store under construction -> their sketches and flags."""

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib.format import open_memmap
from tqdm.auto import tqdm

from lib.atomic import atomic_path
from lib.data.curation.copies import Pictures, find_copies
from lib.data.curation.fingerprint import SKETCH
from lib.data.curation.flags import SCHEMA
from lib.data.curation.look import LookJob
from lib.data.curation.oddities import KINDS, find_odd_ones
from lib.data.curation.thumbnail import SIDE
from lib.data.workers import run_jobs

JOB = 256
"""Pictures per job of a worker."""

FRAME = ("pad_x", "pad_y", "content_width", "content_height")


@dataclasses.dataclass(frozen=True)
class Views:
    """What is needed of the views of a store, a few bytes for each.

    Attributes:
        study: row of the study, int64 `[N]`.
        kind: index into `KINDS`, int8 `[N]`.
        hashes: of the pixels, 20 bytes `[N]`.
        frames: pad_x, pad_y, content_width and content_height, int32 `[N, 4]`.
    """

    study: np.ndarray
    kind: np.ndarray
    hashes: np.ndarray
    frames: np.ndarray


def curate(folder: Path, *, workers: int, progress: bool) -> list[str]:
    """Look at the pictures of a store, write `sketches.npy` and `flags.parquet` beside them.

    What is kept of every picture lies in files, so that memory grows by some 50 bytes for each.

    Args:
        folder: holds `images.npy` and `views.parquet`.
        workers: processes; 0 works in this process.
        progress: show a bar.

    Returns:
        What could not be looked for, in sentences.
    """
    views = _read_views(folder / "views.parquet")
    size = len(views.study)
    with (
        tempfile.TemporaryDirectory(dir=folder.parent) as scratch,
        atomic_path(folder / "sketches.npy") as temporary,
    ):
        sketched = open_memmap(temporary, "w+", np.float16, (size, SKETCH))
        thumbnails = open_memmap(Path(scratch) / "thumbnails.npy", "w+", np.uint8, (size, SIDE, SIDE))
        ovals = np.empty(size, np.float32)
        jobs = _plan(folder / "images.npy", views.frames)
        with tqdm(total=size, desc="look at pictures", unit="picture", disable=not progress) as bar:
            for look in run_jobs("lib.data.curation.look:look", jobs, min(workers, -(-size // JOB))):
                part = slice(look.start, look.start + len(look.ovals))
                sketched[part], thumbnails[part], ovals[part] = look.sketches, look.thumbnails, look.ovals
                bar.update(len(look.ovals))
        images = np.load(folder / "images.npy", mmap_mode="r")
        rows = list(_copies(Pictures(images, np.arange(size), views.hashes, sketched)))
        odd, unseen = find_odd_ones(views.study, views.kind, thumbnails, ovals)
        rows += odd
        rows += [(row, "blank", 1.0, -1, "") for row in np.flatnonzero(~sketched.any(1)).tolist()]
        sketched.flush()
    _write_flags(folder, sorted(rows))
    return unseen


def _read_views(path: Path) -> Views:
    kinds = {position: code for code, names in enumerate(KINDS.values()) for position in names}
    study, kind, hashes, frames = [], [], [], []
    for batch in pq.ParquetFile(path).iter_batches(4096, columns=["study_row", "position", "sha1", *FRAME]):
        table = batch.to_pydict()
        study.append(np.array(table["study_row"], np.int64))
        kind.append(np.array([kinds[position] for position in table["position"]], np.int8))
        hashes.append(np.array([bytes.fromhex(sha1) for sha1 in table["sha1"]], "V20"))
        frames.append(np.stack([table[name] for name in FRAME], axis=1).astype(np.int32))
    return Views(*map(np.concatenate, (study, kind, hashes, frames)))


def _plan(images: Path, frames: np.ndarray) -> Iterator[LookJob]:
    for start in range(0, len(frames), JOB):
        yield LookJob(start, images, frames[start : start + JOB])


def _write_flags(folder: Path, rows: Sequence[tuple]) -> None:
    """Write the rows: view row, flag, score, row of the twin or -1, detail."""
    wanted = sorted({row for view, _, _, twin, _ in rows for row in (view, twin) if row >= 0})
    column = pq.read_table(folder / "views.parquet", columns=["view_id"]).column("view_id")
    names = dict(zip(wanted, column.take(wanted).to_pylist(), strict=True)) if wanted else {}
    table = pa.Table.from_pylist(
        [
            {
                "view_row": row,
                "view_id": names[row],
                "flag": flag,
                "score": min(1.0, float(score)),  # a correlation may round above 1
                "twin": names.get(twin, ""),
                "detail": detail,
            }
            for row, flag, score, twin, detail in rows
        ],
        SCHEMA,
    )
    with atomic_path(folder / "flags.parquet") as temporary:
        pq.write_table(table, temporary)


def _copies(pictures: Pictures) -> Iterator[tuple]:
    """Yield each picture that shows what an earlier one does, with the first of those."""
    for found in find_copies(pictures, pictures):
        rows, first = np.unique(found.pairs[:, 0], return_index=True)
        for row, twin, score in zip(rows, found.pairs[first, 1], found.score[first], strict=True):
            yield int(row), found.kind, score, int(twin), ""
