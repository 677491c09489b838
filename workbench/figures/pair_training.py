"""What a pair objective learns from, and what a batch of it looks like before and after."""

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench import theme
from workbench.batch_similarity import BatchSimilarity
from workbench.figures.html_table import html_table
from workbench.figures.pictures import data_uri
from workbench.figures.report_text import highlight_sides
from workbench.figures.runs import note_of
from workbench.figures.similarity import similarity_panels
from workbench.pair_examples import Example, Pair
from workbench.runs import Run

SIDE = 150
"""Pixels of a picture in the table."""


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
    return pair_table(examples, title=f"Pairs: a varied picture and one {unit}", note=note_of(run))


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
    text = [html.escape(text, quote=False) for text in batch.texts]
    names = [
        html.escape(f"{study}: {labels}", quote=False)
        for study, labels in zip(batch.study_ids, batch.labels, strict=True)
    ]
    hover = [[f"text: {one}<br>picture: {other}" for other in names] for one in text]
    return similarity_panels(
        batch.by_weights,
        batch.ranks,
        hover,
        rows="text",
        columns="picture",
        title=f"Similarity of {size} texts and {size} pictures of one batch",
        note=f"{note} | ranks: means over {batch.num_texts:,} texts, by chance {(size + 1) / 2:g}",
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
