"""What layouts share: the pair of functions that each one is, and how their files are written."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from lib.data.study import Box, Study, View


class Layout(NamedTuple):
    """How a data set is laid out.

    Attributes:
        studies: phantom studies -> the studies that the data set's reader must give back: ids, labels, boxes
            and reports as that data set has them, pictures still to be rendered.
        write: writes their files below a folder, with the names and columns of the official download.
    """

    studies: Callable[[Iterable[Study]], Iterator[Study]]
    write: Callable[[Sequence[Study], Path], None]


def frontal_view(study: Study) -> View | None:
    """Return the first frontal view, or None."""
    return next((view for view in study.views if view.position in ("PA", "AP")), None)


def boxes_of(study: Study, view: View, readers: Sequence[str] | None = None) -> Iterator[Box]:
    """Yield the boxes of a view, of some readers or of all."""
    for box in study.boxes:
        if box.view_id == view.view_id and (readers is None or box.reader in readers):
            yield box


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV table; the header is taken as it is, so that it may hold what official ones hold."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as handle:
        handle.write(",".join(header) + "\n")
        csv.writer(handle, lineterminator="\n").writerows(rows)


def write_picture(view: View, path: Path) -> None:
    """Render a view into a PNG or JPEG file, by its ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(view.render()).save(path, **({} if path.suffix == ".png" else {"quality": 95}))
