"""How well boxes of maps fit those of readers: by finding, beside boxes that know nothing, and by IoU."""

import html
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from lib.protocols.localization_summary import IOU_LEVELS
from workbench import theme
from workbench.figures import curation
from workbench.locating import Located

MEASURES = {"iou": "mean IoU", "pointing": "share with the maximum in a box"}
BLIND = {
    "center": ("box in the middle", "circle-open", theme.BASELINE),
    "mean_box": ("mean training box", "diamond-open", theme.QUIET),
    "reader": ("another reader", "line-ns-open", theme.INK),
}
"""What the maps are measured by: name, symbol, colour."""
MEAN = "mean of findings"

Judged = Mapping[str, Located | str]
"""Name of a model -> what it is worth, or why that is not known."""


def localization_figure(judged: Judged) -> list[Any]:
    """Show mean IoU and pointing of each finding with intervals, and of what knows nothing of the picture.

    Args:
        judged: of `workbench.box_reading.judged.judge_maps`.

    Returns:
        A figure for each measure, or what is missing.
    """
    some = judged_ones(judged)
    missing = unjudged(judged)
    if not some:
        return missing
    return [_measure_figure(some, key, words) for key, words in MEASURES.items()] + missing


def share_above(judged: Judged) -> list[Any]:
    """Show the share of cases whose IoU is above each of 0.1 to 0.7, by model, beside the mean box's IoU."""
    some = judged_ones(judged)
    if not some:
        return unjudged(judged)
    figure = go.Figure()
    for index, (name, one) in enumerate(some.items()):
        numbers = [one.summary["numbers"]["all cases"][f"iou>{level}"] for level in IOU_LEVELS]
        colour = theme.COLOURS[index]
        figure.add_scatter(
            x=IOU_LEVELS,
            y=[100 * number["estimate"] for number in numbers],
            error_y=_interval(numbers, colour, scale=100),
            mode="lines+markers",
            name=html.escape(name),
            line={"color": colour},
            hovertemplate="%{y:.0f} % above %{x}<extra></extra>",
        )
    first = next(iter(some.values())).cases
    for key in ("mean_box", "center"):
        name, symbol, colour = BLIND[key]
        known = first[f"{key}_iou"].dropna()
        figure.add_scatter(
            x=IOU_LEVELS,
            y=[100 * float((known > level).mean()) for level in IOU_LEVELS],
            mode="lines+markers",
            name=name,
            line={"color": colour, "dash": "dot"},
            marker={"symbol": symbol, "size": 8},
            hovertemplate="%{y:.0f} % above %{x}<extra></extra>",
        )
    figure.update_xaxes(title="IoU above", tickvals=IOU_LEVELS)
    figure.update_yaxes(title="cases, %", rangemode="tozero")
    title = "Share of cases above an IoU"
    note = html.escape(describe_judged(some), quote=False)
    return [theme.style(figure, title=title, note=note, height=360)]


def _measure_figure(some: Mapping[str, Located], key: str, words: str) -> go.Figure:
    first = next(iter(some.values())).summary
    findings = list(first["numbers"]["findings"])
    order = sorted(findings, key=lambda name: first["numbers"]["findings"][name][key]["estimate"] or 0.0)
    rows = {name: place for place, name in enumerate([MEAN, *order])}
    figure = go.Figure()
    for kind, (name, symbol, colour) in BLIND.items():
        column = f"{kind}_{key}"
        if column in first["numbers"][MEAN] and first["numbers"][MEAN][column]["estimate"] is not None:
            places = {row: _number(first, row, column)["estimate"] for row in rows}
            figure.add_scatter(
                x=list(places.values()),
                y=[rows[row] for row in places],
                mode="markers",
                name=name,
                marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2}},
                hovertemplate=f"{name}: %{{x:.2f}}<extra></extra>",
            )
    for index, (name, one) in enumerate(some.items()):
        numbers = [_number(one.summary, row, key) for row in rows]
        colour = theme.COLOURS[index]
        shift = 0.14 * (1 - 2 * index) if len(some) > 1 else 0.0
        figure.add_scatter(
            x=[number["estimate"] for number in numbers],
            y=[place + shift for place in rows.values()],
            error_x=_interval(numbers, colour),
            mode="markers",
            name=html.escape(name),
            marker={"color": colour, "size": 9},
            hovertemplate="%{x:.2f}<extra></extra>",
        )
    ticks = {
        row: f"<b>{row}</b>" if row == MEAN else f"{html.escape(row)} ({_cases(first, row):,})"
        for row in rows
    }
    figure.update_yaxes(tickvals=list(rows.values()), ticktext=list(ticks.values()), showgrid=True)
    figure.update_xaxes(title=words, range=[-0.02, 1.02])
    title = f"{words[0].upper()}{words[1:]}, by finding"
    note = html.escape(describe_judged(some), quote=False)
    return theme.style(figure, title=title, note=note, height=150 + 30 * len(rows))


def judged_ones(judged: Judged) -> dict[str, Located]:
    """Return the models that could be judged."""
    return {name: one for name, one in judged.items() if isinstance(one, Located)}


def unjudged(judged: Judged) -> list[Any]:
    """Return why each of the others could not be."""
    return [
        curation.nothing(html.escape(name, quote=False), note=html.escape(why, quote=False))
        for name, why in judged.items()
        if isinstance(why, str)
    ]


def _number(summary: Mapping[str, Any], row: str, key: str) -> Mapping[str, float | None]:
    """Return a number of a finding or of their mean, with its interval; a finding without one has Nones."""
    numbers = summary["numbers"]
    where = numbers[row] if row == MEAN else numbers["findings"].get(row, {})
    return where.get(key, dict.fromkeys(("estimate", "low", "high")))


def _cases(summary: Mapping[str, Any], finding: str) -> int:
    return summary["numbers"]["findings"][finding]["num_cases"]


def _interval(numbers: list[Mapping[str, float | None]], colour: str, scale: float = 1) -> dict[str, Any]:
    reach = {
        side: [
            None if number[side] is None else scale * abs(number[side] - number["estimate"])
            for number in numbers
        ]
        for side in ("high", "low")
    }
    look = {"color": colour, "thickness": 1.5, "width": 0}
    return {"type": "data", "array": reach["high"], "arrayminus": reach["low"], **look}


def describe_judged(some: Mapping[str, Located]) -> str:
    """Say in one line where the numbers come from, plain text."""
    about = next(iter(some.values())).summary
    numbers = about["numbers"]["all cases"]
    thresholds = " and ".join(f"{one.summary['thresholds']['']:g}" for one in some.values())
    parts = [
        theme.provenance(about["store"], about["synthetic"]),
        f"{about['split']} split",
        about["leak"],
        f"{numbers['num_cases']:,} cases of {numbers['num_patients']:,} patients",
        f"{about['method']}, threshold {thresholds}",
        "95 % over patients",
    ]
    return " | ".join(filter(None, parts))
