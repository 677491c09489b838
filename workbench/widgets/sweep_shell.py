"""The shell of the sweep monitor: looks again by itself and by a button, opens what is clicked."""

import threading
import time
from typing import Any

from workbench.figures.live import live_figure
from workbench.widgets.display import views_output

INTERVAL = 3.0
"""Seconds between two looks."""


def sweep_shell(model: Any) -> Any:
    """Return the widget of a `SweepMonitor`: progress, matrix, what is missing, tables."""
    import ipywidgets

    again = ipywidgets.Button(description="Refresh", icon="refresh", layout={"width": "110px"})
    follow = ipywidgets.ToggleButton(
        value=not model.is_over, description="Follow", icon="play", layout={"width": "100px"}
    )
    bar = ipywidgets.FloatProgress(min=0, max=1, layout={"width": "220px"})
    caption = ipywidgets.Label().add_class("wb-caption")
    matrix = live_figure(model.matrix())
    matrix_place = ipywidgets.VBox([matrix]).add_class("wb-matrix")
    message = ipywidgets.Label().add_class("wb-message")
    views = ipywidgets.Output().add_class("wb-tables")

    def clicked(trace: Any, points: Any, _: Any) -> None:
        if points.point_inds:
            with model.lock:
                model.viewer.open(trace.customdata[points.point_inds[0]])
            message.value = model.viewer.message or f"Open below: {model.viewer.run.id}"

    def draw(anew: bool = True) -> None:
        bar.value, caption.value = model.share, model.caption
        bar.bar_style = "success" if model.is_over else ""
        if anew:
            # A figure that a slow browser has yet to draw loses what is moved in it.
            figure = live_figure(model.matrix())
            for trace in figure.data:
                trace.on_click(clicked)
            matrix_place.children = (figure,)
        else:
            _move(matrix_place.children[0], model.matrix())
        views.outputs = views_output([*filter(None, [model.problems()]), *model.tables()])

    def look(at_once: bool) -> None:
        with model.lock:
            if model.refresh(at_once=at_once) or at_once:
                draw(anew=at_once or model.is_over)
                model.tell()
            else:
                caption.value = model.caption

    def press(_: Any) -> None:
        again.disabled = True
        look(True)
        again.disabled = False

    def run() -> None:
        while follow.value and not model.is_over:
            time.sleep(INTERVAL)
            look(False)
        follow.value = False

    def toggle(change: Any) -> None:
        if change["new"]:
            # A daemon: it ends with the kernel; the sweep itself does not.
            threading.Thread(target=run, name="wb-sweep", daemon=True).start()

    again.on_click(press)
    follow.observe(toggle, "value")
    draw()
    toggle({"new": follow.value})
    top = ipywidgets.HBox(
        [again, follow, bar, caption], layout={"align_items": "center", "flex_flow": "row wrap"}
    )
    return ipywidgets.VBox([top, matrix_place, message, views]).add_class("wb-sweep")


def _move(widget: Any, figure: Any) -> None:
    """Give a live matrix the squares of another one, in one message to the browser."""
    with widget.batch_update():
        for trace, new in zip(widget.data, figure.data, strict=True):
            for key in ("x", "y", "text", "customdata", "hovertext", "name"):
                trace[key] = new[key]
        widget.layout.title.text = figure.layout.title.text
