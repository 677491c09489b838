"""Ingest: the studies of a reader -> a store, in many processes, resumable after any kind of end.

The work lies in `OUT.partial` beside the store:

    started.json       what the ingest was started with
    chunks/NNNNNN.*    pixels and completion record of finished chunks; pixels move on into the store
    store/             the store under construction; renamed to OUT when it is whole

A chunk counts when its record is there. Its pixels are appended to the image array in the order of the data
set, and only then deleted, so every step can be done twice and a resumed ingest gives the same bytes.
"""

import contextlib
import errno
import fcntl
import hashlib
import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from lib.atomic import write_json
from lib.data.assembly import Tables, append_pixels, finish_array, finish_store, open_array
from lib.data.card import summarise
from lib.data.chunk import ChunkDone, ChunkJob, digest_studies, pixels_path, record_path
from lib.data.curation.curate import curate
from lib.data.readers import Reader
from lib.data.seen import SeenIds
from lib.data.store import Store
from lib.data.workers import count_workers, run_jobs

CHUNK_STUDIES = 32
"""Studies per chunk: what a kill can cost each worker. Fixed, so that a resume cuts the studies alike."""


def ingest(
    reader: Reader,
    out: Path | str,
    *,
    image_size: int = 256,
    limit: int | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Store:
    """Read a data set into a store, or continue doing so; a finished store is opened, never overwritten.

    Args:
        reader: an opened data set.
        out: folder of the store; `OUT.partial` beside it holds unfinished work.
        image_size: side of the square pictures, pixels.
        limit: read only that many studies; None reads all.
        workers: processes; None takes every core that this process may use, 0 works in this process.
        progress: show a progress bar and the summary.

    Returns:
        The store. Its `drops` list every view and study that was left out, by rule.

    Raises:
        ValueError: `out` holds something else, or no study is usable.
        OSError: the disk is full, or a file cannot be opened; run again after the fix, it continues.
    """
    if image_size < 1 or (limit is not None and limit < 1):
        raise ValueError(f"image_size {image_size} and limit {limit} must be at least 1.")
    out = Path(out)
    started = _fingerprint(reader, image_size, limit)
    partial = out.with_name(out.name + ".partial")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        store = _open_finished(out, started)
        shutil.rmtree(partial, ignore_errors=True)  # left by a kill right after the rename
        if progress:
            tqdm.write(f"{out} is finished already.\n" + summarise(store.about, store.drops, store.flags))
        return store
    with _claim(partial, started), _full_disk_explained(partial):
        about = _read_chunks(reader, partial, started, workers, progress)
        _refuse_empty(partial, about)
        about["not_looked_for"] = curate(partial / "store", workers=count_workers(workers), progress=progress)
        finish_store(partial, out, about)
    store = Store(out)
    if progress:
        tqdm.write(summarise(store.about, store.drops, store.flags))
    return store


def _fingerprint(reader: Reader, image_size: int, limit: int | None) -> dict:
    """Say what an ingest was started with, cheaply: options, size and the content of the first studies."""
    head = list(itertools.islice(reader, min(CHUNK_STUDIES, limit or CHUNK_STUDIES)))
    digest = hashlib.sha256(digest_studies(head).encode())
    generated = (view for study in head for view in study.views if view.render)
    for view in itertools.islice(generated, 1):
        digest.update(view.render().tobytes())  # options of a generator can show in pixels alone
    return {
        "reader": reader.name,
        "num_studies": len(reader),
        "limit": limit,
        "image_size": image_size,
        "label_names": list(reader.label_names),
        "first_studies": digest.hexdigest(),
    }


def _open_finished(out: Path, started: dict) -> Store:
    if not (out / "store.json").is_file():
        raise ValueError(f"{out} exists and is not a store; nothing was touched. Give another folder.")
    store = Store(out)
    if difference := _difference(store.about["made_from"], started):
        raise ValueError(
            f"{out} holds a finished store made with {difference}. A store is never overwritten: "
            "give another folder, or delete that one."
        )
    return store


@contextlib.contextmanager
def _claim(partial: Path, started: dict) -> Iterator[None]:
    """Make or reopen the work folder, for this process alone."""
    (partial / "chunks").mkdir(parents=True, exist_ok=True)
    (partial / "store").mkdir(exist_ok=True)
    with open(partial / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however it ends
        except BlockingIOError:
            raise ValueError(f"Another ingest is writing {partial} right now; wait for it.") from None
        notes = partial / "started.json"
        if not notes.is_file():
            write_json(notes, started)
        before = json.loads(notes.read_text(encoding="utf-8"))
        if difference := _difference(before, started):
            raise ValueError(
                f"{partial} holds an unfinished ingest with {difference}. Delete that folder to start over, "
                "or go on with the options of before."
            )
        yield


def _difference(before: dict, started: dict) -> str:
    """Say in words what an ingest was started with that is not so now; "" when nothing is."""
    for name, value in started.items():
        if name == "first_studies" and before.get(name) != value:
            return "other studies (another root, seed or option of the reader)"
        if before.get(name) != value:
            return f"{name} {before.get(name)!r}, not {value!r}"
    return ""


@contextlib.contextmanager
def _full_disk_explained(partial: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise OSError(
                error.errno,
                f"The disk is full while writing {partial}. Free some space and run the same command again: "
                "it continues where it stopped, and nothing else was touched",
            ) from error
        raise


def _read_chunks(reader: Reader, partial: Path, started: dict, workers: int | None, progress: bool) -> dict:
    """Have every chunk made, put them together in their order, and return the content of store.json."""
    image_size, limit = started["image_size"], started["limit"]
    total = len(reader) if limit is None else min(limit, len(reader))
    num_chunks = -(-total // CHUNK_STUDIES)
    jobs = _plan(reader, partial / "chunks", image_size, limit)
    results = run_jobs("lib.data.chunk:ingest_chunk", jobs, min(count_workers(workers), num_chunks))
    done: dict[int, ChunkDone] = {}
    appended = num_views = 0
    bar = tqdm(total=total, desc=f"ingest {reader.name}", unit="study", disable=not progress)
    with (
        bar,
        contextlib.closing(results),
        open_array(partial) as array,
        Tables(partial, reader.label_names) as tables,
    ):
        for chunk in results:
            done[chunk.index] = chunk
            bar.update(chunk.num_read)
            while appended in done:
                append_pixels(array, pixels_path(partial / "chunks", appended), num_views * image_size**2)
                tables.append(record_path(partial / "chunks", appended))
                num_views += done.pop(appended).num_views
                appended += 1
        assert not done, "a chunk was skipped"
        finish_array(array, num_views, image_size)
        return tables.finish(reader, started)


def _plan(reader: Reader, folder: Path, image_size: int, limit: int | None) -> Iterator[ChunkJob]:
    """Cut the studies into chunks and mark the ids that were read before."""
    study_ids, view_ids = SeenIds(), SeenIds()
    studies = itertools.islice(reader, limit)
    for index in itertools.count():
        chunk = tuple(itertools.islice(studies, CHUNK_STUDIES))
        if not chunk:
            return
        yield ChunkJob(
            index=index,
            folder=folder,
            studies=chunk,
            repeated_studies=study_ids.mark([study.study_id for study in chunk]),
            repeated_views=tuple(view_ids.mark([view.view_id for view in study.views]) for study in chunk),
            image_size=image_size,
            label_names=tuple(reader.label_names),
            has_reports=reader.has_reports,
        )


def _refuse_empty(partial: Path, about: dict) -> None:
    """Stop when nothing is left; the work is deleted, for its drops would outlive the fix."""
    if about["num_studies"] == 0:
        drops = pd.read_parquet(partial / "store" / "drops.parquet")
        shutil.rmtree(partial)
        example = f" For example study {drops.study_id[0]}: {drops.detail[0]}." if len(drops) else ""
        raise ValueError(f"No study is usable. {summarise(about, drops)}.{example} Check the root folder.")
