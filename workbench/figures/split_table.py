"""A split in numbers: how large its parts are, and how many positives its rarest labels have in each."""

import html
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench import theme
from workbench.figures.html_table import html_table

FEW = 10
"""Positives in a test set below which an AUROC says next to nothing."""
RAREST = 8
"""Labels in the table."""
HALF = 480
"""Pixels; the two tables stand side by side."""


def balance_table(
    studies: pd.DataFrame, splits: Mapping[str, Sequence[int]], *, title: str, note: str = ""
) -> str:
    """Return an HTML table of the studies and patients of each split, with a bar for its share.

    Args:
        studies: column patient_id; row numbers are those in `splits`.
        splits: split -> study rows; what is in no split comes last.
        title: heading above the table.
        note: quiet line under the heading.
    """
    rows = []
    for split, chosen in splits.items():
        share = len(chosen) / len(studies)
        colour = theme.SPLITS.get(split, theme.BASELINE)
        patients = studies["patient_id"].iloc[np.asarray(chosen, np.int64)].nunique()
        bar = (
            f'<div style="display:inline-block;vertical-align:middle;width:{130 * share:.0f}px;height:12px;'
            f'background:{colour};margin-right:8px"></div>{100 * share:.1f} %'
        )
        rows.append((html.escape(split), f"{len(chosen):,}", f"{patients:,}", bar))
    head = {"split": "20%", "studies": "17%", "patients": "17%", "share of the studies": "46%"}
    return html_table(head, rows, title=title, note=note, name="wb-balance", width=HALF)


def rare_labels(
    labels: np.ndarray, names: Sequence[str], splits: Mapping[str, Sequence[int]]
) -> pd.DataFrame:
    """Return positives of each label by split, those with the fewest in the test first.

    Args:
        labels: float `[num_studies, K]`, NaN where unknown.
        names: K label names.
        splits: split -> study rows, "test" among them.

    Returns:
        Index: the labels that some study has; columns: the splits.
    """
    counts = {split: (labels[np.asarray(rows, np.int64)] == 1).sum(axis=0) for split, rows in splits.items()}
    table = pd.DataFrame(counts, index=list(names))[(labels == 1).any(axis=0)]
    return table.sort_values("test", kind="stable")


def rare_table(counts: pd.DataFrame) -> str:
    """Return an HTML table of the rarest labels; those with few positives in the test are said to be so."""
    few = int((counts["test"] < FEW).sum())
    rows = [
        (html.escape(name), *(_positives(count, split) for split, count in row.items()))
        for name, row in counts.iloc[:RAREST].iterrows()
    ]
    head = {"label": "40%", **dict.fromkeys(counts.columns, f"{60 // counts.shape[1]}%")}
    title = f"Studies that have a label, the {len(rows)} rarest in the test"
    note = (
        f"{few} of {len(counts)} labels: fewer than {FEW} in the test, too few to judge a model by"
        if few
        else f"every label has {FEW} or more in the test"
    )
    return html_table(head, rows, title=title, note=note, name="wb-rare", width=HALF)


def _positives(count: int, split: str) -> str:
    if split == "test" and count < FEW:
        return f'<span style="color:{theme.WARNING};font-weight:600">{count:,} - few</span>'
    return f"{count:,}"
