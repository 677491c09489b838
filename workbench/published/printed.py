"""The result tables of both papers, as printed."""

import dataclasses
import difflib
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

PLACE = Path(__file__).with_name("tables.yaml")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrintedTable:
    """One table of a paper.

    Attributes:
        source: paper and number of the table.
        about: what the numbers are.
        names: of the rows, as the paper calls them.
        methods: our names of them, "" where a row is no method.
        columns: what each column stands for: target, label_ratio, retrieval, k and the like.
        values: as printed, NaN where the paper has none `[rows, columns]`.
        p_values: as printed, one a column; empty where the table has none.
        parts: of the method, that rows have or lack (ablations); empty elsewhere.
        has: the parts of each row.
    """

    source: str
    about: str
    names: Sequence[str]
    methods: Sequence[str]
    columns: Sequence[Mapping[str, Any]]
    values: np.ndarray
    p_values: Sequence[float]
    parts: Sequence[str]
    has: Sequence[Sequence[str]]

    def cells(self) -> pd.DataFrame:
        """Return one row a number: name, method, what its column stands for, value (as printed)."""
        return pd.DataFrame(
            [
                {"name": name, "method": method, **column, "value": value}
                for name, method, values in zip(self.names, self.methods, self.values, strict=True)
                for column, value in zip(self.columns, values, strict=True)
            ]
        )

    def column(self, **wanted: Any) -> int | None:
        """Return the place of the column that stands for this, None where there is none."""
        places = [index for index, column in enumerate(self.columns) if wanted.items() <= column.items()]
        return places[0] if places else None


def printed_table(name: str) -> PrintedTable:
    """Return a table by name.

    Raises:
        ValueError: no such table; the message lists those there are.
    """
    tables = printed_tables()
    if name not in tables:
        close = difflib.get_close_matches(name, tables, n=1, cutoff=0.5)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"There is no printed table {name!r}.{hint} Known: {', '.join(tables)}.")
    return tables[name]


@functools.cache
def printed_tables() -> dict[str, PrintedTable]:
    """Return all tables, name -> table, in the order of the papers."""
    return {name: _table(about) for name, about in yaml.safe_load(PLACE.read_text()).items()}


def _table(about: Mapping[str, Any]) -> PrintedTable:
    rows = about["rows"]
    values = np.array([row["values"] for row in rows], np.float64)  # None becomes NaN
    assert values.shape == (len(rows), len(about["columns"])), about["source"]
    return PrintedTable(
        source=about["source"],
        about=about["about"],
        names=[row["name"] for row in rows],
        methods=[row.get("method", "") for row in rows],
        columns=about["columns"],
        values=values,
        p_values=about.get("p_values", ()),
        parts=about.get("parts", ()),
        has=[row.get("has", ()) for row in rows],
    )
