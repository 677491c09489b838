"""The boxes of one case at a threshold, and what they are worth.

Letters: S side of the stored picture, B boxes.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from lib.explain.boxes import MapBoxes, boxes_of_map
from lib.metrics.box_overlap import covered_areas
from lib.metrics.localization import draw_boxes, pointing

Marked = Mapping[str, np.ndarray]
"""Reader -> corners of the boxes, `[B, 4]`."""


@dataclasses.dataclass(frozen=True)
class CaseBoxes:
    """A map of a case read at a threshold.

    Attributes:
        values: the map, 0..1 `[S, S]`.
        boxes: of the regions that reach the threshold.
        iou: with the boxes of a reader, mean over readers; NaN where none marked the case.
        pointed: readers in whose boxes the maximum lies (a share where it lies in several places).
        num_readers: who marked the case.
    """

    values: np.ndarray
    boxes: MapBoxes
    iou: float
    pointed: float
    num_readers: int

    @property
    def is_zero(self) -> bool:
        """Whether the map is zero everywhere."""
        return not self.values.any()


def read_case(values: np.ndarray, marked: Marked, threshold: float) -> CaseBoxes:
    """Find the boxes of a map and judge them.

    Args:
        values: the map, 0..1 `[S, S]`.
        marked: boxes of readers, inside the picture.
        threshold: above 0.
    """
    boxes = boxes_of_map(values, threshold)
    pointed = sum(pointing(values, draw_boxes(one, len(values))) for one in marked.values())
    return CaseBoxes(values, boxes, mean_iou(boxes.corners, marked), pointed, len(marked))


def mean_iou(found: np.ndarray, marked: Marked) -> float:
    """Return the mean over readers of the IoU of what boxes cover; NaN without readers."""
    ious = [covered_areas(found, one).iou for one in marked.values()]
    return float(np.mean(ious)) if ious else np.nan
