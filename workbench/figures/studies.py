"""Studies as figures: the views of one with its report and boxes, and the contact sheet of many."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench import theme
from workbench.figures.pictures import data_uri, mosaic
from workbench.figures.report_text import report_html

PICTURE_SIDE = 420
"""Pixels; the side of a view that stands alone. Two or three share what the report leaves."""
VIEWS_SHARE = 0.64
"""Largest share of the figure's width that the views take."""


def study_figure(
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    boxes: pd.DataFrame,
    *,
    findings: str,
    impression: str,
    title: str,
    note: str = "",
) -> go.Figure:
    """Show the views of one study with the boxes of each reader, and its report beside them.

    Args:
        images: the views, uint8 `[height, width]` each.
        captions: one per view, e.g. its position.
        boxes: columns view (place in `images`), finding, reader, x0, y0, x1, y1 in pixels; may be empty.
        findings: section of the report.
        impression: section of the report.
        title: names the study.
        note: where it comes from.
    """
    columns = len(images)
    share = min(VIEWS_SHARE, columns * PICTURE_SIDE / theme.WIDTH)
    figure = make_subplots(
        rows=1,
        cols=columns + 1,
        column_widths=[share / columns] * columns + [1 - share],
        horizontal_spacing=0.012,
        subplot_titles=[*captions, ""],
    )
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    for column, image in enumerate(images, start=1):
        # The source is shown as it is, so the picture travels as a small JPEG and not as numbers.
        figure.add_trace(go.Image(source=data_uri(image), hoverinfo="skip"), row=1, col=column)
        figure.update_xaxes(visible=False, constrain="domain", row=1, col=column)
        figure.update_yaxes(visible=False, constrain="domain", constraintoward="top", row=1, col=column)
    for trace, column in _box_traces(boxes):
        figure.add_trace(trace, row=1, col=column)
    for (view, finding), marked in boxes.groupby(["view", "finding"], sort=False):
        figure.add_annotation(
            text=str(finding),
            x=marked["x0"].min(),
            y=marked["y0"].min(),
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            font={"size": 10, "color": "white"},
            bgcolor="rgba(0, 0, 0, 0.45)",
            borderpad=1,
            row=1,
            col=int(view) + 1,
        )
    # An empty trace keeps the report's panel alive; the text hangs in it.
    figure.add_trace(go.Scatter(x=[], y=[], showlegend=False), row=1, col=columns + 1)
    figure.update_xaxes(visible=False, range=[0, 1], fixedrange=True, row=1, col=columns + 1)
    figure.update_yaxes(visible=False, range=[0, 1], fixedrange=True, row=1, col=columns + 1)
    text = report_html(findings, impression, width=round(130 * (1 - share)))
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
    picture = (theme.WIDTH - 60) * share / columns
    height = max(picture, 18.5 * (text.count("<br>") + 1)) + 128
    return theme.style(
        figure,
        title=title,
        note=note,
        height=math.ceil(height),
        margin={"l": 16, "r": 16, "t": 84, "b": 32},
        legend={"x": 0, "xanchor": "left", "y": 0, "yanchor": "top", "title": {"text": "boxes by "}},
    )


def contact_sheet(
    images: np.ndarray,
    captions: Sequence[str],
    *,
    columns: int = 8,
    tile: int = 118,
    title: str,
    note: str = "",
) -> go.Figure:
    """Show many views as one sheet; the caption of each appears under the pointer.

    Args:
        images: uint8 `[N, S, S]`.
        captions: one per image, may hold `<br>`.
        columns: images per row.
        tile: side of one thumbnail in pixels.
        title: one line.
        note: where they come from.
    """
    columns = min(columns, max(1, len(images)))
    gap = 4
    sheet = mosaic(images, columns=columns, tile=tile, gap=gap)
    places = np.arange(len(images))
    centre = tile / 2
    figure = go.Figure(
        [
            go.Image(source=data_uri(sheet), hoverinfo="skip"),
            go.Scatter(
                x=places % columns * (tile + gap) + centre,
                y=places // columns * (tile + gap) + centre,
                mode="markers",
                marker={"size": tile, "symbol": "square", "opacity": 0},
                hovertext=list(captions),
                hoverinfo="text",
                showlegend=False,
            ),
        ]
    )
    height, width = sheet.shape
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, width])
    figure.update_yaxes(visible=False, fixedrange=True, range=[height, 0])
    return theme.style(
        figure,
        title=title,
        note=note,
        height=height + 84,
        width=width + 32,
        margin={"l": 16, "r": 16, "t": 68, "b": 16},
    )


def _box_traces(boxes: pd.DataFrame) -> list[tuple[go.Scatter, int]]:
    """Return one closed line per box with the column of its view; one legend entry per reader."""
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
            name=str(box.reader),
            legendgroup=str(box.reader),
            showlegend=box.reader not in named,
            hoveron="points+fills",
            hoverinfo="text",
            text=f"{box.finding} ({box.reader})",
        )
        named.add(box.reader)
        traces.append((trace, int(box.view) + 1))
    return traces
