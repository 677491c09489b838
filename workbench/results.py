"""Tables over all run folders; every number is computed from the folders' own files, each time."""

from pathlib import Path
from typing import Any

import pandas as pd

from workbench.runs import Run, runs_root, scan_runs
from workbench.summary import findings, summary

__all__ = ["findings", "print_results", "query", "summary", "table"]

COLUMNS = (
    "id", "recipe", "task", "state", "reason", "method", "label_ratio", "draw", "seed", "store", "store_id",
    "synthetic", "manifest_id", "auroc", "low", "high", "accuracy", "best_step", "best_validation", "steps",
    "seconds", "precision", "created",
)  # fmt: skip

UNREADABLE = "unreadable"
"""State of a folder that was cut off or is of another make."""

NUM_SHOWN = 30
"""Runs that are listed one by one."""


def table(root: Path | str | None = None) -> pd.DataFrame:
    """Return one row per run: what it is, where it stands, its main result.

    Columns: id, recipe, task, state, reason, method, label_ratio, draw, seed, store, store_id,
    synthetic, manifest_id, auroc, low, high, accuracy (where classes exclude each other), best_step,
    best_validation, steps, seconds, precision, created. A folder or result that cannot be read has the state
    "unreadable" and the reason why.
    """
    runs, unreadable = scan_runs(root)
    rows = [_row(run) for run in runs]
    rows += [{"id": name, "state": UNREADABLE, "reason": reason} for name, reason in unreadable.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def query(sql: str, root: Path | str | None = None) -> pd.DataFrame:
    """Ask a question in SQL over the tables runs, metrics and predictions.

    metrics and predictions have a column `run` with the run's id; columns that a run does not have are
    null. The tables are views over the files: nothing is stored.

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
                "read_json({}, format='newline_delimited', union_by_name=true, filename=true)",
            ),
            "predictions": ("*/predictions.parquet", "read_parquet({}, union_by_name=true, filename=true)"),
        }
        for name, (pattern, reader) in sources.items():
            files = [str(path) for path in sorted(root.glob(pattern)) if path.stat().st_size]
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


def print_results(sql: str | None = None, root: Path | str | None = None) -> None:
    """Print the answer to a query, or the tables of runs and results."""
    with pd.option_context("display.width", 200, "display.max_columns", 30, "display.max_rows", None):
        if sql is not None:
            print(query(sql, root).to_string(index=False))
            return
        runs = table(root)
        if runs.empty:
            print(f"No runs below {runs_root(root)} yet. Start with: workbench demo")
            return
        states = ", ".join(f"{number} {state}" for state, number in runs["state"].value_counts().items())
        print(f"{len(runs)} runs: {states}. The newest:\n")
        shown = ["id", "state", "method", "label_ratio", "seed", "auroc", "low", "high", "best_validation"]
        print(runs[shown].tail(NUM_SHOWN).to_string(index=False, na_rep="-", float_format="%.3f"))
        for row in runs[runs["state"].isin((UNREADABLE, "failed"))].tail(NUM_SHOWN).itertuples():
            print(f"{row.id}: {row.state}: {row.reason}")
        summarised = summary(root=root)
        if not summarised.empty:
            print("\nMean AUROC over seeds, 95 % patient bootstrap; difference against random weights:\n")
            print(summarised.to_string(index=False, na_rep="-", float_format="%.3f"))


def _row(run: Run) -> dict[str, Any]:
    """Return one row of `table`."""
    config, status, state = run.config, run.status, run.state
    try:
        result = run.result() if (run.folder / "result.json").is_file() else {}
    except ValueError as error:
        result, state, status = {}, UNREADABLE, {**status, "reason": str(error)}
    area = result.get("auroc") or {}
    return {
        **{
            key: config.get(key)
            for key in ("recipe", "task", "store", "store_id", "manifest_id", "seed", "synthetic")
        },
        **{key: config.get("finetune", {}).get(key) for key in ("label_ratio", "draw")},
        **{key: result.get(key) for key in ("best_step", "best_validation", "steps", "seconds", "precision")},
        "id": run.id,
        "method": config.get("method"),
        "state": state,
        "reason": status.get("reason", ""),
        "created": status.get("created"),
        "auroc": area.get("estimate"),
        "low": area.get("low"),
        "high": area.get("high"),
        "accuracy": (result.get("accuracy") or {}).get("estimate"),
    }
