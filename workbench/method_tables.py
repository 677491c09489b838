"""Summaries of fine-tunings as papers print them: a row for each method, a column for each label ratio."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from workbench.table_formats import BOLD, TextTable, check_format, write_table

Row = Mapping[str, Any]
"""Of what `workbench.results.summary` returns, with a target ("" where there is but one)."""


def method_table(rows: Sequence[Row], *, best: str = "{}") -> TextTable:
    """Return mean AUROC over seeds with spread and 95 % interval, methods x (target, label ratio).

    Args:
        rows: of the summary.
        best: how the highest mean of a column is written: `"**{}**"` in Markdown.
    """
    highest: dict[tuple, float] = {}
    for row in rows:
        place = (row["target"], row["label_ratio"])
        highest[place] = max(highest.get(place, -math.inf), row["auroc"])

    def cell(row: Row) -> str:
        is_best = row["auroc"] == highest[row["target"], row["label_ratio"]]
        mean = (best if is_best else "{}").format(f"{row['auroc']:.3f}")
        spread = "" if math.isnan(row["spread"]) else f" +- {row['spread']:.3f}"
        return f"{mean}{spread}{_interval(row['low'], row['high'])}"

    return _table(rows, cell)


def difference_table(rows: Sequence[Row]) -> TextTable:
    """Return each method minus the comparator: paired 95 % interval, and p of the t-test over seeds."""

    def cell(row: Row) -> str:
        p_value = "" if math.isnan(row["p_seeds"]) else f" p {row['p_seeds']:.2g}"
        interval = _interval(row["difference_low"], row["difference_high"], "+")
        return f"{row['difference']:+.3f}{interval}{p_value}"

    return _table([row for row in rows if not math.isnan(row["difference"])], cell)


def accuracy_table(rows: Sequence[Row]) -> TextTable:
    """Return the mean accuracy over seeds with its 95 % interval, where classes exclude each other."""
    there = [row for row in rows if not math.isnan(row.get("accuracy", math.nan))]
    return _table(
        there, lambda row: f"{row['accuracy']:.3f}{_interval(row['accuracy_low'], row['accuracy_high'])}"
    )


def tables_text(rows: Sequence[Row], comparator: str, form: str, *, about: str = "") -> str:
    """Return the tables of one summary, each below its title.

    Args:
        rows: as for `method_table`.
        comparator: what differences are from.
        form: one of `workbench.table_formats.FORMATS`.
        about: what stands before the first title.
    """
    check_format(form)
    synthetic = " on synthetic studies, not patients" if all(row["synthetic"] for row in rows) else ""
    best = BOLD if form in ("markdown", "latex") else "{}"
    mean = f"{about}Mean AUROC over seeds +- spread [95 % patient bootstrap]{synthetic}"
    tables = {
        mean: method_table(rows, best=best),
        f"Difference from {comparator} [paired 95 %], p of the t-test over seeds": difference_table(rows),
        "Accuracy, mean over seeds [95 % patient bootstrap]": accuracy_table(rows),
    }
    mark = "% " if form == "latex" else ""
    return "\n\n".join(
        f"{mark}{title}\n\n{write_table(table, form)}" for title, table in tables.items() if table.rows
    )


def results_text(summarised: pd.DataFrame, comparator: str, form: str) -> str:
    """Return the tables of all fine-tunings, recipe by recipe; as CSV all numbers in full, a row each.

    Args:
        summarised: as `workbench.results.summary` returns it.
        comparator: what differences are from; stands first, as in papers.
        form: one of `workbench.table_formats.FORMATS`.
    """
    check_format(form)
    if form == "csv":
        return summarised.to_csv(index=False).rstrip("\n")
    if summarised.empty:
        return "No fine-tuning is finished yet."
    rows = summarised.assign(target="").to_dict("records")
    rows.sort(key=lambda row: (*_place(row), row["label_ratio"], row["method"] != comparator, row["method"]))
    parts = [
        tables_text(list(part), comparator, form, about=f"{recipe} (settings {settings}): ")
        for (recipe, settings), part in itertools.groupby(rows, key=_place)
    ]
    known = sorted({row["method"] for row in rows})
    if comparator not in known:
        parts.append(f"No method is called {comparator}; nothing is compared. Known: {', '.join(known)}.")
    return "\n\n".join(parts)


def _place(row: Row) -> tuple[str, str]:
    return row["recipe"], row["settings"]


def _column(row: Row) -> str:
    share = f"{100 * row['label_ratio']:g} %"
    return f"{row['target']}, {share}" if row["target"] else share


def _interval(low: float, high: float, sign: str = "") -> str:
    return "" if math.isnan(low) else f" [{low:{sign}.3f}, {high:{sign}.3f}]"


def _table(rows: Iterable[Row], cell: Callable[[Row], str]) -> TextTable:
    """Put cells side by side, methods and columns in the order in which they come."""
    columns: dict[str, None] = {}
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        column = _column(row)
        columns[column] = None
        cells.setdefault(row["method"], {})[column] = cell(row)
    names = tuple(columns)
    return TextTable(
        "method", names, {method: tuple(one.get(name, "") for name in names) for method, one in cells.items()}
    )
