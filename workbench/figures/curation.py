"""What a store holds, counted: labels by split, report lengths."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from workbench import theme


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
    figure.update_yaxes(ticklabelstandoff=10)  # a dot at 0 must not lie on the label's name
    return theme.style(figure, title="How common each label is", note=note, height=130 + 26 * len(names))


def report_lengths(lengths: Sequence[int], *, minimum: int = 3, note: str = "") -> go.Figure:
    """Show how many tokens the reports have.

    Args:
        lengths: tokens (words and phrases) of findings and impression together, one per study.
        minimum: shorter reports are dropped at ingest.
        note: where they come from.
    """
    if not len(lengths):
        return nothing("This data set has no reports", note=note)
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


def nothing(title: str, *, note: str = "") -> go.Figure:
    """Return a figure that only says that there is nothing to draw."""
    figure = go.Figure().update_xaxes(visible=False).update_yaxes(visible=False)
    return theme.style(figure, title=title, note=note, height=90, margin={"l": 16})


def _share(labels: np.ndarray) -> np.ndarray:
    """Return the share of positives among known labels, `[K]`; NaN where none is known."""
    known = np.isfinite(labels).sum(axis=0)
    positive = np.nansum(labels, axis=0)
    return np.divide(positive, known, out=np.full(labels.shape[1], np.nan), where=known > 0)
