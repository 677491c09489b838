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
from lib.metrics.statistics import BootstrapAUROC, bootstrap_auroc
from lib.objectives.label_classifier import LabelClassifier, cross_entropy, target_probabilities
from lib.protocols.kept_resamples import REPLICATES, keep, resample
from lib.protocols.prediction_tables import target_names


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
    table: pd.DataFrame,
    *,
    task: str = "multi_label",
    average_by: str = "",
    replicates: int = REPLICATES,
    file: Path | None = None,
) -> dict[str, Any]:
    """Compute mean and per-target AUROC with patient-clustered bootstrap intervals.

    Args:
        table: as `prediction_table` returns it.
        task: "multi_class" is judged by accuracy as well.
        average_by: "study" or "patient" to judge the mean probability of their images; "" each image.
        replicates: resamples.
        file: to which the table was written; its resamples are kept beside it for later tables.

    Returns:
        "auroc" (estimate, low, high), "per_label" (the same and the numbers of cases, positives and dropped
        resamples for each target), "num_patients", "num_images", "bootstrap"; for "multi_class" also
        "accuracy" (estimate, low, high), and where images were averaged "num_cases".
    """
    resamples, areas = resample(table, task=task, average_by=average_by, replicates=replicates)
    if file is not None:
        keep(file, resamples, average_by=average_by, replicates=replicates)
    report = _report(target_names(table), areas.interval(""), resamples.num_cases)
    if resamples.accuracy is not None:
        report["accuracy"] = _interval(resamples.accuracy.estimate, *resamples.accuracy.interval())
    if average_by:
        report |= {"num_images": resamples.num_images, "num_cases": resamples.num_cases}
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
    return _report(names, bootstrap_auroc(labels, values, patients, replicates=replicates), len(labels))


def judge_accuracy(
    labels: np.ndarray, probabilities: np.ndarray, patients: np.ndarray, *, replicates: int = 2000
) -> dict[str, float | None]:
    """Compute the accuracy (estimate, low, high) of several classifiers; see `bootstrap_accuracy`."""
    return _interval(*bootstrap_accuracy(labels, probabilities, patients, replicates=replicates))


def _report(names: Sequence[str], result: BootstrapAUROC, num_images: int) -> dict[str, Any]:
    per_label = {
        name: {
            **_interval(result.label_estimate[k], result.label_low[k], result.label_high[k]),
            "num_cases": int(result.num_cases[k]),
            "num_positives": int(result.num_positives[k]),
            "num_dropped": int(result.num_dropped[k]),
        }
        for k, name in enumerate(names)
    }
    return {
        "auroc": _interval(result.estimate, result.low, result.high),
        "per_label": per_label,
        "num_patients": result.num_patients,
        "num_images": num_images,
        "bootstrap": {"replicates": result.replicates, "confidence": result.confidence, "unit": "patient"},
    }


def _interval(estimate: float, low: float, high: float) -> dict[str, float | None]:
    return {"estimate": _plain(estimate), "low": _plain(low), "high": _plain(high)}


def _plain(value: float) -> float | None:
    """Return a number that JSON has; None for NaN."""
    return None if np.isnan(value) else round(float(value), 6)
