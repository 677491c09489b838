"""Studies as figures: the views of one with its report and boxes, and the contact sheet of many."""

import html
import math
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench import theme
from workbench.figures.heat import OPACITY, Cover, covered_uri
from workbench.figures.pictures import data_uri, mosaic
from workbench.figures.report_text import report_html

PICTURE_SIDE = 420
"""Pixels; the side of a view that stands alone. Two or three share what the report leaves."""
VIEWS_SHARE = 0.64
"""Largest share of the figure's width that the views take."""
PER_ROW = 2
"""More views than that go into further rows."""
CAPTION_LINE = 16
"""Pixels."""


def study_figure(
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    boxes: pd.DataFrame,
    *,
    findings: str,
    impression: str,
    warnings: Sequence[str] = (),
    covers: Sequence[Cover | None] = (),
    words: str = "",
    title: str,
    note: str = "",
) -> go.Figure:
    """Show the views of one study with the boxes of each reader, and its report beside them.

    Args:
        images: the views, uint8 `[height, width]` each.
        captions: one per view, e.g. its position; its lines are wrapped to the picture's width.
        boxes: columns view (place in `images`), finding, reader, x0, y0, x1, y1 in pixels; may be empty.
        findings: section of the report.
        impression: section of the report.
        warnings: what is odd about each view, lines or ""; stands under its caption.
        covers: map of each view, or None; none where empty.
        words: looked for; marked in the report.
        title: names the study.
        note: where it comes from.
    """
    rows = -(-len(images) // PER_ROW)
    columns = -(-len(images) // rows)
    covers = covers or [None] * len(images)
    captions = [
        caption if cover is None else f"{caption}\n{cover.words}"
        for caption, cover in zip(captions, covers, strict=True)
    ]
    share = min(VIEWS_SHARE, columns * PICTURE_SIDE / theme.WIDTH)
    side = (theme.WIDTH - 60) * share / columns
    captions = [_wrap(caption, round(side / 6.2)) for caption in captions]
    for index, warning in enumerate(warnings):
        if warning:
            odd = _wrap(warning, round(side / 6.2))
            captions[index] += f'<br><span style="color:{theme.WARNING}">{odd}</span>'
    above = 6 + CAPTION_LINE * max(caption.count("<br>") + 1 for caption in captions)
    text = report_html(findings, impression, width=round(130 * (1 - share)), words=words)
    plot = max(rows * (side + above) - above, 18.5 * (text.count("<br>") + 1))
    last = plot - (rows - 1) * (side + above)  # the report may make the last row higher than its pictures
    figure = make_subplots(
        rows=rows,
        cols=columns + 1,
        specs=[[{}] * columns + [{"rowspan": rows} if row == 0 else None] for row in range(rows)],
        row_heights=[side] * (rows - 1) + [last],
        vertical_spacing=above / plot,
        column_widths=[share / columns] * columns + [1 - share],
        horizontal_spacing=0.012,
        subplot_titles=[*captions[:columns], "", *captions[columns:]],
    )
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    places = [(index // columns + 1, index % columns + 1) for index in range(rows * columns)]
    for (row, column), image, cover in zip(places, images, covers, strict=False):
        # The source is shown as it is, so the picture travels as a small JPEG and not as numbers.
        source = data_uri(image) if cover is None else covered_uri(image, cover.heat, OPACITY)
        figure.add_trace(go.Image(source=source, zsmooth="fast", hoverinfo="skip"), row=row, col=column)
    for row, column in places:
        figure.update_xaxes(visible=False, constrain="domain", row=row, col=column)
        figure.update_yaxes(visible=False, constrain="domain", constraintoward="top", row=row, col=column)
    for trace, view in _box_traces(boxes):
        figure.add_trace(trace, row=places[view][0], col=places[view][1])
    for (view, finding), marked in boxes.groupby(["view", "finding"], sort=False):
        figure.add_annotation(
            text=html.escape(str(finding), quote=False),
            x=marked["x0"].min(),
            y=marked["y0"].min(),
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            font={"size": 10, "color": "white"},
            bgcolor="rgba(0, 0, 0, 0.45)",
            borderpad=1,
            row=places[int(view)][0],
            col=places[int(view)][1],
        )
    # An empty trace keeps the report's panel alive; the text hangs in it.
    figure.add_trace(go.Scatter(x=[], y=[], showlegend=False), row=1, col=columns + 1)
    figure.update_xaxes(visible=False, range=[0, 1], fixedrange=True, row=1, col=columns + 1)
    figure.update_yaxes(visible=False, range=[0, 1], fixedrange=True, row=1, col=columns + 1)
    figure.add_annotation(
        text=text,
        x=0.04,
        y=1,
        xanchor="left",
        yanchor="top",
        align="left",
        showarrow=False,
        row=1,
        col=columns + 1,
    )
    top = 62 + above
    return theme.style(
        figure,
        title=html.escape(title, quote=False),
        note=html.escape(note, quote=False),
        height=math.ceil(plot + top + 44),
        margin={"l": 16, "r": 16, "t": top, "b": 44 if len(boxes) else 16},
        legend={"x": 0, "xanchor": "left", "y": 0, "yanchor": "top", "title": {"text": "boxes by "}},
    )


def contact_sheet(
    images: np.ndarray,
    captions: Sequence[str],
    *,
    below: Sequence[str] = (),
    columns: int = 8,
    tile: int = 118,
    title: str,
    note: str = "",
) -> go.Figure:
    """Show many pictures as one sheet; the caption of each appears under the pointer.

    Args:
        images: uint8 `[N, H, W]`, at least one.
        captions: plain text, one per image; its lines stay.
        below: plain text under each image, a line or two; none where empty.
        columns: images per row.
        tile: height of one thumbnail in pixels.
        title: one line.
        note: where they come from.
    """
    columns = min(columns, len(images))
    gap = 4
    width = round(tile * images.shape[2] / images.shape[1])
    below = [_wrap(text, round(width / 5.6)) for text in below]
    foot = 4 + 14 * max(text.count("<br>") + 1 for text in below) if below else 0
    sheet = mosaic(images, columns=columns, tile=tile, gap=gap, foot=foot)
    places = np.arange(len(images))
    left, top = places % columns * (width + gap), places // columns * (tile + gap + foot)
    hover = [html.escape(caption, quote=False).replace("\n", "<br>") for caption in captions]
    figure = go.Figure(
        [
            go.Image(source=data_uri(sheet), zsmooth="fast", hoverinfo="skip"),
            go.Scatter(
                x=left + width / 2,
                y=top + tile / 2,
                mode="markers",
                marker={"size": tile, "symbol": "square", "opacity": 0},
                hovertext=hover,
                hoverinfo="text",
                showlegend=False,
            ),
        ]
    )
    for index, text in enumerate(below):
        figure.add_annotation(
            text=text,
            x=left[index],
            y=top[index] + tile,
            xanchor="left",
            yanchor="top",
            align="left",
            showarrow=False,
            font={"size": 11, "color": theme.QUIET},
        )
    height, across = sheet.shape
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, across])
    figure.update_yaxes(visible=False, fixedrange=True, range=[height, 0])
    return theme.style(
        figure,
        title=title,
        note=note,
        height=height + 84,
        width=max(across + 32, 480),
        margin={"l": 16, "r": max(16, 480 - across - 16), "t": 68, "b": 16},
        meta={"tile": [width, tile]},
    )


def frame(sheet: go.Figure, place: int) -> None:
    """Give one picture of a contact sheet a frame, and take that of another away.

    Args:
        sheet: from `contact_sheet`; changed in place.
        place: of the picture.
    """
    width, height = sheet.layout.meta["tile"]
    x, y = sheet.data[1].x[place], sheet.data[1].y[place]
    corners = {"x0": x - width / 2, "x1": x + width / 2, "y0": y - height / 2, "y1": y + height / 2}
    sheet.layout.shapes = [{"type": "rect", **corners, "line": {"color": theme.COLOURS[5], "width": 4}}]


def _wrap(text: str, width: int) -> str:
    """Return plain text as escaped lines of at most `width` characters."""
    lines = [part for line in text.split("\n") for part in textwrap.wrap(line, width) or [""]]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def _box_traces(boxes: pd.DataFrame) -> list[tuple[go.Scatter, int]]:
    """Return one closed line per box with the place of its view; one legend entry per reader."""
    colours = {
        reader: theme.READERS[index % len(theme.READERS)]
        for index, reader in enumerate(sorted(boxes["reader"].unique()))
    }
    traces, named = [], set()
    for box in boxes.itertuples():
        trace = go.Scatter(
            x=[box.x0, box.x1, box.x1, box.x0, box.x0],
            y=[box.y0, box.y0, box.y1, box.y1, box.y0],
            mode="lines",
            line={"color": colours[box.reader], "width": 1.5},
            name=html.escape(str(box.reader), quote=False),
            legendgroup=str(box.reader),
            showlegend=box.reader not in named,
            hoveron="points+fills",
            hoverinfo="text",
            text=html.escape(f"{box.finding} ({box.reader})", quote=False),
        )
        named.add(box.reader)
        traces.append((trace, int(box.view)))
    return traces
