"""What pre-trainings are worth without training on: all measures, finding by finding, over one training."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench import theme
from workbench.figures import curation
from workbench.measures import measures_of
from workbench.tables import method_name

COLUMNS = 3
"""Panels in a row."""

LOSS_TITLE = "Loss of pre-training against end task, over the checkpoints of one run"
SHOWN_K = 10
CHARACTERS = 150
"""Of a line under a title."""


def note_of(judged: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the line under a title of judged runs: data, split, what the intervals are.

    Args:
        judged: name -> what `workbench.judging.judge_pairs` returns, all of one store.
    """
    one = next(iter(judged.values()))
    source = theme.provenance(one["store"], one["synthetic"])
    return f"{source} | {one['num_images']:,} pictures of the {one['split']} split, 95 % intervals"


def not_judged(
    judged: Mapping[str, Mapping[str, Any]], part: str, *, title: str, note: str = ""
) -> go.Figure:
    """Return a figure that says why a part of the judgement is missing in all runs."""
    reasons = dict.fromkeys(one["not_judged"].get(part, "no number") for one in judged.values())
    lines = [line for reason in reasons for line in textwrap.wrap(reason, CHARACTERS)]
    figure = curation.nothing(f"{title}: not judged", note="<br>".join([*lines, note]))
    return figure.update_layout(height=76 + 18 * len(lines))


def overview(judged: Mapping[str, Mapping[str, Any]], *, note: str = "") -> go.Figure:
    """Show every measure of several runs side by side, with intervals and what guessing gives.

    Args:
        judged: name -> what `workbench.judging.judge_pairs` returns.
        note: as `note_of`.
    """
    measures = {name: {one.title: one for one in measures_of(report)} for name, report in judged.items()}
    titles = list(dict.fromkeys(title for found in measures.values() for title in found))
    chance = {title: one.chance for found in measures.values() for title, one in found.items()}
    place = {title: -index for index, title in enumerate(titles)}
    figure = go.Figure()
    figure.add_scatter(
        x=[chance[title] for title in titles],
        y=[place[title] for title in titles],
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 16, "color": theme.INK, "line": {"width": 1.5}},
        name="guessing",
        hovertemplate="guessing: %{x:.3f}<extra></extra>",
    )
    for (name, found), offset, colour in _side_by_side(measures):
        rows = list(found.values())
        figure.add_scatter(
            x=[one.estimate for one in rows],
            y=[place[one.title] + offset for one in rows],
            error_x=_interval([one._asdict() for one in rows], colour),
            mode="markers",
            name=method_name(name),
            marker=_marker(name, colour),
            text=[f"{one.title}<br>{one.estimate:.3f} [{one.low:.3f}, {one.high:.3f}]" for one in rows],
            hovertemplate="%{text}<extra></extra>",
        )
    figure.update_xaxes(title="value of the measure", tickformat=".1f", range=[-0.02, 1.02])
    figure.update_yaxes(tickvals=list(place.values()), ticktext=titles, range=[0.3 - len(titles), 0.7])
    return theme.style(figure, title="What it is worth", note=note, height=150 + 30 * len(titles))


def zero_shot_by_finding(judged: Mapping[str, Mapping[str, Any]], *, note: str = "") -> go.Figure:
    """Show the zero-shot AUROC of each finding: all prompts together with an interval, each style as a tick.

    Args:
        judged: name -> what `workbench.judging.judge_pairs` returns; runs without zero-shot are left out.
        note: as `note_of`.

    """
    title = "Zero-shot classification of each finding"
    found = {name: one["zero_shot"] for name, one in judged.items() if one["zero_shot"]}
    if not found:
        return not_judged(judged, "zero_shot", title=title, note=note)
    first = next(iter(found.values()))["ensemble"]["per_label"]
    known = [finding for finding, about in first.items() if about["estimate"] is not None]
    order = sorted(known, key=lambda finding: first[finding]["estimate"])
    place = {finding: index for index, finding in enumerate(order)}
    figure = go.Figure()
    for (name, about), offset, colour in _side_by_side(found):
        ensemble = {key: value for key, value in about["ensemble"]["per_label"].items() if key in place}
        styles = [
            (style, finding, value["estimate"])
            for style, report in about["styles"].items()
            for finding, value in report["per_label"].items()
            if finding in place and value["estimate"] is not None
        ]
        figure.add_scatter(
            x=[value for _, _, value in styles],
            y=[place[finding] + offset for _, finding, _ in styles],
            mode="markers",
            marker={"symbol": "line-ns-open", "size": 11, "color": colour, "line": {"width": 1.5}},
            text=[f"{finding}, prompts of style {style}" for style, finding, _ in styles],
            hovertemplate="%{text}: %{x:.3f}<extra></extra>",
            showlegend=False,
        )
        figure.add_scatter(
            x=[value["estimate"] for value in ensemble.values()],
            y=[place[finding] + offset for finding in ensemble],
            error_x=_interval(list(ensemble.values()), colour),
            mode="markers",
            name=method_name(name),
            marker=_marker(name, colour),
            text=[f"{key}, {value['num_positives']} positives" for key, value in ensemble.items()],
            hovertemplate="%{text}: %{x:.3f}<extra></extra>",
        )
    figure.add_vline(x=0.5, line={"color": theme.QUIET, "width": 1, "dash": "dot"})
    figure.update_xaxes(title="AUROC (0.5: guessing); ticks: each style of prompts alone", tickformat=".2f")
    figure.update_yaxes(tickvals=list(place.values()), ticktext=order, range=[-0.7, len(order) - 0.3])
    return theme.style(figure, title=title, note=note, height=150 + 36 * len(order))


def loss_against_scores(
    checkpoints: pd.DataFrame, correlations: pd.DataFrame, *, note: str = ""
) -> go.Figure:
    """Show each measure against the negative validation loss, one dot a checkpoint (ConVIRT, Figure 4).

    Args:
        checkpoints: as `workbench.checkpoints_judged.judge_checkpoints` returns it.
        correlations: as `workbench.checkpoints_judged.loss_correlations` returns it. Of measures that differ
            in k alone that of k = 10 is shown.
        note: data and run.
    """
    measures = _one_k(list(correlations.index))
    if not measures:
        return curation.nothing(f"{LOSS_TITLE}: none was kept, see train.keep_every", note=note)
    columns = min(COLUMNS, len(measures))
    rows = math.ceil(len(measures) / columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        horizontal_spacing=0.08,
        vertical_spacing=0.3 / rows,
        subplot_titles=[f"{measure}<br>{_correlation(correlations.loc[measure])}" for measure in measures],
    )
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    for index, measure in enumerate(measures):
        table = checkpoints[checkpoints["measure"] == measure].sort_values("step")
        place = {"row": index // columns + 1, "col": index % columns + 1}
        figure.add_trace(
            go.Scatter(
                x=-table["loss"],
                y=table["estimate"],
                error_y=_interval(table.to_dict("records"), "#c9d0d8"),
                mode="markers",
                marker={
                    "size": 9,
                    "color": table["step"],
                    "coloraxis": "coloraxis",
                    "line": {"color": "white", "width": 1},
                },
                text=[f"step {step:,}" for step in table["step"]],
                hovertemplate="%{text}: loss %{customdata:.3f}, %{y:.3f}<extra></extra>",
                customdata=table["loss"],
                showlegend=False,
            ),
            **place,
        )
        chance = table["chance"].iloc[0]
        figure.add_hline(y=chance, line={"color": theme.QUIET, "width": 1, "dash": "dot"}, **place)
        figure.update_xaxes(title="negative validation loss", nticks=5, **place)
        figure.update_yaxes(tickformat=".2f", **place)
    return theme.style(
        figure,
        title=LOSS_TITLE,
        note=note,
        height=140 + 300 * rows,
        margin={"t": 108},
        coloraxis={"colorscale": "Cividis", "colorbar": {"title": "step", "thickness": 12, "len": 0.8}},
    )


def _one_k(measures: Sequence[str]) -> list[str]:
    """Return measures, one of those that differ in k alone: that of `SHOWN_K`, or the last one."""
    chosen: dict[str, str] = {}
    for measure in measures:
        family, _, _ = measure.partition("@")
        if not chosen.get(family, "").endswith(f"@{SHOWN_K}"):
            chosen[family] = measure
    return list(chosen.values())


def _correlation(row: pd.Series) -> str:
    if math.isnan(row["correlation"]):
        return "no correlation: it does not vary"
    interval = "" if math.isnan(row["low"]) else f" [{row['low']:.2f}, {row['high']:.2f}]"
    return f"rank correlation {row['correlation']:.2f}{interval}, {row['num_checkpoints']:.0f} checkpoints"


def _side_by_side(named: Mapping[str, Any]) -> list[tuple[tuple[str, Any], float, str]]:
    """Return each run with its distance from the middle of a row, where 1 is the next row, and its colour."""
    colours = theme.method_colours(list(named))
    step = min(0.22, 0.6 / len(named))
    middle = (len(named) - 1) / 2
    return [
        ((name, about), step * (middle - index), colours[name])
        for index, (name, about) in enumerate(named.items())
    ]


def _marker(name: str, colour: str) -> dict[str, Any]:
    return {"size": 9, "color": colour, "symbol": "square" if theme.is_baseline(name) else "circle"}


def _interval(rows: Sequence[Mapping[str, float]], colour: str) -> dict[str, Any]:
    """Return plotly error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [row["high"] - row["estimate"] for row in rows],
        "arrayminus": [row["estimate"] - row["low"] for row in rows],
        "color": colour,
        "thickness": 1.2,
        "width": 3,
    }
