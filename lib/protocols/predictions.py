"""Predictions of a classifier: one row per image, and what they are worth."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from lib.atomic import atomic_path
from lib.data.loader import StudyLoader
from lib.data.store import Store
from lib.metrics.accuracy import bootstrap_accuracy, is_correct
from lib.metrics.classification import auroc
from lib.metrics.statistics import bootstrap_auroc
from lib.objectives.label_classifier import LabelClassifier, cross_entropy, target_probabilities
from lib.protocols.prediction_tables import average_cases, target_names, target_values


@dataclasses.dataclass(frozen=True)
class Predictions:
    """What a classifier says about the images of a loader.

    Attributes:
        study_rows: `[N]`.
        view_rows: `[N]`.
        labels: `[N, K]`, NaN unknown.
        probabilities: `[N, K]`.
        loss: mean cross-entropy.
    """

    study_rows: np.ndarray
    view_rows: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    loss: float

    def mean_auroc(self) -> float:
        """Return the mean over the targets, NaN if one of them has one class only."""
        return float(auroc(self.labels.T, self.probabilities.T).mean())

    def accuracy(self) -> float:
        """Return the share of images whose most probable target is theirs; for the task "multi_class"."""
        return float(is_correct(self.labels, self.probabilities).mean())


@torch.no_grad()
def predict(classifier: LabelClassifier, loader: StudyLoader) -> Predictions:
    """Predict every image of a loader once; the classifier is in evaluation mode."""
    study_rows, view_rows, targets, logits = [], [], [], []
    for batch in loader.epoch(0):
        study_rows.append(batch.study_rows)
        view_rows.append(batch.view_rows[:, 0])
        targets.append(classifier.targets(batch))
        logits.append(classifier.logits(batch))
    targets, logits = torch.cat(targets), torch.cat(logits)
    loss = cross_entropy(logits, targets, classifier.task)
    return Predictions(
        study_rows=torch.cat(study_rows).cpu().numpy(),
        view_rows=torch.cat(view_rows).cpu().numpy(),
        labels=targets.cpu().numpy(),
        probabilities=target_probabilities(logits, classifier.task).cpu().numpy(),
        loss=float(loss),
    )


def prediction_table(predictions: Predictions, store: Store, targets: Sequence[str]) -> pd.DataFrame:
    """Return one row per image: study_id, patient_id, view_id, label/<name>, probability/<name>."""
    studies = store.studies.iloc[predictions.study_rows]
    columns = {
        "study_id": studies["study_id"].to_numpy(),
        "patient_id": studies["patient_id"].to_numpy(),
        "view_id": store.views["view_id"].to_numpy()[predictions.view_rows],
        **{f"label/{name}": predictions.labels[:, k] for k, name in enumerate(targets)},
        **{f"probability/{name}": predictions.probabilities[:, k] for k, name in enumerate(targets)},
    }
    return pd.DataFrame(columns)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table of predictions, atomically."""
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def judge(
    table: pd.DataFrame, *, task: str = "multi_label", average_by: str = "", replicates: int = 2000
) -> dict[str, Any]:
    """Compute mean and per-target AUROC with patient-clustered bootstrap intervals.

    Args:
        table: as `prediction_table` returns it.
        task: "multi_class" is judged by accuracy as well.
        average_by: "study" or "patient" to judge the mean probability of their images; "" each image.
        replicates: resamples.

    Returns:
        "auroc" (estimate, low, high), "per_label" (the same and the numbers of cases, positives and dropped
        resamples for each target), "num_patients", "num_images", "bootstrap"; for "multi_class" also
        "accuracy" (estimate, low, high), and where images were averaged "num_cases".
    """
    cases = average_cases(table, average_by)
    names = target_names(cases)
    labels, probabilities = target_values(cases)
    patients = cases["patient_id"].to_numpy()
    report = judge_values(names, labels, probabilities, patients, replicates=replicates)
    if task == "multi_class":
        report["accuracy"] = judge_accuracy(labels, probabilities[None], patients, replicates=replicates)
    if average_by:
        report |= {"num_images": len(table), "num_cases": len(cases)}
    return report


def judge_values(
    names: Sequence[str],
    labels: np.ndarray,
    values: np.ndarray,
    patients: np.ndarray,
    *,
    replicates: int = 2000,
) -> dict[str, Any]:
    """Compute what `judge` says, from arrays; any increasing function of probabilities will do.

    Args:
        names: of the targets.
        labels: 1, 0 or NaN `[N, K]`.
        values: `[N, K]`, or `[S, N, K]` for several classifiers, whose AUROCs are averaged.
        patients: of each image `[N]`.
        replicates: resamples.
    """
    result = bootstrap_auroc(labels, values, patients, replicates=replicates)
    per_label = {
        name: {
            "estimate": _plain(result.label_estimate[k]),
            "low": _plain(result.label_low[k]),
            "high": _plain(result.label_high[k]),
            "num_cases": int(result.num_cases[k]),
            "num_positives": int(result.num_positives[k]),
            "num_dropped": int(result.num_dropped[k]),
        }
        for k, name in enumerate(names)
    }
    return {
        "auroc": {key: _plain(getattr(result, key)) for key in ("estimate", "low", "high")},
        "per_label": per_label,
        "num_patients": result.num_patients,
        "num_images": len(labels),
        "bootstrap": {"replicates": result.replicates, "confidence": result.confidence, "unit": "patient"},
    }


def judge_accuracy(
    labels: np.ndarray, probabilities: np.ndarray, patients: np.ndarray, *, replicates: int = 2000
) -> dict[str, float]:
    """Compute the accuracy (estimate, low, high) of several classifiers; see `bootstrap_accuracy`."""
    result = bootstrap_accuracy(labels, probabilities, patients, replicates=replicates)
    return {key: _plain(value) for key, value in result._asdict().items()}


def _plain(value: float) -> float | None:
    """Return a number that JSON has; None for NaN."""
    return None if np.isnan(value) else round(float(value), 6)
