"""Many cases as one sheet of small pictures with readers' and a model's boxes."""

import html
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from workbench import theme
from workbench.box_reading.map_table import MapTable, Reading
from workbench.figures.studies import contact_sheet, frame

COLUMNS, TILE = 8, 118


class Thumbnail(NamedTuple):
    """A case in small; corners are shares of the picture's side, `[B, 4]`."""

    picture: np.ndarray  # uint8 [S, S]
    marked: np.ndarray
    found: np.ndarray
    below: str  # plain text, a line or two
    caption: str  # plain text, under the pointer


def box_gallery(
    thumbnails: Sequence[Thumbnail], *, chosen: int | None = None, title: str, note: str = ""
) -> go.Figure:
    """Draw cases in rows of eight.

    Args:
        thumbnails: at least one, of one size.
        chosen: which one has a frame.
        title: plain text.
        note: plain text.
    """
    figure = contact_sheet(
        np.stack([one.picture for one in thumbnails]),
        [one.caption for one in thumbnails],
        below=[one.below for one in thumbnails],
        columns=COLUMNS,
        tile=TILE,
        title=html.escape(title, quote=False),
        note=html.escape(note, quote=False),
    )
    middles = np.array([figure.data[1].x, figure.data[1].y], float).T
    corners = np.tile(middles - TILE / 2, 2)  # [N, 4]
    for kind, line in (
        ("marked", {"color": theme.READER_BOX, "width": 1.5}),
        ("found", {"color": theme.MODEL_BOX, "width": 1.5, "dash": "4px,2px"}),
    ):
        x, y = [], []
        for corner, one in zip(corners, thumbnails, strict=True):
            for x0, y0, x1, y1 in (corner + TILE * getattr(one, kind)).tolist():
                x += [x0, x1, x1, x0, x0, None]
                y += [y0, y0, y1, y1, y0, None]
        figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False)
    if chosen is not None:
        frame(figure, chosen)
    return figure.update_layout(width=theme.WIDTH)


def move_gallery(widget: go.FigureWidget, figure: go.Figure) -> bool:
    """Give a live gallery the content of another one of as many cases, in one message to the browser.

    Args:
        widget: made of a gallery with a chosen case.
        figure: another one with a chosen case.

    Returns:
        False where they differ in size, and nothing was done.
    """
    if len(widget.layout.annotations) != len(figure.layout.annotations):
        return False
    corners = {name: figure.layout.shapes[0][name] for name in ("x0", "x1", "y0", "y1")}
    with widget.batch_update():
        if widget.data[0].source != figure.data[0].source:
            widget.data[0].source = figure.data[0].source
            widget.data[1].hovertext = figure.data[1].hovertext
            for old, new in zip(widget.data[2:], figure.data[2:], strict=True):
                old.x, old.y = new.x, new.y
            for old, new in zip(widget.layout.annotations, figure.layout.annotations, strict=True):
                old.text = new.text
            widget.layout.title.text = figure.layout.title.text
        widget.layout.shapes[0].update(corners)
    return True


def move_frame(widget: go.FigureWidget, place: int) -> None:
    """Give another case of a live gallery the frame."""
    (width, height), middles = widget.layout.meta["tile"], widget.data[1]
    x, y = middles.x[place], middles.y[place]
    corners = {"x0": x - width / 2, "x1": x + width / 2, "y0": y - height / 2, "y1": y + height / 2}
    if widget.layout.shapes[0].x0 != corners["x0"] or widget.layout.shapes[0].y0 != corners["y0"]:
        with widget.batch_update():
            widget.layout.shapes[0].update(corners)


def case_gallery(
    table: MapTable,
    cases: np.ndarray,
    ious: Sequence[np.ndarray],
    reading: Reading,
    *,
    reader: str = "",
    chosen: int | None = None,
    title: str,
    note: str = "",
) -> go.Figure:
    """Draw cases with the boxes of the first model, and what those of all are worth.

    Args:
        table: the maps.
        cases: of `table.cases`, at least one.
        ious: of each model, `[N]`.
        reading: how maps become boxes.
        reader: whose boxes are drawn; "" is all.
        chosen: which one has a frame.
        title: plain text.
        note: plain text.
    """
    images, about = table.cases.store.images, table.cases.table
    thumbnails = []
    for place, case in enumerate(cases.tolist()):
        row = about.iloc[case]
        worth = " and ".join("-" if np.isnan(one[place]) else f"{one[place]:.2f}" for one in ious)
        marked = [boxes for boxes in table.cases.of_reader(case, reader).values()]
        sure = table.probability(0, np.array([case]))[0]
        thumbnails.append(
            Thumbnail(
                picture=np.array(images[row["view_row"]]),
                marked=np.concatenate([np.empty((0, 4)), *marked]) / table.cases.store.image_size,
                found=table.quick_boxes(0, case, reading),
                below=f"{row['finding']}\nIoU {worth}",
                caption=f"{row['finding']} in {row['view_id']}\npatient {row['patient_id']}\n"
                f"IoU {worth}\nprobability {sure:.2f}",
            )
        )
    return box_gallery(thumbnails, chosen=chosen, title=title, note=note)
