"""Figures that change while a person looks: plotly's widget, filled from plain figures."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go


def live_figure(figure: go.Figure) -> go.FigureWidget:
    """Return a figure as a widget whose traces can be moved from Python."""
    return go.FigureWidget(figure)


def move_traces(widget: go.FigureWidget, series: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Give the traces of a live figure new points, in one message to the browser.

    Args:
        widget: from `live_figure`.
        series: x and y of each trace, in the order of the traces.
    """
    with widget.batch_update():
        for trace, (x, y) in zip(widget.data, series, strict=True):
            trace.x, trace.y = x, y
