"""The pieces that workers left -> one image array and the tables of a store, in a fixed order.

Every step can be done twice: pixels go to a place that the records before them determine, tables are
written from all records in one pass. So a resumed ingest ends in the same bytes.
"""

import contextlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from lib.atomic import atomic_path, write_json, write_text
from lib.data.card import card_columns, write_card
from lib.data.chunk import record_path
from lib.data.readers import Reader
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


def write_tables(partial: Path, num_chunks: int, reader: Reader, started: dict) -> dict:
    """Join the records of all chunks into the tables, in one pass; return the content of store.json."""
    num_studies = num_views = 0
    synthetic = False
    schemas = {"studies": studies_schema(reader.label_names), "views": VIEWS, "boxes": BOXES, "drops": DROPS}
    with contextlib.ExitStack() as stack:
        paths = {
            name: stack.enter_context(atomic_path(partial / "store" / f"{name}.parquet")) for name in schemas
        }
        tables = {name: stack.enter_context(TableWriter(paths[name], schemas[name])) for name in schemas}
        for index in range(num_chunks):
            record = json.loads(record_path(partial / "chunks", index).read_text(encoding="utf-8"))
            study_rows = {row[0]: num_studies + i for i, row in enumerate(record["studies"])}
            view_rows = {row[1]: num_views + i for i, row in enumerate(record["views"])}
            tables["studies"].add(record["studies"])
            tables["views"].add([study_rows[row[0]], *row] for row in record["views"])
            tables["boxes"].add([view_rows[row[0]], *row] for row in record["boxes"])
            tables["drops"].add(record["drops"])
            num_studies += len(study_rows)
            num_views += len(view_rows)
            synthetic |= record["synthetic"]
        digests = {name: table.finish() for name, table in tables.items()}
    identity = [digests[name] for name in ("studies", "views", "boxes")]  # drops name files: not content
    return {
        "format": FORMAT,
        "name": reader.name,
        "id": content_id(started["image_size"], reader.label_names, identity),
        "image_size": started["image_size"],
        "label_names": list(reader.label_names),
        "has_reports": reader.has_reports,
        "num_studies": num_studies,
        "num_views": num_views,
        "synthetic": synthetic,
        "source": reader.source,
        "licence": reader.licence,
        "label_noise": reader.label_noise,
        "made_from": started,
    }


def finish_store(partial: Path, out: Path, about: dict) -> None:
    """Complete the store, give it its name by one rename, and clear the work away."""
    folder = partial / "store"
    tables = {
        name: pd.read_parquet(folder / f"{name}.parquet", columns=columns)
        for name, columns in card_columns(about["label_names"]).items()
    }
    write_text(folder / "card.md", write_card(about, **tables))
    write_json(folder / "store.json", about)
    os.replace(folder, out)
    for name in FILES:
        (out / name).chmod(0o444)
    shutil.rmtree(partial)
