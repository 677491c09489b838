"""Published predictions as figures: paired differences, findings, calibration, power."""

import numpy as np
import plotly.graph_objects as go

from lib.metrics.calibration import reliability
from lib.metrics.power import patients_needed, power
from workbench import theme
from workbench.figures.published_tables import comparison, place_name
from workbench.published.reading import FEW_POSITIVES, LEVEL, PublishedReading
from workbench.tables import method_name

POWER = 0.8
NUM_BINS = 10


def differences(reading: PublishedReading) -> go.Figure:
    """Show the method minus each other one, for every target and label ratio, with intervals."""
    found = reading.differences
    places = list(dict.fromkeys(zip(found["target"], found["label_ratio"], strict=True)))
    others = list(dict.fromkeys(found["other"]))
    colours = theme.method_colours(others)
    figure = go.Figure()
    for index, other in enumerate(others):
        rows = found[found["other"] == other]
        dodge = 0.14 * ((len(others) - 1) / 2 - index)
        keys = zip(rows["target"], rows["label_ratio"], strict=True)
        figure.add_scatter(
            x=100 * rows["difference"],
            y=[dodge - places.index(key) for key in keys],
            error_x=_interval(rows, colours[other]),
            mode="markers",
            name=method_name(other),
            marker={"size": 8, "color": colours[other]},
            text=[
                f"{place_name(row.target, row.label_ratio)}, {method_name(other)}<br>"
                f"{100 * row.difference:+.2f} [{100 * row.low:+.2f}, {100 * row.high:+.2f}], {row.verdict}"
                for row in rows.itertuples()
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": theme.INK, "width": 1})
    figure.update_xaxes(title=f"{method_name(reading.method)} minus the other, points of mean AUROC")
    figure.update_yaxes(
        tickvals=[-index for index in range(len(places))],
        ticktext=[place_name(*place) for place in places],
        range=[0.5 - len(places), 0.5],
    )
    note = f"95 % paired bootstrap of the test set, {reading.replicates:,} resamples; one training each"
    height = 150 + 54 * len(places)
    return theme.style(figure, title="Where the difference is more than luck", note=note, height=height)


def findings(reading: PublishedReading, target: str, label_ratio: float, other: str) -> go.Figure:
    """Show a comparison finding by finding; full dots are told apart after Holm's correction."""
    rows = comparison(reading, target, label_ratio, other)[::-1]
    figure = go.Figure()
    for told_apart, name in ((True, f"p below {LEVEL:g} after Holm"), (False, "not told apart")):
        part = rows[(rows["p_holm"] < LEVEL) == told_apart]
        figure.add_scatter(
            x=100 * part["difference"],
            y=part["finding"],
            error_x=_interval(part, theme.COLOURS[0] if told_apart else theme.BASELINE),
            mode="markers",
            name=name,
            marker={
                "size": 10,
                "color": theme.COLOURS[0] if told_apart else theme.BASELINE,
                "symbol": "circle" if told_apart else "circle-open",
            },
            customdata=np.stack([part["num_positives"], part["p"], part["p_holm"]], axis=1),
            hovertemplate="%{y}: %{x:+.1f} points, %{customdata[0]} positives<br>p %{customdata[1]:.2g}, "
            "after Holm %{customdata[2]:.2g}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": theme.INK, "width": 1})
    figure.update_xaxes(title=f"{method_name(reading.method)} minus {method_name(other)}, points of AUROC")
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=list(rows["finding"]),
        range=[-0.6, len(rows) - 0.4],
        ticktext=[
            f"{row.finding.replace('_', ' ')} ({row.num_positives:,})"
            + (" few" if row.num_positives < FEW_POSITIVES else "")
            for row in rows.itertuples()
        ],
        tickvals=list(rows["finding"]),
    )
    title = f"{place_name(target, label_ratio)}: which findings carry it"
    note = "in brackets the positives; 95 % paired bootstrap"
    return theme.style(figure, title=title, note=note, height=150 + 30 * len(rows))


def calibration(reading: PublishedReading, target: str, label_ratio: float) -> go.Figure:
    """Show how often findings are there against the score that each method gave, all findings together."""
    methods = reading.methods(target, label_ratio)
    if not methods:
        reading.scores(target, label_ratio, reading.method)  # says what there is
    colours = theme.method_colours(methods)
    figure, outside, largest = go.Figure(), [], 0.0
    for method in methods:
        labels, scores = reading.scores(target, label_ratio, method)
        beyond = int(((scores < 0) | (scores > 1)).sum())
        outside += [f"{method_name(method)} {beyond}"] if beyond else []
        scores = scores.clip(0, 1)
        pooled = reliability(labels.ravel(), scores.ravel(), num_bins=NUM_BINS)
        error = np.mean([reliability(*pair).error for pair in zip(labels.T, scores.T, strict=True)])
        largest = max(largest, pooled.mean_probability.max(), pooled.frequency.max())
        figure.add_scatter(
            x=pooled.mean_probability,
            y=pooled.frequency,
            error_y={
                "type": "data",
                "symmetric": False,
                "array": pooled.high - pooled.frequency,
                "arrayminus": pooled.frequency - pooled.low,
                "color": colours[method],
                "thickness": 1,
                "width": 3,
            },
            mode="lines+markers",
            name=f"{method_name(method)}: {error:.3f}",
            line={"color": colours[method], "width": 1.5},
            marker={"size": 7},
            customdata=pooled.num_cases,
            hovertemplate="score %{x:.3f}: %{y:.3f} of %{customdata:,} have it",
        )
    limit = 1.05 * largest
    figure.add_scatter(
        x=[0, limit],
        y=[0, limit],
        mode="lines",
        line={"color": theme.QUIET, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_xaxes(title="score", range=[-0.02 * limit, limit], tickformat=".2f")
    figure.update_yaxes(title="share with the finding", range=[-0.02 * limit, limit], tickformat=".2f")
    note = (
        "tenths of the scores, all findings together; number: expected calibration error, mean over findings"
    )
    if outside:
        note += f"<br>scores beyond 1 count as 1: {', '.join(outside)}"
    title = f"{place_name(target, label_ratio)}: are scores frequencies?"
    legend = {"orientation": "v", "x": 1.02, "xanchor": "left", "y": 1, "yanchor": "top"}
    return theme.style(figure, title=title, note=note, height=460, legend=legend, margin={"t": 82})


def power_curves(reading: PublishedReading, other: str, difference: float) -> go.Figure:
    """Show how often a true difference would be found, by the number of test patients.

    Args:
        reading: published predictions.
        other: method that the difference is to.
        difference: true one, in points of mean AUROC.
    """
    found = reading.differences[reading.differences["other"] == other]
    if found.empty:
        known = ", ".join(dict.fromkeys(reading.differences["other"]))
        raise ValueError(f"No comparison with {other!r}; there are {known}.")
    found = found.groupby("target", sort=False).tail(1)  # with all labels
    figure = go.Figure()
    numbers = np.geomspace(50, 100_000, 120)
    for row, colour in zip(found.itertuples(), theme.COLOURS, strict=False):
        about = {"standard_error": row.standard_error, "num_patients": row.num_patients}
        needed = patients_needed(difference / 100, **about, wanted_power=POWER)
        name = f"{place_name(row.target, row.label_ratio)}: {needed:,.0f}, has {row.num_patients:,}"
        figure.add_scatter(
            x=numbers,
            y=power(difference / 100, numbers, **about),
            mode="lines",
            name=name,
            line={"color": colour, "width": 2},
            hovertemplate="%{x:,.0f}: %{y:.2f}",
        )
        figure.add_scatter(
            x=[row.num_patients],
            y=power(difference / 100, [row.num_patients], **about),
            mode="markers",
            marker={"size": 11, "color": colour},
            showlegend=False,
            hovertemplate="this test set: %{y:.2f}<extra></extra>",
        )
    figure.add_hline(y=POWER, line={"color": theme.QUIET, "width": 1, "dash": "dot"})
    ticks = [100, 1000, 10_000, 100_000]
    figure.update_xaxes(
        type="log", title="test patients", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks]
    )
    figure.update_yaxes(title="chance to find it", range=[0, 1.02], tickformat=".1f")
    title = f"How many test patients a difference of {difference:g} points needs"
    note = (
        f"to be told apart in {100 * POWER:g} % of test sets, against {method_name(other)}; dots: test sets "
        "as they are<br>the bootstrap's standard error, scaled by the square root of the number of patients"
    )
    legend = {"orientation": "v", "x": 1.02, "xanchor": "left", "y": 1, "yanchor": "top"}
    return theme.style(figure, title=title, note=note, height=430, legend=legend, margin={"t": 96})


def _interval(rows, colour: str) -> dict:
    """Return plotly error bars of a difference in points."""
    return {
        "type": "data",
        "symmetric": False,
        "array": 100 * (rows["high"] - rows["difference"]),
        "arrayminus": 100 * (rows["difference"] - rows["low"]),
        "color": colour,
        "thickness": 1.2,
        "width": 3,
    }
