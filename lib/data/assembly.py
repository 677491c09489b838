"""The pieces that workers left -> one image array and the tables of a store, in a fixed order.

Every step can be done twice: pixels go to a place that the records before them determine, tables are
written from all records in one pass. So a resumed ingest ends in the same bytes.
"""

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lib.atomic import atomic_path, write_json, write_text
from lib.data.card import card_columns, write_card
from lib.data.readers import Reader
from lib.data.report_statistics import report_statistics
from lib.data.store import BOXES, DROPS, FILES, FORMAT, VIEWS, TableWriter, content_id, studies_schema

HEADER_BYTES = 128
"""Size of the header of images.npy; numpy leaves room in it for any number of rows."""


def open_array(partial: Path) -> BinaryIO:
    """Open the image array under construction for reading and writing."""
    path = partial / "store" / "images.npy"
    path.touch()
    return open(path, "r+b")


def append_pixels(array: BinaryIO, pixels: Path, offset: int) -> None:
    """Move the pixels of a chunk to their place; where the file is gone this was done before."""
    if pixels.is_file():
        array.seek(HEADER_BYTES + offset)
        with open(pixels, "rb") as source:
            shutil.copyfileobj(source, array, 2**22)
        _sync(array)
        pixels.unlink()


def finish_array(array: BinaryIO, num_views: int, image_size: int) -> None:
    """Write the header, now that the number of rows is known, and cut off what an earlier end left."""
    header = io.BytesIO()
    shape = (num_views, image_size, image_size)
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    assert header.tell() == HEADER_BYTES
    array.truncate(HEADER_BYTES + num_views * image_size**2)
    array.seek(0)
    array.write(header.getvalue())
    _sync(array)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


class Tables:
    """The tables of a store under construction: they grow by a chunk at a time, in memory that does not.

    Left early, they are gone; the next ingest writes them again from the records of all chunks.
    """

    def __init__(self, partial: Path, label_names: Sequence[str]):
        self._folder = partial / "store"
        self._schemas = {
            "studies": studies_schema(label_names),
            "views": VIEWS,
            "boxes": BOXES,
            "drops": DROPS,
        }
        self._num_studies = self._num_views = 0
        self._synthetic = False

    def __enter__(self) -> Self:
        for left in self._folder.glob(".*.tmp.*"):  # by a kill
            left.unlink()
        with contextlib.ExitStack() as stack:
            self._tables = {}
            for name, schema in self._schemas.items():
                path = stack.enter_context(atomic_path(self._folder / f"{name}.parquet"))
                self._tables[name] = stack.enter_context(TableWriter(path, schema))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)
        pa.default_memory_pool().release_unused()  # it keeps the buffers of the writers otherwise

    def append(self, path: Path) -> None:
        """Append the rows of the record of a chunk."""
        record = json.loads(path.read_text(encoding="utf-8"))
        study_rows = {row[0]: self._num_studies + i for i, row in enumerate(record["studies"])}
        view_rows = {row[1]: self._num_views + i for i, row in enumerate(record["views"])}
        self._tables["studies"].add(record["studies"])
        self._tables["views"].add([study_rows[row[0]], *row] for row in record["views"])
        self._tables["boxes"].add([view_rows[row[0]], *row] for row in record["boxes"])
        self._tables["drops"].add(record["drops"])
        self._num_studies += len(study_rows)
        self._num_views += len(view_rows)
        self._synthetic |= record["synthetic"]

    def finish(self, reader: Reader, started: dict) -> dict:
        """Write what is left; return the content of store.json."""
        digests = {name: table.finish() for name, table in self._tables.items()}
        identity = [digests[name] for name in ("studies", "views", "boxes")]  # drops name files: not content
        return {
            "format": FORMAT,
            "name": reader.name,
            "id": content_id(started["image_size"], reader.label_names, identity),
            "image_size": started["image_size"],
            "label_names": list(reader.label_names),
            "has_reports": reader.has_reports,
            "num_studies": self._num_studies,
            "num_views": self._num_views,
            "synthetic": self._synthetic,
            "source": reader.source,
            "licence": reader.licence,
            "label_noise": reader.label_noise,
            "made_from": started,
        }


def _read_reports(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the findings and impression of each study, a few thousand in memory at a time."""
    file = pq.ParquetFile(folder / "studies.parquet", pre_buffer=False)
    columns = ["findings", "impression"]
    for batch in file.iter_batches(TableWriter.ROW_GROUP, columns=columns, use_threads=False):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def finish_store(partial: Path, out: Path, about: dict) -> None:
    """Complete the store, give it its name by one rename, and clear the work away."""
    folder = partial / "store"
    reports = report_statistics(_read_reports(folder))
    tables = {
        name: _read_columns(folder / f"{name}.parquet", columns)
        for name, columns in card_columns(about["label_names"]).items()
    }
    write_text(folder / "card.md", write_card(about, tables, reports))
    write_json(folder / "store.json", about)
    os.replace(folder, out)
    for name in FILES:
        (out / name).chmod(0o444)
    shutil.rmtree(partial)


def _read_columns(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read some columns of a table in one thread and a group at a time; threads keep what they buffered."""
    file = pq.ParquetFile(path, pre_buffer=False)
    groups = [
        file.read_row_group(number, columns, use_threads=False).select(columns)
        for number in range(file.num_row_groups)
    ]
    empty = file.schema_arrow.empty_table().select(columns)
    return pa.concat_tables([empty, *groups]).to_pandas(use_threads=False)
