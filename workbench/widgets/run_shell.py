"""The shell of the run viewer: a menu of findings above card, curves and errors."""

from typing import Any

from workbench.widgets.display import views_output


def run_shell(model: Any) -> Any:
    """Return the widget of a `RunViewer`."""
    import ipywidgets

    finding = ipywidgets.Dropdown(
        description="errors in", style={"description_width": "70px"}, layout={"width": "300px"}
    )
    views = ipywidgets.Output()
    drawing = False  # what the shell itself sets is not a wish of the person

    def draw() -> None:
        nonlocal drawing
        drawing = True
        finding.options = [("any finding", ""), *((one, one) for one in model.findings)]
        finding.value = model.finding
        finding.layout.display = "" if model.findings else "none"
        drawing = False
        views.outputs = views_output(model.views())

    def take(change: Any) -> None:
        if not drawing:
            model.look_at(change["new"])
            draw()

    finding.observe(take, "value")
    draw()
    model.listen(draw)
    return ipywidgets.VBox([finding, views]).add_class("wb-opened")
