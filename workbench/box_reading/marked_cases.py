"""The cases of one or two models: what readers marked, which of them are chosen, and their order."""

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.data.store import Store
from lib.metrics.box_overlap import covered_areas
from lib.protocols.box_truth import CORNERS, ReaderBoxes, reader_agreement
from lib.protocols.case_maps import CaseMaps
from workbench.box_reading.case_boxes import Marked

SIZES = {"small": (0.0, 0.02), "medium": (0.02, 0.1), "large": (0.1, math.inf)}
"""Shares of the picture that the boxes of a case cover."""

KEY = ["view_row", "finding"]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Which cases a person looks at; "" is any.

    Attributes:
        finding: of the cases.
        reader: who marked them.
        size: one of `SIZES`.
        low: least IoU of the first model.
        high: largest IoU; the whole range keeps cases without one too.
    """

    finding: str = ""
    reader: str = ""
    size: str = ""
    low: float = 0.0
    high: float = 1.0


class MarkedCases:
    """Every case that one of the models has a map of.

    Attributes:
        store: of the pictures.
        table: one row per case: view_row, study_row, view_id, study_id, patient_id, finding, label.
        marked: of each case reader -> boxes, cut off at the edges of the picture.
        outside: of each case how many boxes lie beside the picture and were left out.
        area: of each case the share of the picture that its boxes cover, mean over readers; 0 without any.
        readers: all names.
    """

    def __init__(self, store: Store, tables: Sequence[pd.DataFrame]):
        """Join the cases.

        Args:
            store: of all of them.
            tables: cases of each model, see `CaseMaps.cases`; those of the first come first.
        """
        self.store = store
        columns = [*KEY, "study_row", "view_id", "study_id", "patient_id", "label"]
        joined = pd.concat([table[columns] for table in tables], ignore_index=True)
        self.table = joined.drop_duplicates(KEY, ignore_index=True)
        self._place = pd.Series(np.arange(len(self.table)), index=pd.MultiIndex.from_frame(self.table[KEY]))
        self.marked = ReaderBoxes.of(store, self.table).by_case
        self.outside = self._count_outside()
        self.area = np.array([self._share(readers) for readers in self.marked])
        self.readers = sorted({name for readers in self.marked for name in readers})

    def __len__(self) -> int:
        """Return how many."""
        return len(self.table)

    @functools.cached_property
    def agreement(self) -> np.ndarray:
        """Mean IoU of the pairs of readers of each case, `[N]`; NaN of fewer than two."""
        return np.array([reader_agreement(readers) for readers in self.marked], float)

    def rows_in(self, maps: CaseMaps) -> np.ndarray:
        """Return where each case lies among the maps of a model, int64 `[N]`, -1 where it has none."""
        places = pd.Series(np.arange(len(maps)), index=pd.MultiIndex.from_frame(maps.cases[KEY]))
        return places.reindex(self._place.index, fill_value=-1).to_numpy(np.int64)

    def of_reader(self, case: int, reader: str) -> Marked:
        """Return what one reader marked on a case, or with "" what all did."""
        readers = self.marked[case]
        return {name: boxes for name, boxes in readers.items() if reader in ("", name)}

    def choose(self, wanted: Wanted) -> np.ndarray:
        """Return the cases that meet conditions, but for those of IoU, in the order of the table."""
        keep = np.ones(len(self), bool)
        if wanted.finding:
            keep &= (self.table["finding"] == wanted.finding).to_numpy()
        if wanted.reader:
            keep &= np.array([wanted.reader in readers for readers in self.marked], bool)
        if wanted.size:
            low, high = SIZES[wanted.size]
            keep &= (low <= self.area) & (self.area < high)
        return np.flatnonzero(keep)

    def named(self, name: str) -> np.ndarray:
        """Return the cases of a view, a study or a patient."""
        table = self.table
        for column in ("view_id", "study_id", "patient_id"):
            if len(found := np.flatnonzero(table[column] == name)):
                return found
        return np.empty(0, np.int64)

    def _share(self, readers: Marked) -> float:
        areas = [covered_areas(boxes, boxes).first for boxes in readers.values()]
        return float(np.mean(areas)) / self.store.image_size**2 if areas else 0.0

    def _count_outside(self) -> np.ndarray:
        """Count the boxes of each case that cover nothing of the picture."""
        boxes, size = self.store.boxes, self.store.image_size
        cut = boxes[CORNERS].clip(0, size)
        beside = boxes[(cut["x0"] >= cut["x1"]) | (cut["y0"] >= cut["y1"])]
        counts = beside.groupby(KEY).size()
        return counts.reindex(self._place.index, fill_value=0).to_numpy()
