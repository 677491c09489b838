"""What a store holds, counted: splits, labels, drops, report lengths."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench import theme


def drop_reasons(counts: Mapping[str, int], *, kept: int, note: str = "") -> go.Figure:
    """Show how many studies or views were left out at ingest, by rule.

    Args:
        counts: rule -> number of rows of the store's drops table; may be empty.
        kept: studies in the store.
        note: where they come from.
    """
    ordered = sorted(counts.items(), key=lambda item: item[1])
    figure = go.Figure(
        go.Bar(
            x=[count for _, count in ordered],
            y=[rule.replace("_", " ") for rule, _ in ordered],
            orientation="h",
            marker={"color": theme.QUIET},
            text=[f"{count:,}" for _, count in ordered],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=bool(ordered))
    total = sum(counts.values())
    title = (
        f"{kept:,} studies kept, {total:,} entries dropped"
        if total
        else f"{kept:,} studies kept, none dropped"
    )
    return theme.style(figure, title=title, note=note, height=(110 if ordered else 90) + 34 * len(ordered))


def split_balance(studies: pd.DataFrame, splits: Mapping[str, Sequence[int]], *, note: str = "") -> go.Figure:
    """Show studies and patients of each split.

    Args:
        studies: column patient_id; row numbers are those in `splits`.
        splits: split -> study rows.
        note: where they come from.
    """
    names = list(splits)
    figure = go.Figure()
    for label, colour, count in (
        ("studies", theme.COLOURS[0], lambda rows: len(rows)),
        ("patients", theme.COLOURS[4], lambda rows: studies["patient_id"].iloc[rows].nunique()),
    ):
        values = [count(np.asarray(splits[name])) for name in names]
        figure.add_bar(
            x=names,
            y=values,
            name=label,
            marker={"color": colour},
            text=[f"{value:,}" for value in values],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    figure.update_yaxes(visible=False)
    return theme.style(figure, title="Studies and patients of each split", note=note, height=320)


def label_prevalence(
    labels: np.ndarray, names: Sequence[str], splits: Mapping[str, Sequence[int]], *, note: str = ""
) -> go.Figure:
    """Show the share of positive studies of each label, by split, rarest at the bottom.

    Args:
        labels: float `[num_studies, K]`, NaN where unknown.
        names: K label names.
        splits: split -> study rows.
        note: where they come from.
    """
    order = np.argsort(np.nan_to_num(_share(labels)), kind="stable")
    figure = go.Figure()
    for split, rows in splits.items():
        share = _share(labels[np.asarray(rows, dtype=np.int64)])
        figure.add_scatter(
            x=100 * share[order],
            y=[names[index] for index in order],
            mode="markers",
            cliponaxis=False,
            name=split,
            marker={
                "color": theme.SPLITS.get(split, theme.QUIET),
                "size": 9,
                "line": {"color": "white", "width": 1},
            },
            hovertemplate=f"%{{y}}: %{{x:.1f}} % of {split}<extra></extra>",
        )
    figure.update_xaxes(title="positive studies, % of those with a known label", rangemode="tozero")
    return theme.style(figure, title="How common each label is", note=note, height=130 + 26 * len(names))


def report_lengths(lengths: Sequence[int], *, minimum: int = 3, note: str = "") -> go.Figure:
    """Show how many tokens the reports have.

    Args:
        lengths: tokens (words and phrases) of findings and impression together, one per study.
        minimum: shorter reports are dropped at ingest.
        note: where they come from.
    """
    if not len(lengths):
        figure = go.Figure().update_xaxes(visible=False).update_yaxes(visible=False)
        return theme.style(figure, title="This data set has no reports", note=note, height=90)
    values = np.asarray(lengths)
    figure = go.Figure(
        go.Histogram(
            x=values, nbinsx=40, marker={"color": theme.COLOURS[0], "line": {"color": "white", "width": 1}}
        )
    )
    median = float(np.median(values))
    figure.add_vline(x=median, line={"color": theme.INK, "width": 1, "dash": "dot"})
    figure.add_annotation(
        x=median,
        y=1,
        yref="paper",
        yanchor="bottom",
        xanchor="left",
        text=f"median {median:.0f}",
        showarrow=False,
    )
    figure.update_xaxes(
        title=f"tokens in findings and impression (below {minimum}: dropped)", rangemode="tozero"
    )
    figure.update_yaxes(title="studies")
    return theme.style(figure, title="Length of the reports", note=note, height=320, bargap=0.02)


def _share(labels: np.ndarray) -> np.ndarray:
    """Return the share of positives among known labels, `[K]`; NaN where none is known."""
    known = np.isfinite(labels).sum(axis=0)
    positive = np.nansum(labels, axis=0)
    return np.divide(positive, known, out=np.full(labels.shape[1], np.nan), where=known > 0)
