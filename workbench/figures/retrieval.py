"""Retrieval beside chance and beside the paper: precision@k and recall@k of several runs."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench import theme
from workbench.figures.html_table import html_table
from workbench.figures.judged import not_judged
from workbench.published import (
    CONVIRT_TABLE_2,
    CONVIRT_TABLE_2_CHANCE,
    CONVIRT_TABLE_2_SOURCE,
)
from workbench.tables import method_name

TITLES = {
    "image_image": "Image-image retrieval: precision@k",
    "text_image": "Text-image retrieval: precision@k",
}
WAYS = {"study_to_report": "from study to report", "report_to_study": "from report to study"}
STEP = 0.16
"""Distance between the dots of two runs at one k; 1 is the distance between two k."""


def precision_by_k(
    judged: Mapping[str, Mapping[str, Any]], kind: str, *, note: str = "", style: str = "all"
) -> go.Figure:
    """Show precision@k of several runs side by side, with intervals, and their chance level.

    Args:
        judged: name of the run -> what `workbench.judging.judge_pairs` returned. Runs without this kind of
            retrieval are left out.
        kind: "image_image" or "text_image".
        note: data set, number of queries and candidates, what the interval covers.
        style: of the sentences: "all" or one of the styles of the prompts.

    Raises:
        ValueError: unknown kind, or no run has it.
    """
    if kind not in TITLES:
        raise ValueError(f"kind {kind!r} is not one of {', '.join(TITLES)}.")
    reports = {name: about for name, one in judged.items() if (about := retrieval_of(one, kind, style))}
    if not reports:
        raise ValueError(f"None of {', '.join(judged) or 'no runs'} was judged by {kind}, style {style!r}.")
    ks = sorted({k for about in reports.values() for k in about["precision"]}, key=int)
    colours = theme.method_colours(list(reports))
    figure = go.Figure()
    for index, (name, about) in enumerate(reports.items()):
        rows = [(place, about["precision"][k]) for place, k in enumerate(ks) if k in about["precision"]]
        dodge = STEP * (index - (len(reports) - 1) / 2)
        places = [place + dodge for place, _ in rows]
        figure.add_trace(_dots(name, [row for _, row in rows], places, colours[name]))
    # Runs that are judged on the same lists have one chance level, others each their own.
    for chance in sorted({round(about["chance"], 4) for about in reports.values()}):
        figure.add_hline(
            y=chance,
            line={"color": theme.QUIET, "width": 1, "dash": "dot"},
            annotation={"text": f"chance {chance:.3f}", "font": {"size": 11, "color": theme.QUIET}},
        )
    figure.update_xaxes(
        tickvals=list(range(len(ks))),
        ticktext=[f"@{k}" for k in ks],
        range=[-0.6, len(ks) - 0.4],
        title="candidates looked at",
    )
    figure.update_yaxes(title="precision", tickformat=".2f", range=[0, 1.05])
    return theme.style(figure, title=TITLES[kind], note=note, height=430)


def precision_figures(judged: Mapping[str, Mapping[str, Any]], *, note: str = "") -> list[go.Figure]:
    """Show both kinds of retrieval; in place of one that no run was judged by, why.

    Args:
        judged: as for `precision_by_k`.
        note: data set; the numbers of queries and candidates are added.
    """
    figures = []
    for kind, title in TITLES.items():
        found = [about for one in judged.values() if (about := retrieval_of(one, kind))]
        if not found:
            figures.append(not_judged(judged, kind, title=title, note=note))
            continue
        numbers = f"{found[0]['num_queries']} queries, {found[0]['num_candidates']} candidates"
        figures.append(precision_by_k(judged, kind, note=f"{note} | {numbers}" if note else numbers))
    return figures


def recall_by_k(judged: Mapping[str, Mapping[str, Any]], *, note: str = "") -> go.Figure:
    """Show how often studies find their own report among the best k, and reports their study.

    Args:
        judged: as for `precision_by_k`; runs that embed no texts are left out.
        note: data set and its size.
    """
    reports = {name: one["study_report"] for name, one in judged.items() if one.get("study_report")}
    if not reports:
        return not_judged(judged, "study_report", title="Studies and their reports", note=note)
    pairs = next(iter(reports.values()))["num_pairs"]
    figure = make_subplots(
        rows=1, cols=len(WAYS), shared_yaxes=True, horizontal_spacing=0.05, subplot_titles=list(WAYS.values())
    )
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    colours = theme.method_colours(list(reports))
    for column, way in enumerate(WAYS, start=1):
        chance = next(iter(reports.values()))[way]["chance"]
        ks = list(chance)
        figure.add_scatter(
            x=list(range(len(ks))),
            y=[chance[k] for k in ks],
            mode="markers",
            marker={"symbol": "line-ew-open", "size": 34, "color": theme.QUIET, "line": {"width": 1.5}},
            name="guessing",
            showlegend=column == 1,
            hovertemplate="guessing: %{y:.4f}<extra></extra>",
            row=1,
            col=column,
        )
        for index, (name, about) in enumerate(reports.items()):
            rows = [about[way]["recall"][k] for k in ks]
            dodge = STEP * (index - (len(reports) - 1) / 2)
            dots = _dots(name, rows, [place + dodge for place in range(len(ks))], colours[name])
            figure.add_trace(dots.update(showlegend=column == 1), row=1, col=column)
        figure.update_xaxes(
            tickvals=list(range(len(ks))),
            ticktext=[f"@{k}" for k in ks],
            range=[-0.6, len(ks) - 0.4],
            title="candidates looked at",
            row=1,
            col=column,
        )
    figure.update_yaxes(rangemode="tozero")
    figure.update_yaxes(title="recall", row=1, col=1)
    title = f"{pairs:,} studies and their reports: recall@k"
    return theme.style(figure, title=title, note=note, height=400, margin={"t": 96}, legend={"y": 1.08})


def table_beside_paper(judged: Mapping[str, Mapping[str, Any]], *, style: str = "all", note: str = "") -> str:
    """Return our retrieval above the paper's Table 2, as HTML.

    The data are others and so is the chance level, which therefore has a column: on the paper's own lists
    (`workbench.chexpert_8x200`) it is 12.5 %.

    Args:
        judged: as for `precision_by_k`.
        style: of the sentences.
        note: data set and its size; the paper's source is added.
    """
    ks = sorted(CONVIRT_TABLE_2[-1].image_image)
    share = "13%"
    head = {"method": "24%", "chance": "10%"}
    head |= {f"{kind} @{k}": share for kind in ("image", "text") for k in ks}
    rows = []
    for name, one in judged.items():
        reports = [retrieval_of(one, kind, style) for kind in TITLES]
        chances = [f"{100 * about['chance']:.1f}" for about in reports if about]
        cells = [_with_interval(about, k) for about in reports for k in ks]
        rows.append((html.escape(method_name(name)), " / ".join(dict.fromkeys(chances)) or "-", *cells))
    for row in CONVIRT_TABLE_2:
        values = [row.image_image.get(k) for k in ks] + [row.text_image.get(k) for k in ks]
        cells = ["-" if value is None else f"{100 * value:.1f}" for value in values]
        rows.append((f"{html.escape(row.method)} (paper)", f"{100 * CONVIRT_TABLE_2_CHANCE:.1f}", *cells))
    return html_table(
        head,
        rows,
        title="Precision@k in per cent, ours beside the paper's",
        note=". ".join(filter(None, (note, f"Paper: {CONVIRT_TABLE_2_SOURCE}"))),
        name="wb-retrieval",
    )


def retrieval_of(judged: Mapping[str, Any], kind: str, style: str = "all") -> Mapping[str, Any] | None:
    """Return one kind of retrieval of a judged run, or None where it has none.

    On the published lists the sentences are their own, so there are no styles.
    """
    about = judged.get(kind)
    if about is None or "precision" in about:
        return about
    return about["all"] if style == "all" else about["styles"].get(style)


def _dots(name: str, rows: Sequence[Mapping[str, float]], places: Sequence[float], colour: str) -> go.Scatter:
    """Return the estimates of one run with their intervals."""
    return go.Scatter(
        x=list(places),
        y=[row["estimate"] for row in rows],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [row["high"] - row["estimate"] for row in rows],
            "arrayminus": [row["estimate"] - row["low"] for row in rows],
            "color": colour,
            "thickness": 1.2,
            "width": 4,
        },
        mode="markers",
        cliponaxis=False,
        name=method_name(name),
        marker={
            "size": 10,
            "color": colour,
            "symbol": "square" if theme.is_baseline(name) else "circle",
        },
        customdata=[(row["low"], row["high"]) for row in rows],
        hovertemplate="%{y:.3f} [%{customdata[0]:.3f}, %{customdata[1]:.3f}]",
    )


def _with_interval(about: Mapping[str, Any] | None, k: int) -> str:
    row = about["precision"].get(str(k)) if about else None
    if row is None:
        return "-"
    estimate, low, high = (100 * row[key] for key in ("estimate", "low", "high"))
    return f'{estimate:.1f} <span style="color:{theme.QUIET}">[{low:.1f}, {high:.1f}]</span>'
