"""What figures and widgets draw of a study that is read: pictures, maps on them, words."""

import dataclasses

import numpy as np

from lib.explain.frame import Frame
from workbench.study_reading.seen_study import SeenStudy

Corners = tuple[float, float, float, float]
"""x0, y0, x1, y1 in stored pixels."""


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """A view with what readers marked.

    Attributes:
        title: stands above it.
        pixels: as stored, uint8 `[S, S]`.
        boxes: corners `[B, 4]`.
        findings: of the boxes.
        seen: what the model sees of it.
    """

    title: str
    pixels: np.ndarray
    boxes: np.ndarray
    findings: list[str]
    seen: Corners


@dataclasses.dataclass(frozen=True, eq=False)
class Layer:
    """What lies on a view and stands below it.

    Attributes:
        heat: the map, 0..1, float32 `[S, S]`.
        bars: what the view has of something: name -> share, 0..1.
        spot: corners of the place that was chosen, or None.
        text: plain line below the bars.
    """

    heat: np.ndarray
    bars: dict[str, float] = dataclasses.field(default_factory=dict)
    spot: Corners | None = None
    text: str = ""


@dataclasses.dataclass(frozen=True)
class Word:
    """A token of a report.

    Attributes:
        text: as it is read.
        glued: whether no space stands before it.
        tint: 0..1, how strongly it is coloured.
        hint: what the pointer says.
        quiet: whether it is no part of the text.
    """

    text: str
    glued: bool
    tint: float
    hint: str
    quiet: bool = False


def pictures_of(study: SeenStudy, frame: Frame) -> list[Picture]:
    """Return the views of a study with the boxes of all readers."""
    pictures = []
    for view, pixels in enumerate(study.pictures):
        boxes = study.boxes[study.boxes["view"] == view]
        corners = boxes[["x0", "y0", "x1", "y1"]].to_numpy(np.float64)
        seen = tuple(map(float, frame.window[0]))
        pictures.append(Picture(study.title_of(view), pixels, corners, boxes["finding"].tolist(), seen))
    return pictures
