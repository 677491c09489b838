"""AUROC against label ratio for the methods of a sweep, with a dot for every run."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from workbench import theme
from workbench.figures import results
from workbench.sweep_reading.watch import CellState
from workbench.tables import method_name


def sweep_curves(
    summarised: pd.DataFrame, cells: Sequence[CellState], *, methods: Sequence[str], note: str = ""
) -> go.Figure:
    """Draw the curves of one target and, faint, each run; `customdata` of every dot is the id of a run.

    Args:
        summarised: rows of `workbench.sweep_tables.sweep_summary` of one target.
        cells: finished ones of that target.
        methods: all of the sweep, so that a method keeps its colour whatever else is drawn.
        note: data, seeds, what the interval covers.
    """
    figure = results.auroc_by_label_ratio(summarised, note=note)
    colours = theme.method_colours(list(methods))
    lines, drawn = list(figure.data), list(dict.fromkeys(summarised["method"]))
    for line, method in zip(lines, drawn, strict=True):
        colour = colours[method]
        line.update(line_color=colour, marker_color=colour, error_y_color=colour, legendgroup=method)
        rows = summarised[summarised["method"] == method].sort_values("label_ratio")
        # A mean has no run of its own: it stands for its first one.
        own = {
            ratio: [one for one in cells if (one.method, one.label_ratio) == (method, ratio)]
            for ratio in rows["label_ratio"]
        }
        line.meta = {"runs": [some[0].found.run.id if some else "" for some in own.values()]}
        places = dict(zip(own, line.x, strict=True))
        dots = [one for some in own.values() for one in some]
        figure.add_scatter(
            x=[places[one.label_ratio] for one in dots],
            y=[one.found.auroc for one in dots],
            mode="markers",
            marker={"size": 7, "color": theme.PAPER, "line": {"color": colour, "width": 1.2}},
            opacity=0.75,
            customdata=[one.found.run.id for one in dots],
            meta={"runs": [one.found.run.id for one in dots]},
            hovertext=[f"{one.title}: {one.found.auroc:.3f}" for one in dots],
            hoverinfo="text",
            name=f"runs of {method_name(method)}",
            legendgroup=method,
            showlegend=False,
        )
    baselines = [line for line, name in zip(lines, drawn, strict=True) if theme.is_baseline(name)]
    for line in baselines[1:]:  # they share one grey
        line.update(line_dash="dot")
    return legend_below_note(figure, drawn)


def legend_below_note(figure: go.Figure, names: Sequence[str]) -> go.Figure:
    """Give a legend of many names lines of its own between the title and the plot."""
    pixels = sum(50 + 7 * len(method_name(name)) for name in names)
    lines = -(-pixels // 860)
    before = figure.layout.margin.t or theme.TEMPLATE.layout.margin.t
    return figure.update_layout(
        height=figure.layout.height + 24 * lines - 8,
        margin_t=before + 24 * lines - 8,
        legend={"xanchor": "left", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )
