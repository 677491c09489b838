"""Figures that change while a person looks: plotly's widget, filled from plain figures."""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go


class WholeFigure(go.FigureWidget):
    """Plotly's widget, told to the browser with its content.

    Plotly opens it empty and sends the content after it. Where JupyterLab shows it later, for it is further
    down than the screen, that second message is lost and the axes stay empty.
    """

    def __init__(self, figure: go.Figure):
        """Take the content of a figure."""
        self._is_whole = False
        super().__init__(figure)
        self._is_whole = True
        self.open()

    def open(self) -> None:
        """Tell the browser, once there is something to tell."""
        if self._is_whole:
            super().open()


def live_figure(figure: go.Figure) -> go.FigureWidget:
    """Return a figure as a widget whose traces can be moved from Python."""
    return WholeFigure(figure)


def afterwards(act: Callable[[], None]) -> None:
    """Do something as soon as the message is done that is handled now.

    A figure that is changed while it tells of a click loses the change: its messages are held until then, and
    the last of them says that there is none.
    """
    try:
        asyncio.get_running_loop().call_soon(act)
    except RuntimeError:  # nobody sends messages: a test
        act()


def move_traces(widget: go.FigureWidget, series: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Give the traces of a live figure new points, in one message to the browser.

    Args:
        widget: from `live_figure`.
        series: x and y of each trace, in the order of the traces.
    """
    with widget.batch_update():
        for trace, (x, y) in zip(widget.data, series, strict=True):
            trace.x, trace.y = x, y
