"""Tables of a sweep as papers print them: a row for each method, a column for each target and label ratio."""

from collections.abc import Sequence

import pandas as pd

from workbench.method_tables import tables_text
from workbench.summary import REPLICATES, summary
from workbench.sweeps import Cell, Sweep, runs_of


def sweep_summary(
    sweep: Sweep,
    cells: Sequence[Cell],
    *,
    replicates: int = REPLICATES,
    notes: dict[str, str] | None = None,
) -> pd.DataFrame:
    """Return `workbench.results.summary` of a sweep's finished runs, with its targets, in the file's order.

    Methods whose fine-tuning differs from that of the comparator have no difference: another protocol is
    another question. `notes` as there.
    """
    frames = []
    for target in sweep.targets:
        runs = runs_of([one for one in cells if one.target == target])
        frame = summary(runs, comparator=sweep.comparator, replicates=replicates, notes=notes)
        frames.append(frame.assign(target=target))
    joined = pd.concat(frames, ignore_index=True)
    ranks = {name: rank for rank, name in enumerate(sweep.methods)}
    return joined.sort_values(
        ["target", "label_ratio", "method"],
        key=lambda column: column.map(ranks) if column.name == "method" else column,
        ignore_index=True,
    )


def print_sweep(sweep: Sweep, cells: Sequence[Cell], form: str = "text") -> None:
    """Print the tables of a sweep, as far as it is, and which runs do not count."""
    notes: dict[str, str] = {}
    summarised = sweep_summary(sweep, cells, notes=notes)
    if summarised.empty:
        print("No cell of this sweep is finished yet.")
    else:
        print(f"\n{tables_text(summarised.to_dict('records'), sweep.comparator, form)}")
    for name, reason in notes.items():
        print(f"\n{name}: not counted: {reason}")
