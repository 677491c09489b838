"""What sets a group of pictures apart from the others: words of its reports, findings, people."""

import html

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench import theme
from workbench.figures import curation

LINE = 23
"""Pixels of a row."""


def apart_figure(words: pd.DataFrame, traits: pd.DataFrame, *, title: str, note: str = "") -> go.Figure:
    """Show shares inside a group beside those of all others, a row each.

    Args:
        words: columns term, inside, outside, z; may be empty.
        traits: the same, of findings and people; may be empty.
        title: names the group.
        note: sizes, and what is counted.
    """
    panels = [
        (name, table)
        for name, table in (("words of the reports", words), ("findings, people, pictures", traits))
        if len(table)
    ]
    if not panels:
        return curation.nothing(f"{title}: nothing sets it apart", note=note)
    rows = max(len(table) for _, table in panels)
    figure = make_subplots(
        rows=1, cols=2, horizontal_spacing=0.24, subplot_titles=[name for name, _ in panels]
    )
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    for column, (_, table) in enumerate(panels, start=1):
        place = {"row": 1, "col": column}
        heights = [-row for row in range(len(table))]
        figure.add_trace(
            go.Scatter(
                x=[x for row in table.itertuples() for x in (row.inside, row.outside, None)],
                y=[y for height in heights for y in (height, height, None)],
                mode="lines",
                line={"color": theme.GRID, "width": 5},
                hoverinfo="skip",
                showlegend=False,
            ),
            **place,
        )
        for name, label, colour in (
            ("outside", "all others", theme.BASELINE),
            ("inside", "the group", theme.COLOURS[1]),
        ):
            figure.add_trace(
                go.Scatter(
                    x=table[name],
                    y=heights,
                    mode="markers",
                    name=label,
                    showlegend=column == 1,
                    cliponaxis=False,
                    marker={"color": colour, "size": 10, "line": {"color": "white", "width": 1}},
                    text=[
                        f"{html.escape(row.term)}<br>group {row.inside:.1%}, others {row.outside:.1%}"
                        f"<br>z = {row.z:+.1f}"
                        for row in table.itertuples()
                    ],
                    hovertemplate="%{text}<extra></extra>",
                ),
                **place,
            )
        figure.update_yaxes(
            tickvals=heights,
            ticktext=[html.escape(_short(term), quote=False) for term in table["term"]],
            range=[0.6 - rows, 0.6],
            ticklabelstandoff=8,
            showgrid=False,
            **place,
        )
        figure.update_xaxes(tickformat=".0%", rangemode="tozero", **place)
    return theme.style(
        figure,
        title=title,
        note=note,
        height=130 + LINE * rows,
        margin={"t": 88, "l": 190},
        legend={"y": 1.09},
    )


def _short(term: str) -> str:
    return term if len(term) <= 30 else term[:28] + " ..."
