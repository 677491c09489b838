"""Tables with a row per picture: the rows of one study, the parts of a path, the row of a key."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lib.data.readers.official import refuse_packed


@dataclasses.dataclass(frozen=True)
class RowGroups:
    """Rows that belong together, held in two arrays: a list per group would weigh more than the table.

    Attributes:
        names: of the groups.
        order: the rows by group, int64 `[rows]`; in the order of the table inside a group.
        starts: where each group starts in `order` and, last, its length, int64 `[groups + 1]`.
    """

    names: pd.Index
    order: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.names)

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the name and the rows of each group."""
        for name, start, end in zip(self.names, self.starts, self.starts[1:], strict=False):
            yield name, self.order[start:end]


def group_rows(keys: pd.Series, names: pd.Index | None = None) -> RowGroups:
    """Group rows by key; rows of one study need not be neighbours.

    Args:
        keys: one per row.
        names: the groups and their order, all keys among them; None takes the keys as they come first.
    """
    if names is None:
        codes, names = pd.factorize(keys)
        names = pd.Index(names)
    else:
        codes = names.get_indexer(keys)
    assert not (codes < 0).any(), "a key is none of the groups"
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    return RowGroups(names, np.argsort(codes, kind="stable"), np.concatenate([[0], ends]).astype(np.int64))


def find_rows(keys: pd.Series, wanted: Iterable[str], path: Path, data_set: str) -> np.ndarray:
    """Return for each wanted key its row in a table, -1 where it has none, int64 `[wanted]`.

    Raises:
        ValueError: a key stands in two rows, so that neither can be trusted.
    """
    index = pd.Index(keys)
    if not index.is_unique:
        row = int(index.duplicated().argmax())
        raise ValueError(
            f"{data_set} table {path}, row {row + 1}: {keys.name} {index[row]!r} stands in an earlier row "
            "as well. Download it again."
        )
    return index.get_indexer(pd.Index(wanted))


def split_paths(paths: pd.Series, pattern: re.Pattern, shape: str, path: Path, data_set: str) -> pd.DataFrame:
    """Return the parts of picture paths, a column per named group of the pattern.

    Args:
        paths: a column of the table.
        pattern: must match the whole path.
        shape: of an official path, for errors.
        path: of the table, for errors.
        data_set: its name in errors.

    Raises:
        ValueError: a path has another shape, so that patient and study are not known.
    """
    parts = []
    for row, text in enumerate(paths, start=1):
        match = pattern.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{data_set} table {path}, row {row}: {paths.name} {text!r} is not of the official shape "
                f"{shape}."
            )
        parts.append(match.groups())
    return pd.DataFrame(parts, columns=list(pattern.groupindex), dtype=str)


def find_folder(root: Path, names: Sequence[str], table: str, data_set: str, layout: str) -> Path:
    """Return the folder that holds an official table: the root itself or a folder in it.

    Raises:
        FileNotFoundError: none does.
    """
    for folder in (root, *(root / name for name in names)):
        if any((folder / name).is_file() for name in (table, f"{table}.gz")):
            return folder
    refuse_packed(root, (table,), data_set)
    raise FileNotFoundError(f"{data_set} file {root / table} is missing. {layout}.")
