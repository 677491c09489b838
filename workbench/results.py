"""Tables over all run folders; every number is computed from the folders' own files, each time."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lib.atomic import write_text
from workbench.method_tables import results_text
from workbench.records import UNREADABLE, Record, read_records
from workbench.runs import runs_root
from workbench.summary import findings, summary
from workbench.table_formats import check_format, format_of

__all__ = ["findings", "print_results", "query", "summary", "table"]

COLUMNS = (
    "id", "recipe", "task", "state", "reason", "method", "label_ratio", "draw", "seed", "store", "store_id",
    "synthetic", "manifest_id", "auroc", "low", "high", "accuracy", "best_step", "best_validation", "steps",
    "seconds", "precision", "created",
)  # fmt: skip

PARQUET = b"PAR1"
"""What a Parquet file begins and ends with."""

NUM_SHOWN = 30
"""Runs that are listed one by one."""


def table(root: Path | str | None = None) -> pd.DataFrame:
    """Return one row per run: what it is, where it stands, its main result.

    Columns: id, recipe, task, state, reason, method, label_ratio, draw, seed, store, store_id,
    synthetic, manifest_id, auroc, low, high, accuracy (where classes exclude each other), best_step,
    best_validation, steps, seconds, precision, created. A folder or result that cannot be read has the state
    "unreadable" and the reason why.
    """
    return _table(*read_records(root))


def query(sql: str, root: Path | str | None = None) -> pd.DataFrame:
    """Ask a question in SQL over the tables runs, metrics and predictions.

    metrics and predictions have a column `run` with the run's id; columns that a run does not have are
    null. The tables are views over the files: nothing is stored. A line or a file that was cut off is passed
    over.

    Raises:
        ValueError: the query is wrong; says how, and which tables there are.
    """
    import duckdb

    root = runs_root(root)
    with duckdb.connect() as connection:
        connection.register("runs", table(root))
        sources = {
            "metrics": (
                "*/metrics.jsonl",
                "read_json({}, format='newline_delimited', union_by_name=true, filename=true, "
                "ignore_errors=true)",
            ),
            "predictions": ("*/predictions.parquet", "read_parquet({}, union_by_name=true, filename=true)"),
        }
        for name, (pattern, reader) in sources.items():
            files = [str(path) for path in sorted(root.glob(pattern)) if _is_whole(path)]
            if files:
                # parse_path splits the file's path; the run is the folder above the file.
                connection.execute(
                    f"CREATE VIEW {name} AS SELECT parse_path(filename)[-2] AS run, * EXCLUDE (filename) "
                    f"FROM {reader.format(files)}"
                )
        try:
            return connection.execute(sql).df()
        except duckdb.Error as error:
            raise ValueError(f"{error}\nTables: runs, metrics, predictions (once a run has them).") from error


def _is_whole(path: Path) -> bool:
    """Say whether a table can be read at all; one Parquet file that was cut off would end every query."""
    if path.suffix != ".parquet":
        return path.stat().st_size > 0
    contents = path.read_bytes()
    return len(contents) > 2 * len(PARQUET) and contents.startswith(PARQUET) and contents.endswith(PARQUET)


def print_results(
    sql: str | None = None,
    root: Path | str | None = None,
    *,
    form: str = "text",
    comparator: str = "random",
    out: Path | str | None = None,
) -> None:
    """Print the answer to a query, or the runs and what their methods are worth.

    Args:
        sql: see `query`.
        root: of the runs; None: `outputs/runs` of the project.
        form: of the tables, one of `workbench.table_formats.FORMATS`.
        comparator: the method that the others are compared with.
        out: a file that gets the tables, in the format that its name ends with.

    Raises:
        ValueError: unknown format, or a file for the answer to a query.
    """
    if sql is not None:
        if out:
            raise ValueError(
                f"--out {out} holds the tables of methods, not the answer to --sql; give one of them."
            )
        with pd.option_context("display.width", 200, "display.max_columns", 30, "display.max_rows", None):
            print(query(sql, root).to_string(index=False))
        return
    check_format(form)
    written = out and format_of(out)
    records, unreadable = read_records(root)
    runs = _table(records, unreadable)
    if runs.empty:
        print(f"No runs below {runs_root(root)} yet. Start with: workbench demo")
        return
    notes: dict[str, str] = {}
    summarised = summary(records, comparator=comparator, notes=notes)
    if form == "text":
        _print_runs(runs)
    # Tables in another format go into a file: what is wrong must not.
    for name, reason in notes.items():
        print(f"{name}: not counted: {reason}", file=None if form == "text" else sys.stderr)
    print(results_text(summarised, comparator, form))
    if out:
        write_text(out, results_text(summarised, comparator, written) + "\n")
        print(f"\nWritten: {out}")


def _print_runs(runs: pd.DataFrame) -> None:
    """Print the newest runs, and which failed or cannot be read."""
    states = ", ".join(f"{number} {state}" for state, number in runs["state"].value_counts().items())
    print(f"{len(runs)} runs: {states}. The newest:\n")
    shown = ["id", "state", "method", "label_ratio", "seed", "auroc", "low", "high", "best_validation"]
    print(runs[shown].tail(NUM_SHOWN).to_string(index=False, na_rep="-", float_format="%.3f"))
    for row in runs[runs["state"].isin((UNREADABLE, "failed"))].tail(NUM_SHOWN).itertuples():
        print(f"{row.id}: {row.state}: {row.reason}")
    print()


def _table(records: Sequence[Record], unreadable: Mapping[str, str]) -> pd.DataFrame:
    rows = [_row(record) for record in records]
    rows += [{"id": name, "state": UNREADABLE, "reason": reason} for name, reason in unreadable.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(record: Record) -> dict[str, Any]:
    """Return one row of `table`."""
    config, result = record.run.config, record.result
    area = result.get("auroc") or {}
    return {
        **{
            key: config.get(key)
            for key in ("recipe", "task", "store", "store_id", "manifest_id", "seed", "synthetic")
        },
        **{key: config.get("finetune", {}).get(key) for key in ("label_ratio", "draw")},
        **{key: result.get(key) for key in ("best_step", "best_validation", "steps", "seconds", "precision")},
        "id": record.run.id,
        "method": config.get("method"),
        "state": record.state,
        "reason": record.reason,
        "created": record.created,
        "auroc": area.get("estimate"),
        "low": area.get("low"),
        "high": area.get("high"),
        "accuracy": (result.get("accuracy") or {}).get("estimate"),
    }
