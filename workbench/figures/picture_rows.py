"""Pictures in rows under headings, with boxes and links between them."""

import html
import textwrap

import numpy as np
import plotly.graph_objects as go

from workbench import theme
from workbench.baselines.shown import Box, PictureRows
from workbench.figures.pictures import mosaic
from workbench.figures.studies import contact_sheet

LARGEST, GAP, EDGE = 190, 4, 16
"""Pixels: side of a picture at most, between two of them, left and right of all."""
LINE = 15
"""Pixels of a line of text."""
LETTER = 6.2
"""Pixels of a letter, on average."""


def picture_rows(shown: PictureRows, *, note: str = "") -> go.Figure:
    """Draw pictures in rows, each with its caption below it; boxes of a pair are joined by a line.

    Args:
        shown: at least one picture.
        note: where they come from; that of `shown` follows.
    """
    columns = max(len(row) for row in shown.rows)
    side = min(LARGEST, (theme.WIDTH - 2 * EDGE - (columns - 1) * GAP) // columns)
    tiles = [(row, column, tile) for row, own in enumerate(shown.rows) for column, tile in enumerate(own)]
    # All in one size, for pictures as they are stored are larger than what an encoder sees.
    images = np.full((len(shown.rows) * columns, side, side), 255, np.uint8)
    captions = [""] * len(images)
    for row, column, tile in tiles:
        images[row * columns + column] = mosaic(tile.picture[None], columns=1, tile=side)
        captions[row * columns + column] = tile.caption
    note = _note(note, shown.note)
    figure = contact_sheet(
        images,
        captions,
        below=captions if any(captions) else (),
        columns=columns,
        tile=side,
        title=html.escape(shown.title, quote=False),
        note=note,
    )
    place = figure.data[1]  # the middles of all pictures
    for row, column, tile in tiles:
        index = row * columns + column
        corner = place.x[index] - side / 2, place.y[index] - side / 2
        _draw_boxes(figure, tile.boxes, corner, side / tile.picture.shape[0])
    heads = [_wrapped(head, round(side / LETTER)) for head in shown.heads]
    for column, head in enumerate(heads):
        figure.add_annotation(
            text=head,
            x=place.x[column] - side / 2,
            y=1,
            yref="paper",  # above the pictures: plotly leaves out what lies beyond an axis
            xanchor="left",
            yanchor="bottom",
            align="left",
            showarrow=False,
            font={"size": 12, "color": theme.INK},
        )
    above = LINE * max((head.count("<br>") + 1 for head in heads), default=0)
    above += LINE * note.count("<br>")
    across = columns * (side + GAP) - GAP
    return figure.update_layout(
        height=figure.layout.height + above,
        width=theme.WIDTH,
        margin={"t": figure.layout.margin.t + above, "l": EDGE, "r": theme.WIDTH - EDGE - across},
    )


def _draw_boxes(figure: go.Figure, boxes: tuple[Box, ...], corner: tuple[float, float], scale: float) -> None:
    """Draw boxes of a picture whose upper left corner lies there, in the colours of their pairs."""
    middles: dict[int, list[tuple[float, float]]] = {}
    shapes = []
    for box in boxes:
        x, y = corner[0] + scale * box.left, corner[1] + scale * box.top
        width, height = scale * box.width, scale * box.height
        line = {"color": theme.COLOURS[box.pair % len(theme.COLOURS[:6])], "width": 1.5}
        shapes.append({"type": "rect", "x0": x, "y0": y, "x1": x + width, "y1": y + height, "line": line})
        others = middles.setdefault(box.pair, [])
        middle = x + width / 2, y + height / 2
        shapes += [
            {
                "type": "line",
                "x0": x0,
                "y0": y0,
                "x1": middle[0],
                "y1": middle[1],
                "line": {**line, "width": 1},
            }
            for x0, y0 in others
        ]
        others.append(middle)
    figure.layout.shapes = [*figure.layout.shapes, *shapes]


def _note(*parts: str) -> str:
    """Return the parts one after the other, in lines that fit the figure; <br> stays."""
    lines = " | ".join(filter(None, parts)).split("<br>")
    return "<br>".join(_wrapped(line, 150) for line in lines)


def _wrapped(text: str, width: int) -> str:
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(text, width))
