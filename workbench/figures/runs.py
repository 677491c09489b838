"""Figures of runs, from their folders alone."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from workbench import theme
from workbench.figures import report_text, results, training
from workbench.reading import Reading
from workbench.runs import Run


def note_of(run: Run) -> str:
    """Return the line under a title that says which data a run saw, and whether they are synthetic."""
    return theme.provenance(Path(run.config["store"]).name, run.config.get("synthetic", False))


def note_of_grid(runs: Sequence[Run]) -> str:
    """Return the line under a title of fine-tunings: data, test patients, what the intervals are."""
    results = [run.result() for run in runs]
    seeds = len({run.config["seed"] for run in runs})
    patients = max(result["num_patients"] for result in results)
    return (
        f"{note_of(runs[0])} | {patients:,} test patients, {seeds} seed{'s' * (seeds > 1)}, "
        "95 % intervals by resampling patients"
    )


def losses(run: Run) -> go.Figure:
    """Show the losses of a run."""
    return training.loss_curves(run.metrics(), title=f"Losses of {run.id}", note=note_of(run))


def reports(run: Run, reading: Reading, *, count: int) -> str:
    """Return the table of generated against true reports of the first studies."""
    note = f"{note_of(run)} | validation studies, greedy search, words for sides highlighted"
    return report_text.report_table(
        reading.reports.head(count), title="Generated against true reports", note=note
    )


def fusion_weights(run: Run, reading: Reading) -> go.Figure:
    """Show how the views of validation studies are weighed."""
    studies = reading.weights["study_id"].nunique()
    note = f"{note_of(run)} | {studies} validation studies with several views"
    return training.fusion_weights(reading.weights, note=note)


def auroc_by_label_ratio(runs: Sequence[Run], summary: pd.DataFrame) -> go.Figure:
    """Show the summary of some fine-tunings against the label ratio."""
    return results.auroc_by_label_ratio(summary, note=note_of_grid(runs))


def auroc_by_finding(runs: Sequence[Run], findings: pd.DataFrame, *, label_ratio: float) -> go.Figure:
    """Show the AUROC of each finding at one label ratio.

    Raises:
        ValueError: no run has that label ratio.
    """
    chosen = findings[findings["label_ratio"] == label_ratio]
    if chosen.empty:
        known = ", ".join(f"{ratio:g}" for ratio in sorted(findings["label_ratio"].unique()))
        raise ValueError(f"No run has label ratio {label_ratio:g}; there are {known}.")
    note = f"{100 * label_ratio:g} % of the labels | {note_of_grid(runs)}"
    return results.auroc_by_finding(chosen, note=note)
