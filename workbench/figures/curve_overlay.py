"""Learning curves of several runs over each other."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench import theme
from workbench.figures import curation
from workbench.figures.training import loss_names
from workbench.tables import method_name

MOST = 4
"""Panels."""


def curve_overlay(
    runs: Mapping[str, Sequence[pd.DataFrame]], *, colours: Mapping[str, str], title: str, note: str = ""
) -> go.Figure:
    """Draw each loss of several runs in one panel: a line for training, dots for validation.

    Args:
        runs: name -> metrics of its runs (its seeds, say), as `workbench.runs.Run.metrics` returns them.
        colours: of the names.
        title: one line.
        note: where they come from.
    """
    names = list(dict.fromkeys(one for some in runs.values() for table in some for one in loss_names(table)))
    if not names:
        return curation.nothing(f"{title}: nothing was logged", note=note)
    names = names[:MOST]
    figure = make_subplots(
        rows=1,
        cols=len(names),
        horizontal_spacing=0.07,
        subplot_titles=[
            "total" if one == "loss" else one.removeprefix("loss/").replace("_", " ") for one in names
        ],
    )
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    for column, loss in enumerate(names, start=1):
        for name, tables in runs.items():
            for index, table in enumerate(one for one in tables if loss in one):
                rows = table[["kind", "step", loss]].dropna()
                named = {"legendgroup": name, "name": method_name(name)}
                train = rows[rows["kind"] == "train"]
                figure.add_scatter(
                    x=train["step"],
                    y=train[loss].ewm(span=max(1, len(train) // 20)).mean(),
                    mode="lines",
                    line={"color": colours[name], "width": 1.8},
                    opacity=0.8,
                    showlegend=column == 1 and index == 0,
                    row=1,
                    col=column,
                    **named,
                )
                validation = rows[rows["kind"] == "validation"]
                figure.add_scatter(
                    x=validation["step"],
                    y=validation[loss],
                    mode="markers",
                    marker={"color": colours[name], "size": 5, "line": {"color": "white", "width": 0.5}},
                    showlegend=False,
                    row=1,
                    col=column,
                    **named,
                )
        figure.update_xaxes(title="step", row=1, col=column)
    return theme.style(figure, title=title, note=note, height=360, margin={"t": 100}, legend={"y": 1.1})
