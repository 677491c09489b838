"""The effects that the papers printed, for the rows of a sweep."""

import numpy as np

from workbench.published import PrintedTable, printed_table
from workbench.sweeps import Sweep

ABLATIONS = "refers_table_3"

ROWS = {
    "refers/": "0",
    "ablations/resnet_": "1",
    "ablations/vit_": "2",
    "ablations/no_view_fusion_": "3",
    "ablations/labels_": "4",
    "baselines/lsp_transformer_": "4",
    "ablations/generation_": "5",
    "ablations/consistency_": "6",
}
"""What the name of a recipe begins with -> row of REFERS's Table 3."""


def printed_rows(sweep: Sweep) -> dict[str, str]:
    """Return method -> row of Table 3 of REFERS, for methods whose pre-training is one of its rows."""
    found = {
        name: [row for start, row in ROWS.items() if method.pretraining.startswith(start)]
        for name, method in sweep.methods.items()
    }
    return {name: rows[0] for name, rows in found.items() if rows}


def printed_effects(sweep: Sweep, comparator: str, table: PrintedTable | None = None) -> dict[str, float]:
    """Return method -> its printed value minus that of the comparator, in points.

    Args:
        sweep: whose methods are rows of the table.
        comparator: a method; where it is no row, nothing was printed about it.
        table: None: Table 3 of REFERS.
    """
    table = printed_table(ABLATIONS) if table is None else table
    values = dict(zip(table.names, table.values[:, 0], strict=True))
    rows = printed_rows(sweep)
    if comparator not in rows:
        return {}
    whole = values[rows[comparator]]
    # Differences of numbers with one decimal have no more than one.
    effects = {name: float(np.round(values[row] - whole, 1)) for name, row in rows.items()}
    return {name: effect for name, effect in effects.items() if name != comparator}
