"""What a training run reports about itself: losses, speed, fusion weights."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench import theme


def loss_names(metrics: pd.DataFrame) -> list[str]:
    """Return the logged losses: the total first, then its components."""
    components = [name for name in metrics.columns if str(name).startswith("loss/")]
    return (["loss"] if "loss" in metrics else []) + components


def loss_curves(metrics: pd.DataFrame, *, title: str = "Losses", note: str = "") -> go.Figure:
    """Show the total loss and each component, training and validation, one panel each.

    Args:
        metrics: rows of metrics.jsonl: kind ("train" or "validation"), step, loss, loss/<component>.
        title: names the run.
        note: where the numbers come from.
    """
    names = loss_names(metrics) or ["loss"]
    figure = make_subplots(
        rows=1,
        cols=len(names),
        horizontal_spacing=0.07,
        subplot_titles=[
            "total" if name == "loss" else name.removeprefix("loss/").replace("_", " ") for name in names
        ],
    )
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    for column, name in enumerate(names, start=1):
        for trace, (steps, values) in zip(_curve_traces(column == 1), _series(metrics, name), strict=True):
            figure.add_trace(trace.update(x=steps, y=values), row=1, col=column)
        figure.update_xaxes(title="step", row=1, col=column)
    return theme.style(figure, title=title, note=note, height=360, legend={"y": 1.1})


def all_series(metrics: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the points of every trace of `loss_curves`, in the order of its traces."""
    return [series for name in loss_names(metrics) or ["loss"] for series in _series(metrics, name)]


def fusion_weights(weights: pd.DataFrame, *, note: str = "") -> go.Figure:
    """Show the weight that view fusion gives to each view, by position.

    Args:
        weights: columns study_id, position, weight; one row per distinct view of a study.
        note: where they come from.
    """
    positions = sorted(weights["position"].unique())
    colours = dict(zip(positions, theme.COLOURS, strict=False))
    figure = go.Figure()
    for position in positions:
        rows = weights[weights["position"] == position]
        figure.add_box(
            x=rows["weight"],
            name=f"{position} ({len(rows):,})",
            orientation="h",
            boxpoints="all",
            jitter=0.6,
            pointpos=0,
            marker={"color": colours.get(position, theme.QUIET), "size": 4, "opacity": 0.55},
            line={"color": colours.get(position, theme.QUIET), "width": 1.5},
            fillcolor="rgba(0,0,0,0)",
            text=rows["study_id"],
            hovertemplate="%{text}: %{x:.3f}<extra></extra>",
            showlegend=False,
        )
    figure.update_xaxes(title="weight of the view in its study's feature (the views of a study sum to 1)")
    return theme.style(
        figure, title="How the views share a study's feature", note=note, height=150 + 70 * len(positions)
    )


def _curve_traces(named: bool) -> Sequence[go.Scatter]:
    """Return the empty traces of one panel: steps, running mean, validation."""
    faint = {"color": theme.TRAIN, "width": 1}
    return (
        go.Scatter(mode="lines", line=faint, opacity=0.25, hoverinfo="skip", showlegend=False),
        go.Scatter(mode="lines", line={"color": theme.TRAIN, "width": 2}, name="training", showlegend=named),
        go.Scatter(
            mode="lines+markers",
            line={"color": theme.VALIDATION, "width": 2},
            marker={"size": 6},
            name="validation",
            showlegend=named,
        ),
    )


def _series(metrics: pd.DataFrame, name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (steps, values) of one loss: each line of the log, their running mean, validation."""
    if name not in metrics or metrics.empty:
        return [(np.empty(0), np.empty(0))] * 3
    rows = metrics[["kind", "step", name]].dropna()
    train, validation = rows[rows["kind"] == "train"], rows[rows["kind"] == "validation"]
    smooth = train[name].ewm(span=max(1, len(train) // 20)).mean()
    return [
        (train["step"].to_numpy(), train[name].to_numpy()),
        (train["step"].to_numpy(), smooth.to_numpy()),
        (validation["step"].to_numpy(), validation[name].to_numpy()),
    ]
