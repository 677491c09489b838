"""Maps of features as WebGL scatters: one for a live page, several side by side where nobody can click.

Letters: `N` pictures.
"""

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from workbench import theme
from workbench.embedding_reading.colours import Colouring

PALE = ("#b4bcc5", "#d9dee3", "#e6e9ed")
"""Of the classes that lie below the others."""
SHADES = 12
"""Steps of a colour scale of numbers."""
MOST_HOVER = 6000
"""Points that have a text under the pointer; with more of them the page is slow to load."""
FADED = 0.2
"""Opacity of points outside a selection."""
SIDE, SINGLE = 488, 640
"""Pixels of a map that has another one beside it, and of one that stands alone."""


class Paint(NamedTuple):
    """Points by colour.

    Attributes:
        codes: index into `colours` of each point, int64 `[N]`.
        colours: of the codes.
        labels: of the codes, "" where a scale says it.
        order: in which points are drawn, the quiet ones first `[N]`.
    """

    codes: np.ndarray
    colours: list[str]
    labels: list[str]
    order: np.ndarray


def paint(colouring: Colouring) -> Paint:
    """Return the colour of each point: the palette for names, Cividis for numbers, else grey."""
    if colouring.is_number:
        low, high = number_range(colouring)
        share = np.clip((colouring.values - low) / (high - low), 0, 1)
        known = np.isfinite(share)
        codes = np.where(known, 1 + np.minimum(SHADES - 1, np.nan_to_num(share) * SHADES), 0).astype(np.int64)
        colours = [PALE[1], *sample_colorscale("Cividis", SHADES)]
        return Paint(codes, colours, ["not known"] + [""] * SHADES, _lying(codes == 0))
    loud = len(colouring.classes) - len(colouring.quiet)
    colours = [*theme.COLOURS[:loud], *PALE[: len(colouring.quiet)]]
    return Paint(colouring.codes, colours, list(colouring.classes), _lying(colouring.codes >= loud))


def number_range(colouring: Colouring) -> tuple[float, float]:
    """Return the ends of a scale: a few outliers must not take all of it."""
    low, high = np.nanquantile(colouring.values, (0.02, 0.98))
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1)


def legend(colouring: Colouring) -> str:
    """Return the legend as HTML: a chip for each class with its number of pictures, or a scale."""
    painted = paint(colouring)
    name = f'<span style="color:{theme.QUIET};margin-right:10px">{html.escape(colouring.name)}</span>'
    counts = np.bincount(painted.codes, minlength=len(painted.colours))
    if colouring.is_number:
        low, high = number_range(colouring)
        ramp = (
            f'<span style="display:inline-block;width:150px;height:10px;margin:0 8px;border-radius:2px;'
            f'background:linear-gradient(to right,{",".join(painted.colours[1:])})"></span>'
        )
        parts = [f"<span>{low:.3g}{ramp}{high:.3g}</span>"]
        parts += [_chip(painted.colours[0], "not known", counts[0])] * bool(counts[0])
    else:
        parts = [
            _chip(colour, label, count)
            for colour, label, count in zip(painted.colours, painted.labels, counts, strict=True)
        ]
    style = html.escape(
        f"font-family:{theme.FONT};font-size:12.5px;line-height:1.7;color:{theme.INK};"
        f"background:{theme.PAPER};max-width:{theme.WIDTH}px;padding:2px 8px"
    )
    return f'<div class="wb-legend" style="{style}">{name}{"".join(parts)}</div>'


def points_of(
    coordinates: np.ndarray, colouring: Colouring, hover: Sequence[str], selected: np.ndarray | None
) -> dict[str, Any]:
    """Return what a trace of points has: places, colours, texts, and which points are selected.

    Args:
        coordinates: `[N, 2]`.
        colouring: of the points.
        hover: as in `map_figure`.
        selected: places of the pictures; None where there is no selection.
    """
    painted = paint(colouring)
    order = painted.order
    few = len(order) <= MOST_HOVER
    steps = len(painted.colours)
    scale = [
        [edge / steps, colour] for place, colour in enumerate(painted.colours) for edge in (place, place + 1)
    ]
    return {
        "x": coordinates[order, 0].astype(np.float32),
        "y": coordinates[order, 1].astype(np.float32),
        "hovertext": [hover[place] for place in order] if few else None,
        # Even points without a text must be found under a click.
        "hoverinfo": "text" if few else "none",
        "selectedpoints": None if selected is None else np.flatnonzero(np.isin(order, selected)),
        "marker": {
            "color": painted.codes[order],
            "colorscale": scale,
            "cmin": -0.5,
            "cmax": steps - 0.5,
            "size": float(np.clip(170 / np.sqrt(len(order)), 2.6, 8)),
            "opacity": 0.85,
            "line": {"width": 0},
        },
    }


def maps_figure(
    maps: Sequence[np.ndarray],
    titles: Sequence[str],
    colouring: Colouring,
    hover: Sequence[str],
    *,
    selected: np.ndarray | None = None,
    focus: int | None = None,
    title: str = "",
    note: str = "",
    has_legend: bool = True,
) -> go.Figure:
    """Show maps side by side; of each the points, in the order of `paint`, and then a ring.

    All are one figure: a browser has few WebGL contexts to give, and each live figure brings its own copy of
    plotly.

    Args:
        maps: `[N, 2]` each.
        titles: of the maps.
        colouring: of the points.
        hover: what appears under the pointer `[N]`; left out of large maps.
        selected: places of pictures that stand out; None for all.
        focus: place of the picture that has the ring; None for none.
        title: one line.
        note: under it.
        has_legend: whether the figure says what the colours are.
    """
    columns = min(2, len(maps))
    rows = -(-len(maps) // columns)
    above = (64 if title else 8) + 24 * bool(titles)
    side = SIDE if columns == 2 else SINGLE
    below = 62 if has_legend else 8
    height = rows * (side + 24) + above + below
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=list(titles),
        horizontal_spacing=0.02,
        vertical_spacing=28 / (height - above - below),
    )
    figure.update_annotations(font={"size": 13, "color": theme.INK}, xanchor="left")
    for number, annotation in enumerate(figure.layout.annotations):
        annotation.x = figure.layout[f"xaxis{number + 1}" if number else "xaxis"].domain[0]
    for number, coordinates in enumerate(maps):
        at = coordinates[[] if focus is None else [focus]]
        place = {"row": number // columns + 1, "col": number % columns + 1}
        figure.add_trace(_points(coordinates, colouring, hover, selected), **place)
        figure.add_trace(_ring(at), **place)
    _bare(figure)
    if has_legend:
        figure.add_traces(_legend_traces(colouring))
    return theme.style(
        figure,
        title=title,
        note=note,
        width=2 * SIDE + 24 if columns == 2 else SINGLE + 16,
        height=height,
        margin={"l": 8, "r": 8, "t": above, "b": below},
        legend={"y": -0.01, "yanchor": "top", "x": 0, "xanchor": "left"},
        dragmode="lasso",
        uirevision="same",  # a person's zoom survives another colour
        newselection={"line": {"color": theme.INK, "width": 1, "dash": "dot"}},
        modebar={"remove": ["select2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "toImage"]},
    )


def _legend_traces(colouring: Colouring) -> list[go.Scatter]:
    """Return traces without points that say what the colours are."""
    painted = paint(colouring)
    if colouring.is_number:
        low, high = number_range(colouring)
        bar = {
            "title": {"text": f"{colouring.name}  ", "side": "top"},
            **{"orientation": "h", "thickness": 10, "len": 0.4, "x": 0, "xanchor": "left", "y": -0.02},
            "yanchor": "top",
        }
        marker = {"color": [low], "colorscale": "Cividis", "cmin": low, "cmax": high, "colorbar": bar}
        return [go.Scatter(x=[None], y=[None], mode="markers", showlegend=False, marker=marker)]
    counts = np.bincount(painted.codes, minlength=len(painted.colours))
    return [
        go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={"color": colour, "size": 9},
            name=f"{html.escape(label, quote=False)} ({count:,})",
        )
        for colour, label, count in zip(painted.colours, painted.labels, counts, strict=True)
        if count
    ]


def _points(
    coordinates: np.ndarray,
    colouring: Colouring,
    hover: Sequence[str],
    selected: np.ndarray | None = None,
) -> go.Scattergl:
    return go.Scattergl(
        mode="markers",
        showlegend=False,
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": FADED}},
        **points_of(coordinates, colouring, hover, selected),
    )


def _ring(at: np.ndarray) -> go.Scattergl:
    """Return the mark of the picture that is looked at, `[1, 2]` or nowhere `[0, 2]`."""
    return go.Scattergl(
        x=at[:, 0],
        y=at[:, 1],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={"symbol": "circle-open", "size": 17, "color": theme.INK, "line": {"width": 2.5}},
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def _bare(figure: go.Figure) -> None:
    """Take numbers and lines from the axes: only distances mean anything, so both are equally long."""
    figure.update_xaxes(showticklabels=False, showgrid=False, showline=True, mirror=True)
    figure.update_yaxes(showticklabels=False, showgrid=False, showline=True, mirror=True)
    for number, axis in enumerate(figure.select_yaxes(), start=1):
        axis.scaleanchor = "x" if number == 1 else f"x{number}"


def _lying(quiet: np.ndarray) -> np.ndarray:
    """Return an order of drawing: the quiet points first, all others mixed, so that none hides another."""
    mixed = np.random.default_rng(0).permutation(len(quiet))
    return mixed[np.argsort(~quiet[mixed], kind="stable")]


def _chip(colour: str, label: str, count: int) -> str:
    dot = (
        f'<span style="display:inline-block;width:10px;height:10px;border-radius:5px;background:{colour};'
        'margin-right:5px"></span>'
    )
    number = f'<span style="color:{theme.QUIET}"> {count:,}</span>'
    return f'<span style="margin-right:15px;white-space:nowrap">{dot}{html.escape(label)}{number}</span> '
