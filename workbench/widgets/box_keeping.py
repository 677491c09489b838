"""What a person keeps of the box explorer: the figure as it is, and the list of the chosen cases."""

from typing import Any

import numpy as np

from lib.atomic import atomic_path
from workbench.box_reading.export import FOLDER, case_list, file_name, write_list
from workbench.figures.box_picture import box_picture
from workbench.runs import PROJECT


def keep(model: Any) -> str:
    """Write both into the folder of the first run, and say where.

    Args:
        model: a `BoxExplorer` with at least one case.
    """
    table, run = model.table, model.sources[0].run
    row = table.cases.table.iloc[model.case]
    folder = run.folder / FOLDER
    view = np.array(table.cases.store.images[row["view_row"]])
    panels = model.panels()
    picture = folder / file_name(row["view_id"], row["finding"], f"{table.method}.png")
    with atomic_path(picture) as temporary:
        box_picture(panels, [view] * len(panels), **model.look()).save(temporary)
    words = model.wanted.finding or "every finding", model.wanted.reader, model.wanted.size
    listed = case_list(table, model.rows, model.reading, model.wanted.reader)
    path = folder / file_name(*words, model.order, f"{table.method}.csv")
    write_list(path, listed)
    shown = [one.relative_to(PROJECT) if one.is_relative_to(PROJECT) else one for one in (picture, path)]
    return f"Written: {shown[0]} and the {len(listed):,} cases in {shown[1].name}."
