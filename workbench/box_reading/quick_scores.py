"""The IoU of every case, fast enough that a thousand can be sorted while a person waits.

It is computed on small pictures: at 128 px the IoU of a case is on average 0.002, at most some 0.04 from that
at 1,024 px (`bench/box_explorer.py` measures it). What is said of the picture that is looked at, and what is
written to a file, is computed at full size.
"""

import dataclasses

import numpy as np

from lib.explain.boxes import boxes_of_map, scale_maps
from lib.explain.frame import Frame
from lib.protocols.case_maps import CaseMaps
from workbench.box_reading.case_boxes import Marked, mean_iou

LARGEST = 128
"""Pixels of a side."""


class QuickScores:
    """IoU of the cases of one model, each computed once for every threshold and smoothing.

    Attributes:
        size: pixels of a side of the pictures that it is computed on.
    """

    def __init__(self, maps: CaseMaps):
        """Compute nothing yet."""
        self._maps = maps
        self._shrunk = _shrunk(maps.frame)
        self._known: dict[tuple, dict[int, float]] = {}
        self.size = self._shrunk.store_size

    def iou(
        self, rows: np.ndarray, marked: list[Marked], *, reader: str, threshold: float, smoothing: float
    ) -> np.ndarray:
        """Return the IoU of some cases, NaN where no reader marked one.

        Args:
            rows: of the maps.
            marked: what the readers that count marked, one for each of `rows`.
            reader: names them.
            threshold: of the map.
            smoothing: of the map, stored pixels.
        """
        known = self._known.setdefault((reader, threshold, smoothing), {})
        factor = self.size / self._maps.frame.store_size
        for row, readers in zip(rows.tolist(), marked, strict=True):
            if row not in known:
                known[row] = np.nan
                if readers:
                    small = {name: boxes * factor for name, boxes in readers.items()}
                    known[row] = mean_iou(self._boxes(row, threshold, smoothing), small)
        return np.array([known[row] for row in rows.tolist()], float)

    def boxes(self, row: int, threshold: float, smoothing: float) -> np.ndarray:
        """Return the boxes of a map, corners as shares of the picture's side: `[B, 4]`."""
        return self._boxes(row, threshold, smoothing) / self.size

    def _boxes(self, row: int, threshold: float, smoothing: float) -> np.ndarray:
        factor = self.size / self._maps.frame.store_size
        values = self._shrunk.to_store(self._maps.maps[row : row + 1], smoothing * factor)
        return boxes_of_map(scale_maps(values)[0], threshold).corners


def _shrunk(frame: Frame) -> Frame:
    """Return the same frame for smaller pictures; one that is small enough stays as it is."""
    if frame.store_size <= LARGEST:
        return frame
    side = round(LARGEST * frame.image_size / frame.store_size)
    side -= (LARGEST - side) % 2 if frame.evaluation == "crop" else 0  # the middle stays the middle
    return dataclasses.replace(frame, store_size=LARGEST, image_size=side)
