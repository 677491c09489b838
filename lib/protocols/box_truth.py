"""What readers marked on each case, how far they agree, and boxes that know nothing of the picture.

Letters: N cases, B boxes, R readers.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.data.store import Store
from lib.metrics.box_overlap import covered_areas, pairwise_iou

CORNERS = ["x0", "y0", "x1", "y1"]


@dataclasses.dataclass(frozen=True)
class ReaderBoxes:
    """Boxes of cases by reader, cut off at the edges of the stored pictures.

    Attributes:
        by_case: for each case reader -> float64 `[B, 4]` in store pixels; a reader who marked nothing (inside
            the picture) is left out.
        num_outside: boxes that lie beside their picture altogether and were left out.
    """

    by_case: list[dict[str, np.ndarray]]
    num_outside: int

    @classmethod
    def of(cls, store: Store, cases: pd.DataFrame, readers: Sequence[str] = ()) -> "ReaderBoxes":
        """Look up what readers marked.

        Args:
            store: of the cases.
            cases: with view_row and finding.
            readers: whose boxes count; none: all.

        Raises:
            ValueError: a reader that the store does not have.
        """
        boxes = store.boxes
        if unknown := sorted(set(readers) - set(boxes["reader"])):
            known = ", ".join(sorted(boxes["reader"].unique()))
            raise ValueError(f"Nobody called {unknown[0]} marked boxes of {store.path}; there are: {known}.")
        wanted = pd.MultiIndex.from_frame(cases[["view_row", "finding"]])
        boxes = boxes[pd.MultiIndex.from_frame(boxes[["view_row", "finding"]]).isin(wanted)]
        if readers:
            boxes = boxes[boxes["reader"].isin(readers)]
        cut = boxes.assign(**{name: boxes[name].clip(0, store.image_size) for name in CORNERS})
        has_area = (cut["x0"] < cut["x1"]) & (cut["y0"] < cut["y1"])
        by_key: dict[tuple, dict[str, np.ndarray]] = {}
        cut = cut[has_area].sort_values(["view_row", "finding", "reader"], kind="stable")
        keys = list(zip(cut["view_row"], cut["finding"], cut["reader"], strict=True))
        corners = cut[CORNERS].to_numpy(np.float64)
        for (view_row, finding, reader), rows in itertools.groupby(range(len(keys)), keys.__getitem__):
            by_key.setdefault((view_row, finding), {})[reader] = corners[list(rows)]
        by_case = [by_key.get(key, {}) for key in zip(cases["view_row"], cases["finding"], strict=True)]
        return cls(by_case, int((~has_area).sum()))


def reader_agreement(readers: Mapping[str, np.ndarray]) -> float:
    """Return the mean IoU over the pairs of readers of a case: what to expect of another reader.

    NaN where fewer than two marked it.
    """
    pairs = list(itertools.combinations(readers.values(), 2))
    return float(np.mean([covered_areas(*pair).iou for pair in pairs])) if pairs else np.nan


@dataclasses.dataclass(frozen=True)
class BlindBoxes:
    """One box per finding, the same on every picture: what any map must beat.

    Attributes:
        center: finding -> in the middle of the picture, as wide and as high as the finding's boxes are on
            average, `[1, 4]`.
        mean: finding -> the mean of the finding's corners, `[1, 4]`.
        num_boxes: finding -> how many they were learnt from; 0 where there are none.
        fit: finding -> mean IoU of its mean box with those.
    """

    center: dict[str, np.ndarray]
    mean: dict[str, np.ndarray]
    num_boxes: dict[str, int]
    fit: dict[str, float]

    @classmethod
    def learn(cls, store: Store, view_rows: np.ndarray, findings: Sequence[str]) -> "BlindBoxes":
        """Learn them from the boxes of some views, those of training; a finding without any has none."""
        boxes = store.boxes[np.isin(store.boxes["view_row"], view_rows)]
        center, mean, num_boxes, fit = {}, {}, {}, {}
        middle = store.image_size / 2
        for finding in findings:
            corners = boxes.loc[boxes["finding"] == finding, CORNERS].to_numpy(np.float64)
            num_boxes[finding] = len(corners)
            if len(corners):
                average = corners.mean(0)
                half = (average[2:] - average[:2]) / 2
                center[finding] = np.concatenate([middle - half, middle + half])[None]
                mean[finding] = average[None]
                fit[finding] = float(pairwise_iou(corners, average).mean())
        return cls(center, mean, num_boxes, fit)
