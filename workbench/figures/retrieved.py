"""What a search found: the best pictures with labels and reports, and where their scores lie."""

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench import theme
from workbench.figures.html_table import html_table
from workbench.figures.pictures import data_uri, mosaic
from workbench.figures.report_text import highlight_sides

SIDE = 150
"""Pixels of a picture in the table."""
EXCERPT = 340
"""Characters of a report."""
NUM_BINS = 60


def retrieved_table(
    found: pd.DataFrame, images: np.ndarray, *, title: str, note: str = "", shared: Sequence[str] = ()
) -> str:
    """Return an HTML table, a row for each study.

    Args:
        found: columns place (what stands in the first column, as HTML), study_id, patient_id, labels (list of
            the positive ones), report.
        images: their pictures, uint8 `[N, S, S]`.
        title: plain text.
        note: plain text under it.
        shared: labels that are printed bold.
    """
    rows = []
    for row, image in zip(found.itertuples(), images, strict=True):
        labels = [
            f"<b>{html.escape(name)}</b>" if name in shared else html.escape(name) for name in row.labels
        ]
        quiet = f'<span style="color:{theme.QUIET};font-size:12px">'
        names = f"{quiet}{html.escape(row.study_id)}<br>patient {html.escape(row.patient_id)}</span>"
        rows.append(
            (
                row.place,
                _picture(image),
                f"{'<br>'.join(labels) or 'none positive'}<br>{names}",
                highlight_sides(_excerpt(row.report)) or "<i>no report</i>",
            )
        )
    head = {"": "9%", "picture": "18%", "positive labels": "20%", "report": "53%"}
    return html_table(head, rows, title=title, note=note, name="wb-retrieved")


def score_histogram(
    scores: np.ndarray, best: np.ndarray, *, name: str, title: str, note: str = ""
) -> go.Figure:
    """Show the scores of all candidates, and where those of the best lie.

    Args:
        scores: of all candidates `[N]`.
        best: of those shown in the table, descending.
        name: what a score is.
        title: one line.
        note: under it.
    """
    counts, edges = np.histogram(scores, bins=NUM_BINS)
    middle, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    figure = go.Figure(
        go.Bar(
            x=middle,
            y=counts,
            width=width,
            marker={"color": theme.BASELINE, "line": {"color": "white", "width": 0.5}},
            name="all candidates",
            hovertemplate="%{x:.3f}: %{y}<extra></extra>",
        )
    )
    figure.add_scatter(
        x=best,
        y=np.zeros(len(best)),
        mode="markers",
        cliponaxis=False,
        marker={
            "symbol": "line-ns-open",
            "size": 20,
            "color": theme.COLOURS[1],
            "line": {"width": 2, "color": theme.COLOURS[1]},
        },
        name=f"the best {len(best)}",
        customdata=np.arange(1, len(best) + 1),
        hovertemplate="rank %{customdata}: %{x:.3f}<extra></extra>",
    )
    figure.update_xaxes(title=name)
    figure.update_yaxes(title="studies", rangemode="tozero")
    return theme.style(figure, title=title, note=note, height=280, bargap=0)


def _picture(image: np.ndarray) -> str:
    small = mosaic(image[None], columns=1, tile=SIDE) if image.shape[0] > SIDE else image
    return (
        f'<img src="{data_uri(np.ascontiguousarray(small))}" width="{SIDE}" height="{SIDE}" '
        'style="display:block" alt="">'
    )


def _excerpt(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= EXCERPT else text[:EXCERPT].rsplit(" ", 1)[0] + " ..."
