"""The store: an immutable folder with one uint8 image array and the tables that describe it.

    images.npy       uint8 [N, S, S], one row per view
    studies.parquet  one row per study: identity, report sections, labels
    views.parquet    one row per view, in the order of images.npy; views of a study are neighbours
    boxes.parquet    findings marked by readers, corners in store pixels
    drops.parquet    what ingest left out, with the rule and the detail
    flags.parquet    what is odd about pictures that are in, see `lib.data.curation.flags`
    sketches.npy     float16 [N, D], by which copies are found, see `lib.data.curation.fingerprint`
    store.json       format, id, size, label names, where it comes from
    card.md          the same for people

The id is a hash of what the tables say, the pixels' own hashes among it: two stores with one id hold the
same studies and the same pictures, wherever and however they were made.
"""

import functools
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lib.data.reports import report_text

FORMAT = 2
LABEL_PREFIX = "label/"
FILES = (
    "images.npy",
    "studies.parquet",
    "views.parquet",
    "boxes.parquet",
    "drops.parquet",
    "flags.parquet",
    "sketches.npy",
    "store.json",
    "card.md",
)

VIEWS = pa.schema(
    [
        ("study_row", pa.int64()),
        ("study_id", pa.string()),
        ("view_id", pa.string()),
        ("position", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("scale", pa.float64()),
        ("pad_x", pa.int32()),
        ("pad_y", pa.int32()),
        ("content_width", pa.int32()),
        ("content_height", pa.int32()),
        ("sha1", pa.string()),  # of the stored pixels
    ]
)
BOXES = pa.schema(
    [
        ("view_row", pa.int64()),
        ("view_id", pa.string()),
        ("finding", pa.string()),
        *((corner, pa.float64()) for corner in ("x0", "y0", "x1", "y1")),
        ("reader", pa.string()),
    ]
)
DROPS = pa.schema([(name, pa.string()) for name in ("study_id", "view_id", "rule", "detail")])


def studies_schema(label_names: Sequence[str]) -> pa.Schema:
    """Return the columns of studies.parquet."""
    return pa.schema(
        [
            ("study_id", pa.string()),
            ("patient_id", pa.string()),
            ("sex", pa.string()),
            ("age", pa.float32()),
            ("split", pa.string()),
            ("findings", pa.string()),
            ("impression", pa.string()),
            *((LABEL_PREFIX + name, pa.float32()) for name in label_names),
        ]
    )


class TableWriter:
    """Writes rows to a parquet file as they come, and hashes their values as they are stored.

    The hash is over values, not bytes of the file, so another parquet library gives the same one.
    """

    ROW_GROUP = 2048

    def __init__(self, path: Path, schema: pa.Schema):
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema)
        self._digest = hashlib.sha256(json.dumps(schema.names).encode())
        self._rows: list[Sequence] = []

    def add(self, rows: Iterable[Sequence]) -> None:
        """Append rows; values in the order of the schema."""
        self._rows.extend(rows)
        if len(self._rows) >= self.ROW_GROUP:
            self._flush()

    def finish(self) -> str:
        """Write what is left and return the hash of all rows, 64 hex digits."""
        if self._rows:
            self._flush()
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._writer.close()

    def _flush(self) -> None:
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        hash_rows(self._digest, table)
        self._writer.write_table(table)
        self._rows.clear()


def hash_rows(digest, table: pa.Table) -> None:
    """Feed the rows of a table to a hashlib object, one JSON line each."""
    columns = [column.to_pylist() for column in table.columns]
    for row in zip(*columns, strict=True):
        digest.update(json.dumps(row).encode())
        digest.update(b"\n")


def content_id(image_size: int, label_names: Sequence[str], table_digests: Iterable[str]) -> str:
    """Return the id of a store from the hashes of its studies, views and boxes."""
    content = {"format": FORMAT, "image_size": image_size, "label_names": list(label_names)}
    return hashlib.sha256(json.dumps([content, list(table_digests)]).encode()).hexdigest()


class Store:
    """An opened store; read-only.

    Attributes:
        path: its folder.
        name: of the reader that it was made from.
        id: 64 hex digits, the hash of its content.
        image_size: side S of the square pictures, pixels.
        label_names: K names, the order of `labels`.
        has_reports: whether its studies come with reports.
        synthetic: whether its pictures were generated; say so wherever its numbers appear.
        about: everything that store.json says.
    """

    def __init__(self, path: Path | str):
        """Open a finished store.

        Raises:
            FileNotFoundError: no store there, or a file of it is missing.
            ValueError: made by another version of the format, or damaged.
        """
        self.path = Path(path)
        self.about = _read_about(self.path)
        self.name: str = self.about["name"]
        self.id: str = self.about["id"]
        self.image_size: int = self.about["image_size"]
        self.label_names: tuple[str, ...] = tuple(self.about["label_names"])
        self.has_reports: bool = self.about["has_reports"]
        self.synthetic: bool = self.about["synthetic"]
        expected = (self.about["num_views"], self.image_size, self.image_size)
        if self.images.shape != expected:
            raise ValueError(
                f"{self.path / 'images.npy'} has shape {self.images.shape}, store.json says {expected}: "
                "the store is damaged. Delete the folder and ingest again."
            )

    def __len__(self) -> int:
        """Return the number of studies."""
        return self.about["num_studies"]

    def __repr__(self) -> str:
        return (
            f"Store({self.name!r}, {len(self)} studies, {self.about['num_views']} views, id {self.id[:12]})"
        )

    @property
    def images(self) -> np.memmap:
        """A fresh read-only map, uint8 `[N, S, S]`; drop it after use, touched pages count as memory."""
        return np.load(self.path / "images.npy", mmap_mode="r")

    @functools.cached_property
    def sketches(self) -> np.ndarray:
        """Float16 `[N, D]`: one short description per picture, by which copies are found."""
        return np.load(self.path / "sketches.npy")

    @functools.cached_property
    def studies(self) -> pd.DataFrame:
        """One row per study: study_id, patient_id, sex, age, split, findings, impression, label/<name>."""
        return self._table("studies")

    @functools.cached_property
    def views(self) -> pd.DataFrame:
        """One row per view, in the order of `images`; see `VIEWS`."""
        return self._table("views")

    @functools.cached_property
    def boxes(self) -> pd.DataFrame:
        """One row per box, corners in store pixels; see `BOXES`."""
        return self._table("boxes")

    @functools.cached_property
    def drops(self) -> pd.DataFrame:
        """One row per view or study that ingest left out: study_id, view_id, rule, detail."""
        return self._table("drops")

    @functools.cached_property
    def flags(self) -> pd.DataFrame:
        """One row per view and what is odd about it; see `lib.data.curation.flags.SCHEMA`."""
        return self._table("flags")

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """Float32 `[len(store), K]`: 1, 0 or NaN (not known)."""
        columns = [LABEL_PREFIX + name for name in self.label_names]
        return np.ascontiguousarray(self.studies[columns].to_numpy(np.float32))

    @functools.cached_property
    def texts(self) -> list[str]:
        """The report of each study as models read it, "" where there is none."""
        return [
            report_text(*sections)
            for sections in zip(self.studies.findings, self.studies.impression, strict=True)
        ]

    @functools.cached_property
    def view_offsets(self) -> np.ndarray:
        """Int64 `[len(store) + 1]`: the views of study i are the rows offsets[i]:offsets[i + 1]."""
        counts = np.bincount(self.views.study_row.to_numpy(), minlength=len(self))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def _table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.path / f"{name}.parquet")


def _read_about(path: Path) -> dict:
    if not (path / "store.json").is_file():
        raise FileNotFoundError(
            f"{path} is not a store (no store.json there). Make one: workbench ingest NAME --out {path}"
        )
    about = json.loads((path / "store.json").read_text(encoding="utf-8"))
    if about.get("format") != FORMAT:
        raise ValueError(
            f"{path / 'store.json'} has store format {about.get('format')!r}, this version reads {FORMAT}. "
            "Delete the folder and ingest again."
        )
    missing = [name for name in FILES if not (path / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{path / missing[0]} is missing: the store is damaged. Delete it and ingest again."
        )
    return about
