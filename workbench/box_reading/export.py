"""The list of the chosen cases as a table: what a person saw, for a spreadsheet."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lib.atomic import atomic_path
from lib.explain.frame import to_original
from workbench.box_reading.map_table import MapTable, Reading

FOLDER = "localized/explored"
"""In the folder of a run: what a person kept."""


def case_list(table: MapTable, cases: np.ndarray, reading: Reading, reader: str = "") -> pd.DataFrame:
    """Return one row per case, computed at full size; boxes in pixels of the original file.

    Args:
        table: the maps.
        cases: of `table.cases`, in their order.
        reading: how maps become boxes.
        reader: whose boxes count; "" is all.

    Returns:
        rank, ids, finding, label, boxes of each reader ("x0 y0 x1 y1; ..."); for each model its probability,
        IoU, pointing (share of the readers in whose box the maximum lies) and boxes; and how they came about.
    """
    rows = []
    for rank, case in enumerate(cases.tolist(), start=1):
        about = table.cases.table.iloc[case]
        view = table.cases.store.views.iloc[[int(about["view_row"])]]
        row = {"rank": rank}
        row |= {name: about[name] for name in ("view_id", "study_id", "patient_id", "finding", "label")}
        for name, boxes in table.cases.of_reader(case, reader).items():
            row[f"boxes {name}"] = _corners(boxes, view)
        for model, source in enumerate(table.sources):
            sure = float(table.probability(model, np.array([case]))[0])
            row[f"run {model + 1}"] = source.run.id
            if table.has(model, case):
                read = table.read(model, case, reading, reader)
                row |= {
                    f"probability {model + 1}": round(sure, 6),
                    f"IoU {model + 1}": round(read.iou, 6),
                    f"pointing {model + 1}": read.pointed / read.num_readers if read.num_readers else np.nan,
                    f"boxes {model + 1}": _corners(read.boxes.corners, view),
                }
        rows.append({**row, "split": table.sources[0].split, "map": table.description})
    listed = pd.DataFrame(rows)
    return listed.assign(threshold=reading.threshold, smoothing=reading.smoothing)


def write_list(path: Path, listed: pd.DataFrame) -> None:
    """Write a table for a spreadsheet, atomically."""
    with atomic_path(path) as temporary:
        listed.to_csv(temporary, index=False)


def file_name(*parts: str) -> str:
    """Return a file name of some words, without what a folder or a shell would take for its own."""
    words = "-".join(part for part in parts if part)
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in words).lstrip(".")


def _corners(boxes: np.ndarray, view: pd.DataFrame) -> str:
    """Return boxes of the stored picture as text, in pixels of the original."""
    original: Sequence = to_original(boxes, view.iloc[[0] * len(boxes)])
    return "; ".join(" ".join(f"{value:.1f}" for value in box) for box in original)
