"""The data set of a second with boxes: two readers mark the patches that labels draw."""

import dataclasses
from collections.abc import Iterator

from tiny_studies import TinyStudies

from lib.data.study import Box, Study

PATCHES = {"opacity": (4, 4, 16, 16), "device": (24, 4, 36, 16), "rare": (4, 24, 16, 36)}
"""Where `tiny_studies.Picture` draws a label, pixels of its file."""


class MarkedStudies(TinyStudies):
    """R1 marks a patch exactly, R2 one pixel wider on each side and only in every second study."""

    def __iter__(self) -> Iterator[Study]:
        for number, study in enumerate(super().__iter__()):
            boxes = []
            for view in study.views:
                for finding, (x0, y0, x1, y1) in PATCHES.items():
                    if study.labels[finding] != 1:
                        continue
                    boxes.append(Box(view_id=view.view_id, finding=finding, x0=x0, y0=y0, x1=x1, y1=y1))
                    if number % 2:
                        corners = {"x0": x0 - 1, "y0": y0 - 1, "x1": x1 + 1, "y1": y1 + 1}
                        boxes.append(Box(view_id=view.view_id, finding=finding, reader="R2", **corners))
            yield dataclasses.replace(study, boxes=tuple(boxes))
