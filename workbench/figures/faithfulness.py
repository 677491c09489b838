"""Deletion and insertion curves: does a map show what the model uses?"""

import html
import re
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
from plotly.colors import hex_to_rgb
from plotly.subplots import make_subplots

from workbench import theme
from workbench.figures.attended import page

PANELS = {
    "deletion": "deletion: the highest places of the map are blurred first",
    "insertion": "insertion: they are the first to be sharp again",
}
AXES = {"deletion": "places blurred, %", "insertion": "places sharp, %"}
LINES = {
    "": ("the map", theme.COLOURS[0], "solid"),
    "shuffled_": ("the same map, its places shuffled", theme.BASELINE, "dash"),
}
"""Prefix of what is measured -> its name, colour and dash."""


def faithfulness_figures(kept: Mapping[str, dict[str, Any] | str]) -> list[Any]:
    """Draw the curves of each model beside those of its shuffled map, or say how to get them.

    Args:
        kept: of `workbench.box_reading.faithful.kept_faithfulness`.
    """
    return [
        _figure(name, one) if isinstance(one, dict) else _missing(name, one) for name, one in kept.items()
    ]


def _figure(name: str, one: Mapping[str, Any]) -> go.Figure:
    figure = make_subplots(
        rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.05, subplot_titles=list(PANELS.values())
    )
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    places = [100 * share for share in one["shares"]]
    for column, kind in enumerate(PANELS, start=1):
        at = {"row": 1, "col": column}
        for prefix, (words, colour, dash) in LINES.items():
            curve, area = one["curves"][prefix + kind], one[prefix + kind]["estimate"]
            figure.add_scatter(
                x=[*places, *reversed(places)],
                y=[*curve["high"], *reversed(curve["low"])],
                fill="toself",
                fillcolor=f"rgba{(*hex_to_rgb(colour), 0.18)}",
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                **at,
            )
            figure.add_scatter(
                x=places,
                y=curve["estimate"],
                mode="lines+markers",
                name=words,
                line={"color": colour, "dash": dash},
                marker={"size": 5},
                showlegend=column == 1,
                hovertemplate=f"{words}: %{{y:.3f}}<extra>area {area:.3f}</extra>",
                **at,
            )
        figure.update_xaxes(title=f"{AXES[kind]}<br>{_areas(one, kind)}", range=[-2, 102], **at)
    figure.update_yaxes(title="mean probability of the finding", col=1)
    about = "<br>".join(html.escape(line, quote=False) for line in _note(one))
    title = f"Is it used? {html.escape(name)}"
    margin = {"t": 124, "b": 76}
    return theme.style(figure, title=title, note=about, height=410, margin=margin, legend={"y": 1.1})


def _areas(one: Mapping[str, Any], kind: str) -> str:
    apart = one[f"{kind} - shuffled"]
    return (
        f"area {one[kind]['estimate']:.3f}, shuffled {one[f'shuffled_{kind}']['estimate']:.3f}: "
        f"{apart['estimate']:+.3f} [{apart['low']:+.3f}, {apart['high']:+.3f}]"
    )


def _note(one: Mapping[str, Any]) -> list[str]:
    """Return two lines: which cases, and what was measured."""
    cases = [
        theme.provenance(one["store"], one["synthetic"]),
        f"{one['split']} split",
        one["leak"],
        f"n = {one['num_cases']:,} cases of {one['num_patients']:,} patients, drawn at random",
    ]
    measured = [one["method"], one["run"], ", ".join(one["findings"]), "mean with 95 % over patients"]
    return [" | ".join(filter(None, line)) for line in (cases, measured)]


def _missing(name: str, why: str) -> str:
    """Return a sentence whose commands stand between backticks."""
    look = f"background:{theme.GRID};color:{theme.INK};padding:1px 5px"
    said = re.sub("`([^`]*)`", rf'<code style="{look}">\1</code>', html.escape(why))
    return page(f'<div style="margin-top:6px">{said}</div>', title=f"Is it used? {name}", note="")
