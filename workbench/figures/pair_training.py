"""What a pair objective learns from, and what a batch of it looks like before and after."""

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench import theme
from workbench.batch_similarity import BatchSimilarity
from workbench.figures.html_table import html_table
from workbench.figures.pictures import data_uri
from workbench.figures.report_text import highlight_sides
from workbench.figures.runs import note_of
from workbench.pair_examples import Example, Pair
from workbench.runs import Run

SIDE = 150
"""Pixels of a picture in the table."""

PANELS = {"initial": "before training", "trained": "after training"}


def pair_table(examples: Sequence[Example], *, title: str, note: str = "") -> str:
    """Return an HTML table: each study as it is stored, and pairs that were drawn from it.

    Args:
        examples: at least one, each with as many pairs.
        title: plain text.
        note: plain text under it.
    """
    draws = max(len(example.pairs) for example in examples)
    head = {"as stored": "17%", **{f"draw {draw + 1}": f"{83 / draws:.0f}%" for draw in range(draws)}}
    rows = [
        (
            f"{_picture(example.stored)}{html.escape(example.study_id)}",
            *map(_pair, example.pairs),
            *[""] * (draws - len(example.pairs)),
        )
        for example in examples
    ]
    return html_table(head, rows, title=title, note=note, name="wb-pairs")


def drawn(run: Run, examples: Sequence[Example]) -> str:
    """Return the table of pairs as the training of a run draws them."""
    unit = run.config["objective"].get("text_unit", "report")
    return pair_table(examples, title=f"Pairs: a varied picture and a {unit}", note=note_of(run))


def mirrored(run: Run, examples: Sequence[Example]) -> str:
    """Return the table of mirrored pairs, with what the recipe of a run makes of them."""
    share = run.config["augment"]["flip"]
    swaps = run.config["objective"].get("swap_sides", True)
    does = "left and right exchanged" if swaps else "the text as it is written"
    note = f"{note_of(run)} | this recipe mirrors {100 * share:g} % of the pictures"
    return pair_table(examples, title=f"Mirrored: {does}", note=note)


def similarity_matrices(batch: BatchSimilarity, *, note: str = "") -> go.Figure:
    """Show how well each text of a batch fits each picture, a panel for each weights.

    Args:
        batch: at least two pairs.
        note: where they come from.
    """
    size = len(batch.texts)
    titles = [
        f"{PANELS[weights]}: own picture at rank {batch.ranks[weights]:.1f} of {size}"
        for weights in batch.by_weights
    ]
    figure = make_subplots(rows=1, cols=len(titles), subplot_titles=titles, horizontal_spacing=0.08)
    figure.update_annotations(font={"size": 12, "color": theme.QUIET})
    text = [html.escape(text, quote=False) for text in batch.texts]
    names = [
        html.escape(f"{study}: {labels}", quote=False)
        for study, labels in zip(batch.study_ids, batch.labels, strict=True)
    ]
    hover = [[f"text: {one}<br>picture: {other}" for other in names] for one in text]
    for column, values in enumerate(batch.by_weights.values(), start=1):
        figure.add_trace(
            go.Heatmap(
                z=np.round(values, 4),
                coloraxis="coloraxis",
                text=hover,
                hovertemplate="%{z:.3f}<br>%{text}<extra></extra>",
            ),
            row=1,
            col=column,
        )
        figure.update_xaxes(title="picture", showticklabels=False, showgrid=False, row=1, col=column)
        figure.update_yaxes(
            title="text" if column == 1 else None,
            showticklabels=False,
            showgrid=False,
            autorange="reversed",
            scaleanchor=f"x{column if column > 1 else ''}",
            constrain="domain",
            row=1,
            col=column,
        )
    return theme.style(
        figure,
        title=f"Similarity of {size} texts and {size} pictures of one batch",
        note=f"{note} | ranks: means over {batch.num_texts:,} texts, by chance {(size + 1) / 2:g}",
        height=520,
        coloraxis={"colorscale": "Cividis", "colorbar": {"title": "similarity", "thickness": 12, "len": 0.8}},
    )


def _pair(pair: Pair) -> str:
    text = highlight_sides(pair.text)
    if pair.mirrored:
        text = f'<span style="color:{theme.QUIET}">mirrored</span> {text}'
    if pair.text != pair.written:
        text += f'<br><span style="color:{theme.QUIET}">written: {html.escape(pair.written)}</span>'
    return f"{_picture(pair.picture)}{text}"


def _picture(image: np.ndarray) -> str:
    return (
        f'<img src="{data_uri(image)}" width="{SIDE}" height="{SIDE}" '
        'style="display:block;margin-bottom:4px;max-width:100%" alt="">'
    )
