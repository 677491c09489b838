"""What each part of a method is worth: effects with intervals, beside what the paper printed."""

import html
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench import theme
from workbench.figures import curation
from workbench.figures.html_table import html_table
from workbench.sweep_reading.effects import OPEN, OTHER, SAME, same_sign
from workbench.tables import method_name

SIGNS = {SAME: ", same way", OTHER: ", <b>the other way</b>", OPEN: ", ours may go either way", "": ""}
DIVERGING = ((0.0, "#b84a00"), (0.5, "#ffffff"), (1.0, "#0072b2"))
"""Worse, as good, better."""
PRINTED = "paper"

Printed = Mapping[tuple[str, str], float]
"""Method and series (a label ratio, a measure) -> effect in points."""


def effect_figure(
    effects: pd.DataFrame,
    printed: Printed,
    *,
    methods: Sequence[str],
    comparator: str,
    axis: str,
    note: str = "",
) -> go.Figure:
    """Show each method minus the comparator in points, a dot for each series, beside what was printed.

    Args:
        effects: columns method, series, difference, low, high; one row per dot.
        printed: effects in points by method and series.
        methods: rows, as far as there is a number of ours or of the paper's.
        comparator: its name.
        axis: what the differences are of.
        note: data, seeds, what the interval covers.
    """
    title = f"What changes without it: each row minus {html.escape(method_name(comparator), quote=False)}"
    if effects.empty:
        return curation.nothing(f"{title}: nothing to compare yet", note=note)
    all_series = list(dict.fromkeys(effects["series"]))
    known = set(effects["method"]) | {name for name, series in printed if series in all_series}
    methods = [name for name in methods if name in known]
    step = min(0.24, 0.66 / len(all_series))
    figure = go.Figure()
    for index, series in enumerate(all_series):
        rows = effects[effects["series"] == series]
        colour = theme.COLOURS[index % len(theme.COLOURS)]
        place = {name: step * ((len(all_series) - 1) / 2 - index) - row for row, name in enumerate(methods)}
        figure.add_scatter(
            x=100 * rows["difference"],
            y=[place[method] for method in rows["method"]],
            error_x=_interval(rows, colour),
            mode="markers",
            marker={"size": 9, "color": colour},
            name=series,
            hovertext=[f"{method_name(row.method)}, {series}: {_points(row)}" for row in rows.itertuples()],
            hoverinfo="text",
        )
        theirs = [method for method in methods if (method, series) in printed]
        if theirs:
            figure.add_scatter(
                x=[printed[method, series] for method in theirs],
                y=[place[method] for method in theirs],
                mode="markers",
                marker={"symbol": "diamond-open", "size": 13, "color": colour, "line": {"width": 1.5}},
                name=f"{series}, {PRINTED}",
                hovertext=[f"{method_name(name)}, paper: {printed[name, series]:+.1f}" for name in theirs],
                hoverinfo="text",
            )
    figure.add_vline(x=0, line={"color": theme.QUIET, "width": 1, "dash": "dot"})
    figure.update_xaxes(title=axis)
    names = [html.escape(method_name(method), quote=False) for method in methods]
    figure.update_yaxes(
        tickvals=[-row for row in range(len(methods))], ticktext=names, range=[0.4 - len(methods), 0.6]
    )
    lines = -(-len(figure.data) // 3)
    return theme.style(
        figure,
        title=title,
        note=note,
        height=130 + 22 * lines + 46 * len(methods),
        margin={"t": 70 + 22 * lines},
        legend={"y": 1.0, "x": 0, "xanchor": "left"},
    )


def effect_table(
    effects: pd.DataFrame,
    printed: Printed,
    *,
    methods: Sequence[str],
    comparator: str,
    about: str,
    source: str = "",
    note: str = "",
) -> str:
    """Return the effects in numbers, below each the paper's, and whether both go the same way.

    Args:
        effects: columns method, series, difference, low, high; one row per cell.
        printed: effects in points by method and series.
        methods: rows, also those that are missing.
        comparator: its name.
        about: what the numbers are, plain text.
        source: of the printed numbers.
        note: plain text.
    """
    all_series = list(dict.fromkeys(effects["series"]))
    found = {(row.method, row.series): row for row in effects.itertuples()}
    rows = [
        (
            html.escape(method_name(method)),
            *(_effect(found.get((method, one)), printed.get((method, one))) for one in all_series),
        )
        for method in methods
    ]
    head = {"method": "22%"}
    head |= {html.escape(one): f"{78 / max(1, len(all_series)):.1f}%" for one in all_series}
    paper = f"paper: {source}, other data" if source and printed else ""
    return html_table(
        head,
        rows,
        title=f"Minus {method_name(comparator)}: {about}",
        note=" | ".join(filter(None, (note, paper))),
        name="wb-effects",
    )


def interaction_table(found: pd.DataFrame, four: Sequence[str], *, reason: str = "", note: str = "") -> str:
    """Return whether two parts do more together than the sum of each.

    Args:
        found: as `workbench.sweep_reading.effects.interaction` returns it.
        four: methods with both parts, with the one, with the other, with neither.
        reason: why there is nothing to say, plain text; "" where there is.
        note: plain text.
    """
    both, one, other, neither = (method_name(name) for name in four)
    rows = [
        (
            f"{100 * row.label_ratio:g} % of the labels",
            f"{100 * row.one:+.1f}",
            f"{100 * row.other:+.1f}",
            f"{100 * (row.one + row.other):+.1f}",
            f"{100 * row.both:+.1f}",
            f"<b>{_points(row)}</b><br>{_meaning(row.verdict)}",
        )
        for row in found.itertuples()
    ]
    head = {
        "": "16%",
        html.escape(one): "14%",
        html.escape(other): "14%",
        "sum of these two": "12%",
        html.escape(both): "14%",
        "more than the sum [95 %, paired]": "30%",
    }
    return html_table(
        head,
        rows,
        title=f"Together or each alone? Points of mean AUROC above {neither}",
        note=" | ".join(filter(None, (reason, note))),
        name="wb-interaction",
    )


def finding_heat_map(
    effects: pd.DataFrame, *, comparator: str, label_ratio: float, note: str = ""
) -> go.Figure:
    """Show the effect of every method on every finding; bold where the interval leaves 0 out.

    Args:
        effects: as `workbench.sweep_reading.effects.finding_effects` returns it.
        comparator: its name.
        label_ratio: of the fine-tunings.
        note: data, seeds, what the interval covers.
    """
    title = (
        f"Finding by finding: minus {html.escape(method_name(comparator), quote=False)}, in points of AUROC"
    )
    note = f"{100 * label_ratio:g} % of the labels | {note}"
    if effects.empty:
        return curation.nothing(f"{title}: nothing to compare yet", note=note)
    methods = list(dict.fromkeys(effects["method"]))
    wide = effects.pivot(index="method", columns="finding", values="difference").loc[methods]
    order = list(wide.mean().sort_values().index)
    cells = {(row.method, row.finding): row for row in effects.itertuples()}
    values = 100 * wide[order].to_numpy()
    most = max(1.0, float(np.nanmax(np.abs(values))))
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=[html.escape(one, quote=False) for one in order],
            y=[html.escape(method_name(one), quote=False) for one in methods],
            text=[[_change(cells[method, one]) for one in order] for method in methods],
            texttemplate="%{text}",
            hovertext=[[_finding_hover(cells[method, one]) for one in order] for method in methods],
            hoverinfo="text",
            colorscale=DIVERGING,
            zmin=-most,
            zmax=most,
            xgap=2,
            ygap=2,
            showscale=len(methods) > 2,  # of a bar that is lower its numbers lie on each other
            colorbar={"title": "points", "thickness": 12, "len": 0.9},
        )
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(showgrid=False, tickangle=-30)
    return theme.style(figure, title=title, note=note, height=210 + 34 * len(methods))


def finding_figure(effects: pd.DataFrame, *, method: str, comparator: str, note: str = "") -> go.Figure:
    """Show one method minus the comparator, finding by finding, with intervals.

    Args:
        effects: rows of one method of `workbench.sweep_reading.effects.finding_effects`.
        method: its name.
        comparator: the other one's.
        note: data, seeds, what the interval covers.
    """
    names = [html.escape(method_name(name), quote=False) for name in (method, comparator)]
    title = f"Finding by finding: {names[0]} minus {names[1]}"
    rows = effects.dropna(subset="difference").sort_values("difference")
    if rows.empty:
        return curation.nothing(f"{title}: nothing to compare yet", note=note)
    told = (rows["low"] > 0) | (rows["high"] < 0)
    figure = go.Figure(
        go.Scatter(
            x=100 * rows["difference"],
            y=[html.escape(one, quote=False) for one in rows["finding"]],
            error_x=_interval(rows, theme.BASELINE),
            mode="markers",
            marker={"size": 10, "color": [theme.COLOURS[0] if one else theme.BASELINE for one in told]},
            hovertext=[
                f"{row.finding}: {_points(row)}, {row.num_positives} positives" for row in rows.itertuples()
            ],
            hoverinfo="text",
            showlegend=False,
        )
    )
    figure.add_vline(x=0, line={"color": theme.QUIET, "width": 1, "dash": "dot"})
    figure.update_xaxes(title="difference of AUROC, points (grey: the interval holds 0)")
    return theme.style(figure, title=title, note=note, height=150 + 30 * len(rows))


def _points(row) -> str:
    return f"{100 * row.difference:+.1f} [{100 * row.low:+.1f}, {100 * row.high:+.1f}]"


def _interval(rows: pd.DataFrame, colour: str) -> dict:
    """Return plotly error bars in points."""
    return {
        "type": "data",
        "symmetric": False,
        "array": 100 * (rows["high"] - rows["difference"]),
        "arrayminus": 100 * (rows["difference"] - rows["low"]),
        "color": colour,
        "thickness": 1.2,
        "width": 4,
    }


def _effect(row, printed: float | None) -> str:
    """Return our effect, bold where the interval leaves 0 out, above the paper's."""
    ours = "missing" if row is None else _points(row)
    told = row is not None and not row.low <= 0 <= row.high
    lines = [f"<b>{ours}</b>" if told else ours]
    if printed is not None:
        sign = "" if row is None else SIGNS[same_sign(row.difference, row.low, row.high, printed)]
        lines.append(f'<span style="color:{theme.QUIET}">paper {printed:+.1f}{sign}</span>')
    return "<br>".join(lines)


def _meaning(verdict: str) -> str:
    return {"better": "more than the sum", "worse": "less than the sum"}.get(
        verdict, "not told apart from the sum"
    )


def _change(row) -> str:
    if np.isnan(row.difference):
        return ""
    said = f"{100 * row.difference:+.1f}"
    return said if row.low <= 0 <= row.high else f"<b>{said}</b>"


def _finding_hover(row) -> str:
    name = html.escape(f"{method_name(row.method)}, {row.finding}", quote=False)
    if np.isnan(row.difference):
        return f"{name}: the test has one class only"
    return f"{name}: {_points(row)}, {row.num_positives} positives"
