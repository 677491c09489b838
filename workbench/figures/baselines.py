"""The page on a baseline: what it asks, what it sees, what it has learnt."""

import functools
import html
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from workbench import theme
from workbench.baselines import shown as kinds
from workbench.baselines.methods import method_of
from workbench.batch_similarity import BatchSimilarity
from workbench.figures import crops, pair_training, report_text, results
from workbench.figures.curation import nothing
from workbench.figures.html_table import html_table
from workbench.figures.label_use import label_use
from workbench.figures.picture_rows import picture_rows
from workbench.figures.runs import note_of
from workbench.runs import Run
from workbench.tables import method_name


def asked(run: Run) -> str:
    """Return HTML: the method's name, what it asks of the picture, where it comes from."""
    method = method_of(run)
    name = html.escape(method_name(run.config["objective"]["name"]))
    style = html.escape(
        f"font-family:{theme.FONT};font-size:14px;line-height:1.5;color:{theme.INK};background:{theme.PAPER};"
        f"max-width:{theme.WIDTH - 60}px;border-left:3px solid {theme.COLOURS[0]};padding:4px 0 4px 14px"
    )
    return (
        f'<div class="wb-asked" style="{style}"><b>{name}</b><br>{html.escape(method.asks)}'
        f'<div style="font-size:12px;color:{theme.QUIET}">{html.escape(method.source)}</div></div>'
    )


def going_on(run: Run, steps: Mapping[str, str]) -> str:
    """Return an HTML table of where to go from a run; a table of pandas would cut the commands.

    Args:
        run: the finished pre-training.
        steps: what `workbench.baselines.budget.next_step` returns.
    """
    rows = [(html.escape(name), f"<code>{html.escape(value)}</code>") for name, value in steps.items()]
    return html_table({"": "26%", " ": "74%"}, rows, title="Weights and commands", note=run.id)


def drawn(run: Run, values: Sequence[Any]) -> list[go.Figure | str]:
    """Return the figures and tables of what `workbench.baselines.methods` says about a run."""
    note = f"{note_of(run)} | {run.config['recipe']}"
    return [figure for value in values for figure in _figures(value, note)]


@functools.singledispatch
def _figures(value: Any, note: str) -> list[go.Figure | str]:
    """Return the figures of one value."""
    raise AssertionError(f"nothing draws {type(value).__name__}")


@_figures.register
def _(value: kinds.PictureRows, note: str) -> list[go.Figure | str]:
    return [picture_rows(value, note=note)]


@_figures.register
def _(value: kinds.CropSimilarity, note: str) -> list[go.Figure | str]:
    figures = [crops.crop_matrices(value, note=note), crops.positives_and_negatives(value, note=note)]
    return figures if value.queue is None else [*figures, crops.queue_by_age(value.queue, note=note)]


@_figures.register
def _(value: kinds.LabelUse, note: str) -> list[go.Figure | str]:
    return [label_use(value, note=note)]


@_figures.register
def _(value: kinds.LabelScores, note: str) -> list[go.Figure | str]:
    if value.findings.empty:
        return [nothing("No label can be judged", note=f"{note}<br>{value.note}")]
    figure = results.auroc_by_finding(value.findings, note=f"{note}<br>{value.note}")
    return [figure.update_layout(height=figure.layout.height + 18, margin={"t": 94})]


@_figures.register
def _(value: kinds.PairExamples, note: str) -> list[go.Figure | str]:
    note = f"{note} | {len(value.examples)} training studies"
    return [pair_training.pair_table(value.examples, title=value.title, note=note)]


@_figures.register
def _(value: kinds.WrittenReports, note: str) -> list[go.Figure | str]:
    note = f"{note} | {len(value.reports)} validation studies, greedy search, words for sides highlighted"
    return [report_text.report_table(value.reports, title="Generated against true reports", note=note)]


@_figures.register
def _(value: BatchSimilarity, note: str) -> list[go.Figure | str]:
    return [pair_training.similarity_matrices(value, note=note)]
