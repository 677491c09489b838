"""What comparing crops has led to: matrices, positives against negatives, the queue by age."""

import html

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench import theme
from workbench.baselines.shown import CropSimilarity, QueueSimilarity
from workbench.figures.similarity import PANELS, similarity_panels

NUM_BINS = 50
OWN, OTHERS, QUEUE = theme.COLOURS[0], theme.COLOURS[1], theme.COLOURS[2]


def crop_matrices(shown: CropSimilarity, *, note: str = "") -> go.Figure:
    """Show how well each crop of a batch fits each key, before and after training."""
    size = len(shown.study_ids)
    names = [
        html.escape(f"{study}: {labels}", quote=False)
        for study, labels in zip(shown.study_ids, shown.labels, strict=True)
    ]
    hover = [[f"query: {one}<br>key: {other}" for other in names] for one in names]
    number = len(shown.own["trained"])
    return similarity_panels(
        shown.by_weights,
        shown.ranks,
        hover,
        rows="query: one crop",
        columns="key",
        title=f"Similarity of the crops of {size} pictures of one validation batch",
        note=f"{note} | ranks: means over {number:,} pictures, by chance {(size + 1) / 2:g}",
    )


def positives_and_negatives(shown: CropSimilarity, *, note: str = "") -> go.Figure:
    """Show where the similarities of a query with its own key and with all others lie.

    Args:
        shown: of some validation batches.
        note: where they come from.
    """
    figure = make_subplots(
        rows=1,
        cols=len(shown.own),
        subplot_titles=[PANELS[weights] for weights in shown.own],
        shared_yaxes=True,
        horizontal_spacing=0.05,
    )
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    span = min(values.min() for values in shown.others.values()), 1.0
    for column, weights in enumerate(shown.own, start=1):
        series = {
            "key of the same picture": (shown.own[weights], OWN),
            "keys of other pictures of the batch": (shown.others[weights], OTHERS),
        }
        if shown.queue is not None and weights == "trained":  # before training it holds random directions
            series["keys in the queue"] = (shown.queue.values, QUEUE)
        for name, (values, colour) in series.items():
            shares, edges = np.histogram(values, bins=NUM_BINS, range=span)
            figure.add_scatter(
                x=(edges[1:] + edges[:-1]) / 2,
                y=100 * shares / len(values),
                mode="lines",
                line={"color": colour, "width": 2, "shape": "hvh"},
                fill="tozeroy",
                fillcolor=_faint(colour),
                name=name,
                legendgroup=name,
                showlegend=column == len(shown.own),
                hovertemplate=f"{name}<br>%{{x:.2f}}: %{{y:.1f}} %<extra></extra>",
                row=1,
                col=column,
            )
        figure.update_xaxes(title="cosine similarity", row=1, col=column)
    figure.update_yaxes(title="share, %", rangemode="tozero", row=1, col=1)
    number = len(shown.own["trained"])
    return theme.style(
        figure,
        title="Positives against negatives",
        note=f"{note} | {number:,} queries of validation pictures",
        height=390,
        # In a line of its own, between the note and the titles of the panels.
        legend={"y": 1.1},
        margin={"t": 116},
    )


def queue_by_age(shown: QueueSimilarity, *, note: str = "") -> go.Figure:
    """Show how similar the keys in the queue are to queries, by the age of the key."""
    figure = go.Figure(
        [
            go.Scatter(
                x=np.concatenate([shown.ages, shown.ages[::-1]]),
                y=np.concatenate([shown.high, shown.low[::-1]]),
                fill="toself",
                fillcolor=_faint(QUEUE),
                mode="lines",
                line={"width": 0},
                hoverinfo="skip",
                name="10th to 90th percentile",
            ),
            go.Scatter(
                x=shown.ages,
                y=shown.means,
                mode="lines+markers",
                line={"color": QUEUE, "width": 2},
                marker={"size": 6},
                name="mean",
                hovertemplate="%{x} steps ago: %{y:.3f}<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(title="age of the key, steps", rangemode="tozero")
    figure.update_yaxes(title="similarity with the queries")
    return theme.style(
        figure,
        title="Negatives in the queue, by their age",
        note=(
            f"{note} | {shown.num_queries:,} queries of validation pictures, a queue of {shown.size:,} keys "
            "of training pictures"
        ),
        height=320,
    )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.15)"
