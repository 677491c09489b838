"""The test pictures that a fine-tuned model is most wrong about."""

import dataclasses

import numpy as np
import pandas as pd

from lib.protocols.prediction_tables import target_names, target_values
from workbench.reopen import open_data
from workbench.runs import Run

SMALLEST = 1e-7
"""Probability below which a loss grows no further."""
COLUMNS = ("view_id", "study_id", "patient_id", "finding", "label", "probability", "loss")


@dataclasses.dataclass(frozen=True)
class WorstErrors:
    """Test pictures with the highest loss.

    Attributes:
        table: the worst first: view_id, study_id, patient_id, finding, label (0 or 1), probability, loss.
        images: uint8 `[N, S, S]`, in the order of the table; None where the store is gone.
        missing: why there are no images.
    """

    table: pd.DataFrame
    images: np.ndarray | None
    missing: str = ""


def worst_errors(run: Run, *, count: int = 8, finding: str = "") -> WorstErrors:
    """Return the pictures with the highest loss, each once, with the finding that it is worst in.

    Args:
        run: a finished fine-tuning.
        count: pictures.
        finding: only that one; "" is any.

    Raises:
        FileNotFoundError: the run has no predictions.
        ValueError: no such finding.
    """
    table = loss_table(run.predictions(), run.config["finetune"]["task"], finding).head(count)
    try:
        store, _ = open_data(run)
    except (ValueError, OSError) as error:
        return WorstErrors(table, None, str(error))
    rows = pd.Series(np.arange(len(store.views)), index=store.views["view_id"].to_numpy())
    images = np.stack([store.images[row] for row in rows[table["view_id"]]]) if len(table) else None
    return WorstErrors(table, images, "" if len(table) else "no test picture has a known label")


def loss_table(predictions: pd.DataFrame, task: str, finding: str = "") -> pd.DataFrame:
    """Return every picture with its highest cross entropy, descending; unknown labels have none.

    Args:
        predictions: of a run.
        task: "multi_class", where the probability of the true class alone counts, or another.
        finding: only that one; "" is any.

    Raises:
        ValueError: no such finding.
    """
    names = target_names(predictions)
    if finding and finding not in names:
        raise ValueError(f"No finding {finding!r} was predicted; there are {', '.join(names)}.")
    labels, probabilities = target_values(predictions)  # [N, K]
    right = np.clip(np.where(labels == 1, probabilities, 1 - probabilities), SMALLEST, 1)
    losses = np.where(np.isnan(labels), np.nan, -np.log(right))
    if task == "multi_class":
        losses = np.where(labels == 1, losses, np.nan)
    if finding:
        losses = np.where(np.array(names) == finding, losses, np.nan)
    known = np.flatnonzero(~np.isnan(losses).all(axis=1))
    worst = np.nanargmax(losses[known], axis=1)
    table = predictions.iloc[known][["view_id", "study_id", "patient_id"]].assign(
        finding=np.array(names)[worst],
        label=labels[known, worst].astype(int),
        probability=probabilities[known, worst],
        loss=losses[known, worst],
    )
    return table.sort_values("loss", ascending=False, kind="stable", ignore_index=True)[list(COLUMNS)]
