"""Panels that change while a person looks: only what differs from before goes to the browser."""

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from workbench import theme
from workbench.figures.box_panels import (
    EDGE,
    GAP,
    LETTER,
    LINES,
    Panel,
    box_panels,
    lines_html,
    panel_content,
    scale_ticks,
)
from workbench.figures.live import live_figure


class LivePanels:
    """A live figure of panels.

    A new figure for every step of a slider would cost plotly a quarter of a second; this costs a few ms.

    Attributes:
        widget: plotly's.
    """

    def __init__(
        self,
        panels: Sequence[Panel],
        *,
        threshold: float,
        opacity: float,
        title: str,
        note: str = "",
        clicked: Callable[[int, int], None] | None = None,
    ):
        """Draw panels for the first time.

        Args:
            panels: as in `box_panels`; later ones are as many, of one size.
            threshold: of the maps.
            opacity: of the maps.
            title: plain text.
            note: plain text.
            clicked: is told the panel and the place in it, counted row by row, that a person clicks.
        """
        figure = box_panels(panels, threshold=threshold, opacity=opacity, title=title, note=note)
        self.widget: go.FigureWidget = live_figure(figure)
        self._shown = _content(panels, threshold, opacity, title, note)
        for index in range(len(panels)):
            places = self.widget.data[index * len(LINES) + list(LINES).index("places")]
            if clicked is not None:
                places.on_click(lambda _, points, __, index=index: _tell(clicked, index, points.point_inds))

    def move(
        self, panels: Sequence[Panel], *, threshold: float, opacity: float, title: str, note: str = ""
    ) -> None:
        """Draw others; arguments as at the beginning."""
        new = _content(panels, threshold, opacity, title, note)
        changed = {key: value for key, value in new.items() if value != self._shown.get(key)}
        self._shown = new
        with self.widget.batch_update():
            for key, value in changed.items():
                self._set(key, value)

    def _set(self, key: Any, value: Any) -> None:
        layout, data = self.widget.layout, self.widget.data
        if key == "title":
            layout.title.text = value
        elif key == "ticks":
            data[-1].marker.colorbar.update(value)
        elif key == "opacity":
            for image in layout.images[1::2]:
                image.opacity = value
        else:
            index, part = key
            if part in LINES:
                data[index * len(LINES) + list(LINES).index(part)].update(value)
            elif part in ("picture", "heat"):
                layout.images[2 * index + (part == "heat")].source = value
            else:
                annotation = layout.annotations[2 * index + (part == "warning")]
                annotation.text = value
                annotation.visible = bool(value)


def _content(
    panels: Sequence[Panel], threshold: float, opacity: float, title: str, note: str
) -> dict[Any, Any]:
    """Return (panel, part) -> what it shows, and what all have in common."""
    side = (theme.WIDTH - 2 * EDGE - (len(panels) - 1) * GAP) / len(panels)
    texts = lines_html(title), lines_html(note)
    shown: dict[Any, Any] = {"ticks": scale_ticks(threshold), "opacity": opacity}
    shown["title"] = theme.title_text(*texts)
    for index, panel in enumerate(panels):
        drawn = panel_content(panel, width=round(side / LETTER), threshold=threshold)
        shown |= {(index, name): trace for name, trace in drawn.pop("traces").items()}
        shown |= {(index, name): value for name, value in drawn.items()}
    return shown


def _tell(clicked: Callable[[int, int], None], panel: int, places: Sequence[int]) -> None:
    if places:
        clicked(panel, places[0])
