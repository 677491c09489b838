"""Small downloads to spoil: tables by cell, pictures by byte, a person's own table of a few rows."""

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lib.data.ingest import ingest
from lib.data.layouts import write_layout
from lib.data.readers import open_reader
from lib.data.store import Store

DESCRIPTION = "table: studies.csv\ncolumns: {image: file, patient: pid}\n"


def rehearse(name: str, folder: Path, num_studies: int = 9) -> Path:
    """Write a synthetic download below a folder and return its root."""
    write_layout(name, folder / "root", num_studies=num_studies, image_size=48)
    return folder / "root"


def ingest_root(name: str, root: Path, **options) -> Store:
    """Ingest a download into a store beside its root."""
    out = root.with_name(f"{root.name}-store")
    return ingest(open_reader(name, root, **options), out, image_size=32, workers=0, progress=False)


def listed_drops(store: Store) -> list[tuple[str, str, str]]:
    """Return view, rule and detail of each drop."""
    return list(store.drops[["view_id", "rule", "detail"]].itertuples(index=False, name=None))


def picture(seed: int = 0, width: int = 24, height: int = 24) -> Image.Image:
    """Return smooth greys, none of them black."""
    coarse = np.random.default_rng(seed).integers(40, 255, (4, 4), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)


def write_own_table(
    root: Path, rows: Sequence[str], header: str = "file,pid", description: str = DESCRIPTION
) -> Path:
    """Write a table of one's own; `good.png` is there, whatever the rows say."""
    root.mkdir(exist_ok=True)
    (root / "dataset.yaml").write_text(description, encoding="utf-8")
    (root / "studies.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    picture().save(root / "good.png")
    return root


def table_text(path: Path) -> str:
    """Return the text of a table, plain or gzip."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def replace_table(path: Path, content: bytes) -> None:
    """Write the bytes of a table, packed where its name says so."""
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def edit_table(path: Path, edit: Callable[[list[list[str]]], object]) -> None:
    """Change the rows of a table, the header first among them, in place."""
    rows = list(csv.reader(io.StringIO(table_text(path))))
    edit(rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    replace_table(path, text.getvalue().encode())


def set_cell(path: Path, column: str, value: str, row: int = 1) -> str:
    """Change a cell of a table, rows counted from 1 below the header; return what was there."""
    before = []

    def edit(rows: list[list[str]]) -> None:
        place = rows[0].index(column)
        before.append(rows[row][place])
        rows[row][place] = value

    edit_table(path, edit)
    return before[0]


def cut(path: Path, share: float = 0.5) -> None:
    """Keep the first part of a file, as a download that broke off does."""
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
