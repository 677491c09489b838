"""Tables of a download as text: every row whole, every column named once, every id there.

pandas reads them fast and says nothing of a row that is cut short, of two columns with one name or of a quote
that swallows rows. So each table is looked through once before.
"""

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

ENCODINGS = ("utf-8-sig", "latin-1")
"""Tried in turn: with or without a byte order mark, then what older spreadsheet programs write."""

NOT_AN_ID = ("", "nan", "na", "n/a", "none", "null")
"""What programs write for an id that is missing, in lower case: never somebody's id."""

LONGEST_LIST = 300
"""Characters of found column names in an error; a file that is no table can have very long ones."""


class _Shape(NamedTuple):
    """What a look through a table shows."""

    encoding: str
    header: list[str]
    num_rows: int


def read_table(
    path: Path,
    needed: Sequence[str],
    data_set: str,
    *,
    names: Sequence[str] | None = None,
    separator: str = ",",
    may_be_empty: bool = False,
) -> pd.DataFrame:
    """Read a CSV table as text: nothing is taken for a missing value, no id for a number.

    Line ends, a byte order mark and blanks around the column names do not matter. Rows may lack the cells of
    columns without a name, as those of some official tables do.

    Args:
        path: the table, plain or gzip.
        needed: columns that must be there, once.
        data_set: its name in errors.
        names: of the columns, for a table without a header.
        separator: of the cells.
        may_be_empty: whether a table without rows makes sense.

    Raises:
        OSError: the file cannot be opened.
        ValueError: no table, damaged, without rows, or a column is missing; names what is there.
    """
    try:
        shape = _look_through(path, separator, names)
        table = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            encoding=shape.encoding,
            sep=separator,
            header=None if names else 0,
            names=list(names) if names else None,
            usecols=range(len(shape.header)),
        )
    except (ValueError, csv.Error, EOFError, zlib.error, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise  # a fault of the machine: it names the file
        raise ValueError(
            f"{data_set} table {path} is not readable CSV ({' '.join(str(error).split())}). "
            "Download it again, or unpack it again."
        ) from error
    table.columns = shape.header
    for name in needed:
        if (count := shape.header.count(name)) != 1:
            what = f"no column {name!r}" if count == 0 else f"{count} columns {name!r}"
            raise ValueError(
                f"{data_set} table {path} has {what} (found: {list_columns(table)}). Download it again."
            )
    if not len(table) and not may_be_empty:
        raise ValueError(f"{data_set} table {path} has no rows. Download it again.")
    return table


def list_columns(table: pd.DataFrame) -> str:
    """Return the names of the columns, for an error."""
    found = ", ".join(name for name in table.columns if name)
    return found if len(found) <= LONGEST_LIST else f"{found[:LONGEST_LIST]} ..."


def require_ids(table: pd.DataFrame, columns: Iterable[str], path: Path, data_set: str) -> None:
    """Check that every row has its ids: rows without would count as one patient, or one study.

    Raises:
        ValueError: names the first row without.
    """
    for column in columns:
        is_missing = table[column].str.strip().str.lower().isin(NOT_AN_ID).to_numpy(bool)
        if is_missing.any():
            row = int(is_missing.argmax())
            raise ValueError(
                f"{data_set} table {path}, row {row + 1}: {column} is {table[column].iloc[row]!r}, which is "
                "no id. Fill it in or remove the row."
            )


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


def _look_through(path: Path, separator: str, names: Sequence[str] | None) -> _Shape:
    """Find the encoding, and check that each row has its cells."""
    for encoding in _encodings(path):
        try:
            return _check_rows(path, encoding, separator, names)
        except UnicodeDecodeError:
            continue
    raise ValueError("its text has no known encoding")


def _encodings(path: Path) -> tuple[str, ...]:
    with open(path, "rb") as file:
        start = file.read(2)
    return ("utf-16",) if start in (b"\xff\xfe", b"\xfe\xff") else ENCODINGS


def _check_rows(path: Path, encoding: str, separator: str, names: Sequence[str] | None) -> _Shape:
    is_packed = path.suffix == ".gz"
    with (gzip.open if is_packed else open)(path, "rt", encoding=encoding, newline="") as file:
        rows = csv.reader(_without_nul(file), delimiter=separator, strict=True)
        filled = (row for row in rows if len(row) > 1 or "".join(row).strip())  # pandas skips blank lines
        header = list(names) if names else [name.strip() for name in next(filled, [])]
        if not header and not names:
            raise ValueError("the file is empty")
        num_named = 1 + max((place for place, name in enumerate(header) if name), default=0)
        count = 0
        for count, row in enumerate(filled, start=1):
            if len(row) < num_named:
                raise ValueError(f"row {count} has {len(row)} cells instead of {num_named}: it is cut short")
            if len(row) > len(header) and any(row[len(header) :]):
                raise ValueError(f"row {count} has {len(row)} cells instead of {len(header)}")
    return _Shape(encoding, header, count)


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise ValueError("it holds bytes of zero, as a download that broke off does")
        yield line
