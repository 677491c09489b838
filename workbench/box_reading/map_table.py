"""The maps of one or two models over the same cases, read at any threshold."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from lib.explain.explain import describe, takes
from lib.protocols.case_maps import CaseMaps
from workbench.box_reading.case_boxes import CaseBoxes, read_case
from workbench.box_reading.map_source import MapSource
from workbench.box_reading.marked_cases import MarkedCases
from workbench.box_reading.quick_scores import QuickScores


@dataclasses.dataclass(frozen=True)
class Reading:
    """How a map becomes boxes.

    Attributes:
        threshold: share of the map's maximum.
        smoothing: deviation of a Gaussian over the map, stored pixels.
    """

    threshold: float = 0.5
    smoothing: float = 0.0


class MapTable:
    """Maps of one method.

    Attributes:
        sources: the models.
        method: of `lib.explain.METHODS`.
        layer: -1: the last.
        head: None: the mean.
        maps: of each model, or why it has none.
        cases: all that one of them has a map of.
    """

    def __init__(self, sources: Sequence[MapSource], method: str, layer: int = -1, head: int | None = None):
        """Take the maps of all models; at least one of them must have some.

        Raises:
            ValueError: none has, and why; an unknown method.
        """
        self.sources, self.method, self.layer, self.head = list(sources), method, layer, head
        self.maps: list[CaseMaps | str] = []
        for source in self.sources:
            try:
                self.maps.append(source.maps(method, layer, head))
            except ValueError as error:
                self.maps.append(str(error))
        some = [maps for maps in self.maps if isinstance(maps, CaseMaps)]
        if not some:
            raise ValueError(self.maps[0])
        self.cases = MarkedCases(self.sources[0].store, [maps.cases for maps in some])
        self._rows = [
            self.cases.rows_in(maps) if isinstance(maps, CaseMaps) else np.full(len(self.cases), -1)
            for maps in self.maps
        ]
        self._quick = [QuickScores(maps) if isinstance(maps, CaseMaps) else None for maps in self.maps]
        self._laid = functools.lru_cache(maxsize=8)(self._lay)  # of the case looked at, for the sliders

    @property
    def description(self) -> str:
        """What the maps are, with layer and head where they have a choice."""
        parts = [describe(self.method)]
        if "layer" in takes(self.method):
            parts.append("last layer" if self.layer == -1 else f"layer {self.layer + 1}")
        if "head" in takes(self.method):
            parts.append("mean of all heads" if self.head is None else f"head {self.head + 1}")
        return ", ".join(parts)

    def has(self, model: int, case: int) -> bool:
        """Return whether a model has a map of a case."""
        return self._rows[model][case] >= 0

    def grid(self, model: int, case: int) -> np.ndarray:
        """Return the map of a case on the encoder's grid, 0..1."""
        return self.maps[model].maps[self._rows[model][case]].astype(np.float32)

    def read(self, model: int, case: int, reading: Reading, reader: str = "") -> CaseBoxes:
        """Return the boxes of a case that a model has a map of."""
        values = self._laid(model, case, reading.smoothing)
        return read_case(values, self.cases.of_reader(case, reader), reading.threshold)

    def probability(self, model: int, cases: np.ndarray) -> np.ndarray:
        """Return how probable a model finds the finding of each case, NaN where it has no map of it."""
        rows, maps = self._rows[model][cases], self.maps[model]
        if not isinstance(maps, CaseMaps):
            return np.full(len(cases), np.nan)
        return np.where(rows >= 0, maps.cases["probability"].to_numpy(float)[rows], np.nan)

    def quick_iou(self, model: int, cases: np.ndarray, reading: Reading, reader: str = "") -> np.ndarray:
        """Return the IoU of many cases, as `QuickScores` computes it; NaN without a map or a reader."""
        known = self._rows[model][cases] >= 0
        ious = np.full(len(cases), np.nan)
        if known.any():
            ious[known] = self._quick[model].iou(
                self._rows[model][cases[known]],
                [self.cases.of_reader(case, reader) for case in cases[known].tolist()],
                reader=reader,
                threshold=reading.threshold,
                smoothing=reading.smoothing,
            )
        return ious

    def quick_boxes(self, model: int, case: int, reading: Reading) -> np.ndarray:
        """Return the boxes of a case for a thumbnail, as shares of its side `[B, 4]`; none without a map."""
        if not self.has(model, case):
            return np.empty((0, 4))
        row = int(self._rows[model][case])
        return self._quick[model].boxes(row, reading.threshold, reading.smoothing)

    def _lay(self, model: int, case: int, smoothing: float) -> np.ndarray:
        return self.maps[model].laid(int(self._rows[model][case]), smoothing)
