"""Matrices of similarities side by side, on one scale: a panel for each weights."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench import theme

PANELS = {"initial": "before training", "trained": "after training"}


def similarity_panels(
    by_weights: Mapping[str, np.ndarray],
    ranks: Mapping[str, float],
    hover: Sequence[Sequence[str]],
    *,
    rows: str,
    columns: str,
    title: str,
    note: str = "",
) -> go.Figure:
    """Show how well each row of a batch fits each column.

    Args:
        by_weights: "initial" and "trained" -> similarities `[B, B]`; a row's own column is on the diagonal.
        ranks: weights -> at which rank a row has its own column, on average.
        hover: HTML for each pair `[B, B]`.
        rows: what a row is.
        columns: what a column is.
        title: one line.
        note: where they come from.
    """
    size = len(hover)
    titles = [
        f"{PANELS[weights]}: own {columns} at rank {ranks[weights]:.1f} of {size}" for weights in by_weights
    ]
    figure = make_subplots(rows=1, cols=len(titles), subplot_titles=titles, horizontal_spacing=0.08)
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    for column, values in enumerate(by_weights.values(), start=1):
        figure.add_trace(
            go.Heatmap(
                z=np.round(values, 4),
                coloraxis="coloraxis",
                text=hover,
                hovertemplate="%{z:.3f}<br>%{text}<extra></extra>",
            ),
            row=1,
            col=column,
        )
        figure.update_xaxes(title=columns, showticklabels=False, showgrid=False, row=1, col=column)
        figure.update_yaxes(
            title=rows if column == 1 else None,
            showticklabels=False,
            showgrid=False,
            autorange="reversed",
            scaleanchor=f"x{column if column > 1 else ''}",
            constrain="domain",
            row=1,
            col=column,
        )
    return theme.style(
        figure,
        title=title,
        note=note,
        height=520,
        coloraxis={"colorscale": "Cividis", "colorbar": {"title": "similarity", "thickness": 12, "len": 0.8}},
    )
