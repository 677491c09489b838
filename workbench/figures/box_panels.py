"""A radiograph beside itself: readers' boxes in red, a model's in green, and the map that those come from."""

import dataclasses
import html
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench import theme
from workbench.figures.heat import RAMP, heat_uri
from workbench.figures.pictures import data_uri

GAP, EDGE, ABOVE, BELOW = 16, 8, 118, 54
"""Pixels: between two panels, left and right of them, above and below."""
LARGEST = 1024
"""Pixels of a side of a picture that travels to the browser."""
LETTER = 6.4
"""Pixels of a letter, on average."""
CLEAR = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
"""A picture of one clear pixel."""

CASING = {"color": "rgba(0, 0, 0, 0.55)", "width": 5}
"""Dark lines under the bright ones: a box must be seen on a white heart as on a black lung."""
LINES: dict[str, dict[str, Any]] = {
    "marked casing": {"line": CASING},
    "found casing": {"line": CASING},
    "marked": {"line": {"color": theme.READER_BOX, "width": 2}, "name": "box of a reader"},
    "found": {
        "line": {"color": theme.MODEL_BOX, "width": 2, "dash": "7px,4px"},
        "name": "box of the model",
    },
    "names": {
        "mode": "text",
        "textposition": "top right",
        "textfont": {"size": 11, "color": "white", "shadow": "auto"},
    },
    "seen": {
        "line": {"color": "rgba(160, 170, 180, 0.8)", "width": 1, "dash": "dot"},
        "name": "edge of what the model sees",
    },
    "place": {"line": {"color": "#ffffff", "width": 2}},
    "places": {
        "mode": "markers",
        "marker": {"size": 14, "symbol": "square", "opacity": 0},
        "hoverinfo": None,
        "hovertemplate": "map %{customdata:.2f} of its maximum<extra></extra>",
    },
}
"""Traces of a panel from back to front, and how each looks; those with a name stand in the legend."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Panel:
    """What is drawn in one place; coordinates are pixels of the stored picture.

    Attributes:
        picture: its data URI, from `picture_uri`.
        size: S, pixels of a side of the stored picture.
        caption: plain text above it, a line or two.
        marked: reader -> corners of the boxes, `[B, 4]`: x0, y0, x1, y1.
        found: corners of the boxes of a model, `[B, 4]`.
        confidence: of these, `[B]`.
        heat: the map, 0..1 `[h, w]` over the whole picture; None where there is none.
        warning: plain text across the picture, "" mostly.
        seen: x0, y0, x1, y1 of what the model looks at; None: no model looks.
        grid: values of the map at the encoder's places `[rows, columns]`, for the pointer.
        place: (row, column) of the place that was clicked.
    """

    picture: str
    size: int
    caption: str = ""
    marked: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    found: np.ndarray = dataclasses.field(default_factory=lambda: np.empty((0, 4)))
    confidence: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))
    heat: np.ndarray | None = None
    warning: str = ""
    seen: tuple[float, float, float, float] | None = None
    grid: np.ndarray | None = None
    place: tuple[int, int] | None = None


def picture_uri(picture: np.ndarray) -> str:
    """Return a grey picture `[S, S]` as a browser gets it, not larger than a screen needs."""
    step = -(-picture.shape[0] // LARGEST)
    return data_uri(picture[::step, ::step], quality=92)


def box_panels(
    panels: Sequence[Panel], *, threshold: float, opacity: float, title: str, note: str = ""
) -> go.Figure:
    """Draw pictures of one size side by side; zooming one zooms all.

    Args:
        panels: at least one.
        threshold: of the maps; what lies below it is faint.
        opacity: of the maps.
        title: plain text.
        note: plain text under it, two lines at most.
    """
    inner = theme.WIDTH - 2 * EDGE
    side = (inner - (len(panels) - 1) * GAP) / len(panels)
    traces, images, annotations, axes = [], [], [], {}
    for index, panel in enumerate(panels):
        number = str(index + 1) if index else ""
        left, right = ((index * (side + GAP) + part) / inner for part in (0, side))
        axes |= _axes(number, (left, right), panel.size)
        drawn = panel_content(panel, width=round(side / LETTER), threshold=threshold)
        where = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        traces += [
            {**_LINE, **look, **where, **drawn["traces"][name]}
            | {"showlegend": "name" in look and index == len(panels) - 1}
            for name, look in LINES.items()
        ]
        place = {**_STRETCHED, "xref": f"x{number}", "yref": f"y{number}"}
        place |= {"sizex": panel.size, "sizey": panel.size, "x": 0, "y": 0}
        # Of two pictures in one and the same place plotly draws one.
        heat = {**place, "source": drawn["heat"], "opacity": opacity, "x": 1e-6 * panel.size}
        images += [{**place, "source": drawn["picture"]}, heat]
        annotations += [
            {**_ABOVE_IT, "x": left, "text": drawn["caption"]},
            {**_ACROSS, "x": (left + right) / 2, "text": drawn["warning"], "visible": bool(panel.warning)},
        ]
    figure = go.Figure({"data": [*traces, _scale(threshold)]})
    return theme.style(
        figure,
        title=html.escape(title, quote=False),
        note=lines_html(note),
        height=round(side + ABOVE + BELOW),
        margin={"l": EDGE, "r": EDGE, "t": ABOVE, "b": BELOW},
        plot_bgcolor="#000000",
        hovermode="closest",
        hoverdistance=-1,  # every spot of a picture belongs to the nearest place
        dragmode="pan",
        legend={**_LEGEND, "itemclick": False, "itemdoubleclick": False},
        images=images,
        annotations=annotations,
        **axes,
    )


def panel_content(panel: Panel, *, width: int, threshold: float) -> dict[str, Any]:
    """Return what changes in a panel from case to case, as plotly takes it.

    Args:
        panel: what is drawn.
        width: letters of a line of its caption.
        threshold: of the map.

    Returns:
        traces (name in `LINES` -> x, y and what else it has), picture, heat, caption, warning.
    """
    marked, found = (
        _outlines([box for boxes in panel.marked.values() for box in boxes]),
        _outlines(panel.found),
    )
    return {
        "traces": {
            "marked casing": marked,
            "found casing": found,
            "marked": marked,
            "found": found,
            "names": box_names(panel),
            "seen": _outlines([] if panel.seen is None else [panel.seen]),
            "place": _outlines(clicked_box(panel)),
            "places": _places(panel),
        },
        "picture": panel.picture,
        "heat": CLEAR if panel.heat is None else heat_uri(panel.heat, threshold),
        "caption": _caption(panel.caption, width),
        "warning": "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(panel.warning, 52)),
    }


def lines_html(text: str) -> str:
    """Return plain text as HTML; its lines stay."""
    return html.escape(text, quote=False).replace("\n", "<br>")


def scale_ticks(threshold: float) -> dict[str, list]:
    """Return what stands at the colour scale: its ends and the threshold."""
    ticks = {0.0: "0", threshold: f"threshold {threshold:.2f}", 1.0: "1"}
    if threshold > 0.8:
        del ticks[1.0]
    if threshold < 0.2:
        del ticks[0.0]
    return {"tickvals": list(ticks), "ticktext": list(ticks.values())}


_LINE = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
_STRETCHED = {"sizing": "stretch", "layer": "below"}
_LEGEND = {"x": 0, "xanchor": "left", "y": 0, "yanchor": "top"}
_ON_PAPER = {"xref": "paper", "yref": "paper", "showarrow": False}
_ABOVE_IT = {
    **_ON_PAPER,
    "y": 1,
    "xanchor": "left",
    "yanchor": "bottom",
    "align": "left",
    "font": {"size": 12, "color": theme.INK},
}
_ACROSS = {
    **_ON_PAPER,
    "y": 0.5,
    "font": {"size": 13, "color": "white"},
    "bgcolor": "rgba(0, 0, 0, 0.66)",
    "borderpad": 8,
}


def _axes(number: str, domain: tuple[float, float], size: int) -> dict[str, Any]:
    """Return a pair of axes whose pixels are square; all move together."""
    bare = {"visible": False, "showgrid": False, "constrain": "domain"}
    matched = {axis: {"matches": axis} if number else {} for axis in "xy"}
    across = {"domain": domain, "range": [0, size], **bare, **matched["x"]}
    down = {"range": [size, 0], "anchor": f"x{number}", **bare, **matched["y"]}
    if not number:
        down["scaleanchor"] = "x"
    return {f"xaxis{number}": across, f"yaxis{number}": down}


def _outlines(boxes: Sequence[Sequence[float]] | np.ndarray) -> dict[str, list]:
    """Return all boxes as one broken line, x and y."""
    line: dict[str, list] = {"x": [None], "y": [None]}  # an empty one has no legend
    for x0, y0, x1, y1 in np.asarray(boxes, float).reshape(-1, 4).tolist():
        line["x"] += [x0, x1, x1, x0, x0, None]
        line["y"] += [y0, y0, y1, y1, y0, None]
    return line


def box_names(panel: Panel) -> dict[str, list]:
    """Return what is written at boxes: who drew them, readers of nearly one corner together; how sure."""
    near = 0.06 * panel.size
    corners: list[list] = []
    for reader, boxes in panel.marked.items():
        name = html.escape(str(reader), quote=False)
        for x, y in boxes[:, :2].tolist():
            other = next((one for one in corners if abs(one[0] - x) + abs(one[1] - y) < near), None)
            if other is None:
                corners.append([x, y, [name]])
            else:
                other[:2] = min(other[0], x), min(other[1], y)
                other[2] += [name] * (name not in other[2])
    room = 0.045 * panel.size  # a name above a box at the upper edge would be cut off
    written = [(x, max(y, room), " ".join(names)) for x, y, names in corners]
    sure = zip(panel.found.tolist(), panel.confidence.tolist(), strict=True)
    written += [(x0, y1, f"{confidence:.2f}") for (x0, _, _, y1), confidence in sure]
    x, y, text = zip(*written, strict=True) if written else ((), (), ())
    return {"x": list(x), "y": list(y), "text": list(text)}


def _edges(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return where rows and columns of the encoder's grid begin and end: `[rows + 1]`, `[columns + 1]`."""
    x0, y0, x1, y1 = panel.seen or (0, 0, panel.size, panel.size)
    rows, columns = panel.grid.shape
    return np.linspace(y0, y1, rows + 1), np.linspace(x0, x1, columns + 1)


def clicked_box(panel: Panel) -> list[tuple[float, ...]]:
    """Return the corners of the place that was clicked, none or one."""
    if panel.place is None or panel.grid is None:
        return []
    (rows, columns), (row, column) = _edges(panel), panel.place
    return [(columns[column], rows[row], columns[column + 1], rows[row + 1])]


def _places(panel: Panel) -> dict[str, list]:
    """Return the middles of the encoder's places, row by row: what the pointer reads and clicks."""
    if panel.grid is None:
        return {"x": [], "y": [], "customdata": []}
    rows, columns = ((edges[1:] + edges[:-1]) / 2 for edges in _edges(panel))
    y, x = np.meshgrid(rows, columns, indexing="ij")
    values = np.round(panel.grid.astype(float), 3)
    return {"x": x.ravel().tolist(), "y": y.ravel().tolist(), "customdata": values.ravel().tolist()}


def _scale(threshold: float) -> dict[str, Any]:
    """Return a trace that is nothing but the colour scale of the maps."""
    bar = {"orientation": "h", "x": 1, "xanchor": "right", "y": 0, "yanchor": "top", "ypad": 10}
    bar |= {"len": 300, "lenmode": "pixels", "thickness": 8, "outlinewidth": 0}
    bar |= {"tickfont": {"size": 11, "color": theme.QUIET}, **scale_ticks(threshold)}
    marker = {"color": [0], "cmin": 0, "cmax": 1, "colorscale": [list(step) for step in RAMP]}
    marker |= {"showscale": True, "colorbar": bar}
    return {**_LINE, "mode": "markers", "x": [None], "y": [None], "showlegend": False, "marker": marker}


def _caption(text: str, width: int) -> str:
    """Return a bold first line and quiet ones below it."""
    first, *rest = [
        html.escape(part, quote=False)
        for line in text.split("\n")
        for part in textwrap.wrap(line, width)[:2] or [""]
    ]
    quiet = [f'<span style="color:{theme.QUIET}">{line}</span>' for line in rest]
    return "<br>".join([f"<b>{first}</b>", *quiet])
