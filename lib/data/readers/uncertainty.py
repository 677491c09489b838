"""What a label is where the report is unsure or silent: the policies for labels of a report labeller.

The CheXpert labeller and its kin write 1 (present), 0 (absent), -1 (the report is unsure) or nothing (the
report does not say). How to train with the last two is a choice: U-Ignore, U-Zeros and U-Ones of Irvin J,
Rajpurkar P, Ko M, et al. CheXpert. AAAI 2019, section 3.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.readers.tables import numbers

POLICIES = {"ignore": float("nan"), "zeros": 0.0, "ones": 1.0}
"""Policy -> the label that it makes."""

BLANK_POLICIES = ("ignore", "zeros")
UNCERTAIN = -1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelPolicy:
    """How labels are taken that are neither present nor absent.

    `No Finding` is never written as absent: without `blank="zeros"` it is present or not known.

    Attributes:
        uncertain: the report is unsure: "ignore" (NaN), "zeros" or "ones".
        blank: the report does not say: "ignore" (NaN) or "zeros".
    """

    uncertain: str = "ignore"
    blank: str = "ignore"

    def __post_init__(self):
        if self.uncertain not in POLICIES:
            raise ValueError(f"uncertain={self.uncertain!r} is not one of {', '.join(POLICIES)}.")
        if self.blank not in BLANK_POLICIES:
            raise ValueError(f"blank={self.blank!r} is not one of {', '.join(BLANK_POLICIES)}.")

    def read(self, table: pd.DataFrame, path: Path, data_set: str) -> np.ndarray:
        """Return the labels of a text table, 1, 0 or NaN, float32 `[rows, 14]`.

        Columns come in the order of `CHEXPERT_LABELS`, whatever their order in the table.

        Raises:
            ValueError: a cell holds something else than 1, 0, -1 or nothing; names row and column.
        """
        values = numbers(table, CHEXPERT_LABELS, path, data_set).to_numpy(np.float32, copy=True)
        wrong = ~(np.isnan(values) | np.isin(values, (1.0, 0.0, UNCERTAIN)))
        if wrong.any():
            row, column = (int(places[0]) for places in wrong.nonzero())
            raise ValueError(
                f"{data_set} table {path}, row {row + 1}: {CHEXPERT_LABELS[column]} is "
                f"{values[row, column]:g}, not 1, 0, -1 or empty. Download it again."
            )
        is_uncertain, is_blank = values == UNCERTAIN, np.isnan(values)
        values[is_uncertain] = POLICIES[self.uncertain]
        values[is_blank] = POLICIES[self.blank]
        return values

    def describe(self) -> str:
        """Say it in a sentence for the card."""
        said = {"ignore": "not known", "zeros": "absent", "ones": "present"}
        return (
            f"What the report is unsure of counts as {said[self.uncertain]}, "
            f"what it leaves unsaid as {said[self.blank]}."
        )
