"""Results with their uncertainty: AUROC against label ratio, and finding by finding."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench import theme
from workbench.tables import method_name


def auroc_by_label_ratio(summary: pd.DataFrame, *, note: str = "") -> go.Figure:
    """Show mean AUROC against label ratio, one line per method, with intervals.

    Args:
        summary: columns method, label_ratio (0.01 = 1 %), auroc, low, high; one row per point.
        note: data set, number of seeds, what the interval covers.
    """
    methods = list(dict.fromkeys(summary["method"]))
    colours = theme.method_colours(methods)
    figure = go.Figure()
    for index, method in enumerate(methods):
        rows = summary[summary["method"] == method].sort_values("label_ratio")
        # Side by side, so that the intervals of two methods at one ratio do not lie on each other.
        dodge = 1.035 ** (index - (len(methods) - 1) / 2)
        figure.add_scatter(
            x=100 * rows["label_ratio"] * dodge,
            y=rows["auroc"],
            error_y=_interval(rows, "auroc", colours[method]),
            mode="lines+markers",
            name=method_name(method),
            line={"color": colours[method], "width": 2},
            marker={"size": 9, "symbol": "square" if theme.is_baseline(method) else "circle"},
            customdata=np.stack([rows["low"], rows["high"]], axis=1),
            hovertemplate="%{y:.3f} [%{customdata[0]:.3f}, %{customdata[1]:.3f}]",
        )
    ratios = sorted(summary["label_ratio"].unique())
    figure.update_xaxes(
        type="log",
        tickvals=[100 * ratio for ratio in ratios],
        ticktext=[f"{100 * ratio:g} %" for ratio in ratios],
        title="label ratio (share of the training studies whose labels are used)",
    )
    figure.update_yaxes(title="mean AUROC", tickformat=".2f")
    return theme.style(figure, title="AUROC against label ratio", note=note, height=430)


def auroc_by_finding(findings: pd.DataFrame, *, note: str = "") -> go.Figure:
    """Show the AUROC of each finding, one dot per method, joined, with intervals.

    Args:
        findings: columns method, finding, auroc, low, high.
        note: data set, label ratio, what the interval covers.
    """
    methods = list(dict.fromkeys(findings["method"]))
    colours = theme.method_colours(methods)
    wide = findings.pivot(index="finding", columns="method", values="auroc")[methods]
    order = list(wide.max(axis=1).sort_values().index)
    figure = go.Figure()
    for finding in order:
        span = wide.loc[finding].dropna()
        figure.add_scatter(
            x=[span.min(), span.max()],
            y=[finding, finding],
            mode="lines",
            line={"color": "#c9d0d8", "width": 5},
            hoverinfo="skip",
            showlegend=False,
        )
    for method in methods:
        rows = (
            findings[findings["method"] == method].set_index("finding").reindex(order).dropna(subset="auroc")
        )
        figure.add_scatter(
            x=rows["auroc"],
            y=rows.index,
            error_x=_interval(rows, "auroc", colours[method]),
            mode="markers",
            name=method_name(method),
            marker={
                "size": 10,
                "color": colours[method],
                "symbol": "square" if theme.is_baseline(method) else "circle",
            },
            hovertemplate=f"%{{y}}, {method_name(method)}: %{{x:.3f}}<extra></extra>",
        )
    figure.add_vline(x=0.5, line={"color": theme.QUIET, "width": 1, "dash": "dot"})
    figure.update_xaxes(title="AUROC (0.5: chance)", tickformat=".2f")
    figure.update_yaxes(categoryorder="array", categoryarray=order, range=[-0.6, len(order) - 0.4])
    return theme.style(figure, title="AUROC of each finding", note=note, height=150 + 34 * len(order))


def _interval(rows: pd.DataFrame, centre: str, colour: str) -> dict:
    """Return plotly error bars from the columns low and high."""
    return {
        "type": "data",
        "symmetric": False,
        "array": rows["high"] - rows[centre],
        "arrayminus": rows[centre] - rows["low"],
        "color": colour,
        "thickness": 1.2,
        "width": 4,
    }
