"""One `show` for every view: live in JupyterLab, static in a headless run."""

import json
from typing import Any, Protocol, runtime_checkable

from IPython.display import HTML, display

from workbench.notebooks import is_headless

PLOTLY = "application/vnd.plotly.v1+json"


@runtime_checkable
class View(Protocol):
    """What can be shown in two ways."""

    def live(self) -> Any:
        """Return the widget for a person at a browser."""
        ...

    def static(self) -> Any:
        """Return the figure that stands for it where nobody can click."""
        ...


def show(view: Any) -> None:
    """Show a figure, a table, HTML text, a list of these, or a view with a live and a static form.

    Headless runs (WORKBENCH_HEADLESS=1) get the static form; a notebook's cells are the same either way.
    """
    if isinstance(view, View):
        view = view.static() if is_headless() else view.live()
    if isinstance(view, list):
        for one in view:
            show(one)
    elif isinstance(view, str):
        display(HTML(view))
    elif hasattr(view, "to_plotly_json") and not hasattr(view, "comm"):
        display(figure_bundle(view), raw=True)
    else:
        display(view)


def figure_bundle(figure: Any) -> dict[str, Any]:
    """Return what a notebook stores of a plotly figure: its JSON, which JupyterLab draws, and its title.

    Plotly's own display would load nbformat first, which costs seconds in every kernel.
    """
    content = json.loads(figure.to_json())
    title = str(figure.layout.title.text or "figure").partition("<br>")[0]
    return {PLOTLY: content, "text/plain": title}


def figure_output(figure: Any) -> tuple[dict[str, Any]]:
    """Return a figure as what an ipywidgets.Output holds."""
    return ({"output_type": "display_data", "metadata": {}, "data": figure_bundle(figure)},)


def views_output(views: list[Any]) -> tuple[dict[str, Any], ...]:
    """Return figures and HTML texts, one below the other, as what an ipywidgets.Output holds."""
    held: tuple[dict[str, Any], ...] = ()
    for view in views:
        if isinstance(view, str):
            held += ({"output_type": "display_data", "metadata": {}, "data": {"text/html": view}},)
        else:
            held += figure_output(view)
    return held
