"""The shell of the sweep's curves: a box for each method; a click on a point opens its run."""

from typing import Any

from workbench.figures.live import live_figure
from workbench.tables import method_name


def curves_shell(model: Any) -> Any:
    """Return the widget of a `SweepCurves`."""
    import ipywidgets

    target = ipywidgets.Dropdown(options=list(model.monitor.sweep.targets), value=model.target)
    boxes = {
        name: ipywidgets.Checkbox(
            value=name in model.methods,
            description=method_name(name),
            indent=False,
            layout={"width": "auto", "margin": "0 14px 0 0"},
        )
        for name in model.monitor.sweep.methods
    }
    place = ipywidgets.VBox().add_class("wb-curves")
    message = ipywidgets.Label("Click a point to open its run.").add_class("wb-message")

    def clicked(trace: Any, points: Any, _: Any) -> None:
        if points.point_inds:
            with model.monitor.lock:
                model.viewer.open(trace.meta["runs"][points.point_inds[0]])
            message.value = model.viewer.message or f"Open below: {model.viewer.run.id}"

    def draw() -> None:
        figure = live_figure(model.figure())
        for trace in figure.data:
            trace.on_click(clicked)
        place.children = (figure,)

    def take(_: Any) -> None:
        with model.monitor.lock:
            # No box is all boxes: there is nothing to see in an empty figure.
            model.choose([name for name, box in boxes.items() if box.value])
            model.look_at(target.value)
            draw()

    for control in (target, *boxes.values()):
        control.observe(take, "value")
    draw()
    model.monitor.listen(draw)
    row = [*[target] * (len(model.monitor.sweep.targets) > 1), *boxes.values()]
    controls = ipywidgets.HBox(row, layout={"flex_flow": "row wrap"})
    return ipywidgets.VBox([controls, place, message]).add_class("wb-sweep-curves")
