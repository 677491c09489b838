"""What readers of files share: the root, its tables as text, and pictures that never lie outside of it."""

import os
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from lib.data.study import View

ENCODINGS = ("utf-8-sig", "latin-1")
"""Tried in turn: with or without a byte order mark, then what older spreadsheet programs write."""

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm", ".dicom")
"""Kinds of files that a picture may have become in a copy; of several the first counts."""


def find_root(root: Path | None, data_set: str, layout: str) -> Path:
    """Return the root folder of a download.

    Args:
        root: as given by a person.
        data_set: its name in errors.
        layout: what lies in the root, for errors: one sentence without its full stop.

    Raises:
        FileNotFoundError: none given, or no folder there.
        ValueError: an archive instead of a folder.
    """
    if root is None:
        raise FileNotFoundError(f"{data_set} needs a root folder (--root DIR). {layout}.")
    if root.is_file():
        kind = "a zip archive" if zipfile.is_zipfile(root) else "a file"
        raise ValueError(f"{data_set} root {root} is {kind}; unpack it and give the folder. {layout}.")
    if not root.is_dir():
        raise FileNotFoundError(f"{data_set} root {root} does not exist. {layout}.")
    return root


def find_file(root: Path, names: Sequence[str], data_set: str, layout: str) -> Path:
    """Return the first of several files that is there, plain or as `.gz`.

    Raises:
        FileNotFoundError: none is; names the first.
    """
    for name in names:
        for path in (root / name, root / f"{name}.gz"):
            if path.is_file():
                return path
    others = f" (or {', '.join(names[1:])})" if len(names) > 1 else ""
    raise FileNotFoundError(f"{data_set} file {root / names[0]} is missing{others}. {layout}.")


def read_table(path: Path, needed: Sequence[str], data_set: str, **options) -> pd.DataFrame:
    """Read a CSV table as text: nothing is taken for a missing value, no id for a number.

    Line ends, a byte order mark and blanks around the column names do not matter.

    Args:
        path: the table, plain or gzip.
        needed: columns that must be there.
        data_set: its name in errors.
        options: of `pandas.read_csv`.

    Raises:
        ValueError: no table, or a column is missing; names the columns that are there.
    """
    for encoding in ENCODINGS:
        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding=encoding, **options)
        except UnicodeDecodeError:
            continue
        except (pd.errors.ParserError, pd.errors.EmptyDataError, OSError) as error:
            raise ValueError(
                f"{data_set} table {path} is not readable CSV ({error}). Download it again."
            ) from error
        break
    table = table.rename(columns=lambda name: str(name).strip())
    missing = [name for name in needed if name not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns))
        raise ValueError(
            f"{data_set} table {path} has no column {missing[0]!r} (found: {found}). Download it again."
        )
    return table


def numbers(table: pd.DataFrame, columns: Sequence[str], path: Path, data_set: str) -> pd.DataFrame:
    """Return columns of a text table as float64, empty cells as NaN.

    Raises:
        ValueError: a cell holds something else; names row and column.
    """
    texts = table[list(columns)].apply(lambda column: column.str.strip())
    values = texts.apply(pd.to_numeric, errors="coerce")
    wrong = (values.isna() & ~texts.isin(["", "nan", "NaN"])).to_numpy()
    if wrong.any():
        row, column = (int(places[0]) for places in wrong.nonzero())
        raise ValueError(
            f"{data_set} table {path}, row {row + 1}: {columns[column]} is {texts.iloc[row, column]!r}, "
            "not a number. Download it again."
        )
    return values.astype("float64")


def file_view(
    root: Path, name: str, *, view_id: str, found: Path | None = None, refused: str = "", **about
) -> View:
    """Return the view of a file that a table names; a name that leads out of the root is refused.

    Args:
        root: the folder that the name is relative to.
        name: as the table has it, with `/` between folders.
        view_id: unique inside the data set.
        found: the file itself, where a listing found it under another ending or folder.
        refused: why the picture is none of this data set's radiographs, "" where it is one.
        about: the other fields of a view.
    """
    leads_out = is_outside(name)
    return View(
        view_id=view_id,
        path=None if leads_out else (found or root / name),
        refused=f"the name {name!r} leads out of the root folder" if leads_out else refused,
        **about,
    )


def is_outside(name: str) -> bool:
    """Say whether a relative name in a table would lead out of its folder, on any system."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not parts or ".." in parts or parts[0] == "/" or bool(re.match(r"[A-Za-z]:", name)) or "\0" in name


def list_pictures(folders: Iterable[Path], suffixes: Sequence[str] = PICTURE_SUFFIXES) -> dict[str, Path]:
    """Return stem -> file for the pictures that lie directly in some folders; missing folders hold none."""
    found: dict[str, Path] = {}
    ranks = {suffix: rank for rank, suffix in enumerate(suffixes)}
    for folder in folders:
        if not folder.is_dir():
            continue
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            stem, suffix = os.path.splitext(name)
            rank = ranks.get(suffix.lower())
            if rank is None:
                continue
            before = found.get(stem)
            if before is None or rank < ranks[before.suffix.lower()]:
                found[stem] = folder / name
    return found


def read_split_lists(folder: Path, data_set: str) -> dict[str, str]:
    """Read the lists of a published split: file name (without folders) -> split.

    `train.txt`, `val.txt` or `valid.txt`, and `test.txt`, whitespace separated without a header: a file
    name, then whatever else. Where `train.txt` is missing, everything that no list names is for training.

    Raises:
        FileNotFoundError: no list there.
        ValueError: a file stands in two lists.
    """
    files = {"train": ("train.txt",), "validation": ("val.txt", "valid.txt"), "test": ("test.txt",)}
    splits: dict[str, str] = {}
    for split, names in files.items():
        for path in (folder / name for name in names):
            if not path.is_file():
                continue
            for line in path.read_text(encoding="utf-8-sig").splitlines():
                if not line.strip():
                    continue
                name = PurePosixPath(line.split()[0]).name
                if splits.setdefault(name, split) != split:
                    raise ValueError(f"{data_set} split list {path}: {name} is for {splits[name]} as well.")
    if not splits:
        raise FileNotFoundError(
            f"{data_set} split lists {folder} holds no train.txt, val.txt (or valid.txt) or test.txt."
        )
    return splits
