"""The study: one patient visit with its views, report, labels and boxes."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

POSITIONS = ("PA", "AP", "FRONTAL", "LATERAL", "UNKNOWN")
"""View positions. `FRONTAL`: known to be frontal, PA or AP unknown."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """One radiograph of a study: a file, or a function that makes it.

    Attributes:
        view_id: unique inside the data set.
        position: one of `POSITIONS`.
        path: the image file; None for generated views.
        render: picklable function without arguments -> uint8 `[height, width]`; None for files.
        aspect: width / height that the picture should have where the file was squeezed, else None.
        box_frame: width and height, in pixels, that the boxes of this view refer to where the file was
            scaled since, else None: they refer to the file.
        refused: why the reader takes the picture for unusable ("modality CT"); ingest drops and counts it.
    """

    view_id: str
    position: str = "UNKNOWN"
    path: Path | None = None
    render: Callable[[], np.ndarray] | None = None
    aspect: float | None = None
    box_frame: tuple[float, float] | None = None
    refused: str = ""

    def __post_init__(self):
        if self.position not in POSITIONS:
            raise ValueError(f"View {self.view_id}: position {self.position!r} is not one of {POSITIONS}.")
        assert self.refused or (self.path is None) != (self.render is None), "a view is a file or a function"
        assert self.aspect is None or 0 < self.aspect < math.inf, "an unknown aspect is None"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Box:
    """A finding marked by one reader on one view.

    Corners are in pixels of the view as its file or `render` gives it, or of its `box_frame`; `x1`, `y1` are
    exclusive.
    """

    view_id: str
    finding: str
    x0: float
    y0: float
    x1: float
    y1: float
    reader: str = "R1"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """One patient visit: its views and at most one report.

    Attributes:
        study_id: unique inside the data set.
        patient_id: splits are drawn over these.
        views: in the order of the data set; empty where it lists none.
        findings: that section of the report, "" where absent.
        impression: that section of the report, "" where absent.
        labels: name -> 1.0, 0.0 or NaN (not known).
        boxes: over all views and readers.
        sex: "M", "F" or "".
        age: years, NaN where unknown.
        split: the data set's own split ("train", "validation", "test") or "".
    """

    study_id: str
    patient_id: str
    views: tuple[View, ...]
    findings: str = ""
    impression: str = ""
    labels: Mapping[str, float] = dataclasses.field(default_factory=dict)
    boxes: tuple[Box, ...] = ()
    sex: str = ""
    age: float = math.nan
    split: str = ""
