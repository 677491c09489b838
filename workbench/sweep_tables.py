"""Tables of a sweep as papers print them: a row for each method, a column for each target and label ratio."""

from collections.abc import Sequence

import pandas as pd

from workbench.results import summary
from workbench.sweeps import Cell, Sweep, runs_of

FORMATS = ("text", "markdown", "latex", "csv")


def sweep_summary(sweep: Sweep, cells: Sequence[Cell], *, replicates: int = 2000) -> pd.DataFrame:
    """Return `workbench.results.summary` of a sweep's finished runs, with its targets, in the file's order.

    Methods whose fine-tuning differs from that of the comparator have no difference: another protocol is
    another question.
    """
    frames = []
    for target in sweep.targets:
        runs = runs_of([one for one in cells if one.target == target])
        frame = summary(runs, comparator=sweep.comparator, replicates=replicates)
        frames.append(frame.assign(target=target))
    joined = pd.concat(frames, ignore_index=True)
    ranks = {name: rank for rank, name in enumerate(sweep.methods)}
    return joined.sort_values(
        ["target", "label_ratio", "method"],
        key=lambda column: column.map(ranks) if column.name == "method" else column,
        ignore_index=True,
    )


def method_table(summarised: pd.DataFrame, *, best: str = "{}") -> pd.DataFrame:
    """Return mean AUROC over seeds with its 95 % interval, methods x (target, label ratio).

    Args:
        summarised: as `sweep_summary` returns it.
        best: how the highest mean of a column is written: `"**{}**"` in Markdown.
    """
    columns = {}
    for (target, label_ratio), part in summarised.groupby(["target", "label_ratio"], sort=False):
        highest = part["auroc"].max()
        columns[_column(target, label_ratio)] = {
            row.method: (best if row.auroc == highest else "{}").format(f"{row.auroc:.3f}")
            + f" +- {row.spread:.3f} [{row.low:.3f}, {row.high:.3f}]"
            for row in part.itertuples()
        }
    return _table(columns, summarised)


def difference_table(summarised: pd.DataFrame) -> pd.DataFrame:
    """Return each method minus the comparator: paired 95 % interval, and p of the t-test over seeds."""
    columns = {}
    for (target, label_ratio), part in summarised.groupby(["target", "label_ratio"], sort=False):
        columns[_column(target, label_ratio)] = {
            row.method: f"{row.difference:+.3f} [{row.difference_low:+.3f}, {row.difference_high:+.3f}]"
            + ("" if pd.isna(row.p_seeds) else f" p {row.p_seeds:.2g}")
            for row in part.itertuples()
            if not pd.isna(row.difference)
        }
    return _table(columns, summarised)


def write_table(table: pd.DataFrame, form: str) -> str:
    """Return a table in one of the formats, its index as first column.

    Raises:
        ValueError: unknown format.
    """
    if form not in FORMATS:
        raise ValueError(f"Unknown format {form!r}. Known: {', '.join(FORMATS)}.")
    if form == "text":
        return table.to_string(na_rep="")
    if form == "latex":
        return table.to_latex(na_rep="", escape=True)
    if form == "csv":
        return table.to_csv()
    lines = [[str(table.index.name or ""), *table.columns], ["---"] * (table.shape[1] + 1)]
    for name, *row in table.itertuples():
        lines.append([str(name), *("" if pd.isna(cell) else str(cell) for cell in row)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def print_sweep(sweep: Sweep, cells: Sequence[Cell], form: str = "text") -> None:
    """Print the tables of a sweep, as far as it is."""
    summarised = sweep_summary(sweep, cells)
    if summarised.empty:
        print("No cell of this sweep is finished yet.")
        return
    synthetic = " on synthetic studies, not patients" if summarised["synthetic"].all() else ""
    print(f"\nMean AUROC over seeds +- spread [95 % patient bootstrap]{synthetic}\n")
    print(write_table(method_table(summarised, best="**{}**" if form == "markdown" else "{}"), form))
    differences = difference_table(summarised)
    if not differences.empty:
        print(f"\nDifference from {sweep.comparator} [paired 95 %], p of the t-test over seeds\n")
        print(write_table(differences, form))


def _column(target: str, label_ratio: float) -> str:
    return f"{target}, {100 * label_ratio:g} %"


def _table(columns: dict[str, dict[str, str]], summarised: pd.DataFrame) -> pd.DataFrame:
    """Put columns side by side, methods in the order of the summary."""
    order = list(dict.fromkeys(summarised["method"]))
    table = pd.DataFrame(columns).reindex(order).dropna(how="all").fillna("")
    return table.rename_axis("method")
