"""The AUROC of each finding for many methods, side by side, as in the papers' supplementary figures."""

import html
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from workbench import theme
from workbench.figures.sweep_curves import legend_below_note
from workbench.tables import method_name

LINE, GAP = 11, 14
"""Pixels of a method within a finding, and between two findings."""


def sweep_findings(findings: pd.DataFrame, *, methods: Sequence[str], note: str = "") -> go.Figure:
    """Draw a band for each finding, in it a dot with its interval for each method.

    Args:
        findings: columns method, finding, auroc, low, high, num_positives.
        methods: all of the sweep, so that a method keeps its colour.
        note: data, label ratio, what the interval covers.
    """
    drawn = [name for name in methods if name in set(findings["method"])]
    colours = theme.method_colours(list(methods))
    order = findings.groupby("finding")["auroc"].max().sort_values(ascending=False, na_position="last").index
    band = LINE * len(drawn) + GAP
    figure = go.Figure()
    for index, method in enumerate(drawn):
        rows = findings[findings["method"] == method].set_index("finding").reindex(order)
        place = [row + (LINE * (index - (len(drawn) - 1) / 2)) / band for row in range(len(order))]
        figure.add_scatter(
            x=rows["auroc"],
            y=place,
            error_x={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["auroc"],
                "arrayminus": rows["auroc"] - rows["low"],
                "color": colours[method],
                "thickness": 1.2,
                "width": 2,
            },
            mode="markers",
            name=method_name(method),
            marker={
                "size": 7,
                "color": colours[method],
                "symbol": "square" if theme.is_baseline(method) else "circle",
            },
            hovertext=[
                f"{html.escape(name, quote=False)}, {method_name(method)}: {row.auroc:.3f} "
                f"[{row.low:.3f}, {row.high:.3f}], {row.num_positives:.0f} positives"
                for name, row in zip(order, rows.itertuples(), strict=True)
            ],
            hoverinfo="text",
        )
    for row in range(0, len(order), 2):
        figure.add_hrect(row - 0.5, row + 0.5, fillcolor="#f6f7f9", line_width=0, layer="below")
    figure.add_vline(x=0.5, line={"color": theme.QUIET, "width": 1, "dash": "dot"})
    figure.update_xaxes(title="AUROC (0.5: chance)", tickformat=".2f")
    figure.update_yaxes(
        tickvals=list(range(len(order))),
        ticktext=[html.escape(name, quote=False) for name in order],
        range=[len(order) - 0.5, -0.5],
        showgrid=False,
    )
    theme.style(figure, title="AUROC of each finding", note=note, height=124 + band * len(order))
    return legend_below_note(figure, drawn)
