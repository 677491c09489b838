"""Linear probe: logistic regression on frozen features (ConVIRT, section 4: "linear classification").

The problem is convex, so it is solved to its minimum by L-BFGS instead of trained by steps; the strength of
the penalty is chosen on the validation images. Letters: N images, D width of a feature, K targets, O outputs.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lib.data.splits import SPLITS, Manifest
from lib.data.store import Store
from lib.objectives.label_classifier import cross_entropy, target_probabilities
from lib.protocols.features import Features
from lib.protocols.prediction_tables import check_average
from lib.protocols.predictions import Predictions, judge, prediction_table
from lib.protocols.targets import choose_rows, target_labels

PENALTIES = tuple(10.0**power for power in range(1, -7, -1))
"""Weights of the squared norm that are tried, from the strongest; each starts from the solution before it."""

PATIENCE = 2
"""Penalties in a row that are no better on the validation images, after which weaker ones are not tried."""

ITERATIONS = 100
"""Steps of L-BFGS at most, for each penalty."""


@dataclasses.dataclass(kw_only=True)
class LinearProbeConfig:
    """What is predicted from what; fields as in `FinetuneConfig`.

    Attributes:
        task: "multi_label", "binary" or "multi_class".
        targets: label names; empty: all that can be trained and judged.
        label_ratio: share of the training studies whose labels are used.
        draw: which of the manifest's nested subsets of that size.
        positions: views that count as frontal.
        min_positives: studies with and without a target that each split must have.
        average_by: "study", "patient" or "", as in `FinetuneConfig`.
    """

    task: str = "multi_label"
    targets: list[str] = dataclasses.field(default_factory=list)
    label_ratio: float = 1.0
    draw: int = 0
    positions: list[str] = dataclasses.field(default_factory=lambda: ["PA", "AP", "FRONTAL"])
    min_positives: int = 1
    average_by: str = ""

    def __post_init__(self):
        check_average(self.average_by, self.task)


class Solution(NamedTuple):
    """A linear layer.

    Attributes:
        weight: `[D, O]`.
        bias: `[O]`.
    """

    weight: Tensor
    bias: Tensor

    def logits(self, values: Tensor) -> Tensor:
        """Return `[N, O]` of features `[N, D]`."""
        return values @ self.weight + self.bias


def linear_probe(
    features: Features, store: Store, manifest: Manifest, config: LinearProbeConfig
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Fit a linear classifier on the features of the training images and judge it on those of the test.

    Args:
        features: of all frontal images of the splits.
        store: has the labels.
        manifest: its splits and label-ratio subsets.
        config: what is predicted from which share of the labels.

    Returns:
        The predictions (see `prediction_table`), and what `judge` says of them with the chosen penalty.

    Raises:
        ValueError: settings that do not fit the store.
    """
    manifest.check(store)
    names, rows = choose_rows(store, manifest, config)
    # All training images set the scale: that takes no label, and a single image has no deviation.
    seen = features.of(manifest.rows("train")).values
    mean, deviation = seen.mean(0), seen.std(0) + 1e-6
    parts = {split: features.of(rows[split]) for split in SPLITS}
    values = {split: torch.from_numpy((part.values - mean) / deviation) for split, part in parts.items()}
    labels = {
        split: torch.from_numpy(target_labels(store, part.study_rows, names)) for split, part in parts.items()
    }
    values = _in_span(values)
    best: tuple[float, float, Solution] | None = None
    stagnant = 0
    for penalty, solution in fit_path(values["train"], labels["train"], config.task):
        merit = _merit(solution.logits(values["validation"]), labels["validation"], config.task)
        stagnant += 1
        if best is None or merit > best[0]:
            best, stagnant = (merit, penalty, solution), 0
        if stagnant == PATIENCE:
            break
    merit, penalty, solution = best
    logits = solution.logits(values["test"])
    predictions = Predictions(
        study_rows=parts["test"].study_rows,
        view_rows=parts["test"].view_rows,
        labels=labels["test"].numpy(),
        probabilities=target_probabilities(logits, config.task).numpy(),
        loss=float(cross_entropy(logits, labels["test"], config.task)),
    )
    table = prediction_table(predictions, store, names)
    report = {"penalty": penalty, "best_validation": merit, "num_train_studies": len(rows["train"])}
    judged = judge(table, task=config.task, average_by=config.average_by)
    return table, {**judged, **dataclasses.asdict(config), **report, "targets": names}


def _in_span(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Turn features to the span of the training images, where they are fewer than the features are wide.

    The solution lies in it, for what is orthogonal to all training images would only cost penalty; so nothing
    changes but the work.
    """
    train = values["train"]
    if len(train) >= train.shape[1]:
        return values
    basis = torch.linalg.svd(train, full_matrices=False).Vh.T  # [D, N]
    return {split: part @ basis for split, part in values.items()}


def fit_path(values: Tensor, labels: Tensor, task: str) -> Iterator[tuple[float, Solution]]:
    """Minimise the mean cross-entropy plus penalty / 2 times the squared norm, for one penalty after another.

    Args:
        values: `[N, D]`, standardised.
        labels: 1, 0 or NaN where not known, `[N, K]`.
        task: see `LabelClassifier`.

    Yields:
        Each penalty with its solution.
    """
    outputs = 2 if task == "binary" else labels.shape[1]
    weight = torch.zeros(values.shape[1], outputs, requires_grad=True)
    bias = torch.zeros(outputs, requires_grad=True)
    for penalty in PENALTIES:
        optimizer = torch.optim.LBFGS(
            [weight, bias], max_iter=ITERATIONS, tolerance_grad=1e-6, line_search_fn="strong_wolfe"
        )

        def closure(optimizer=optimizer, penalty=penalty) -> Tensor:
            optimizer.zero_grad()
            loss = cross_entropy(values @ weight + bias, labels, task) + penalty / 2 * weight.square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        yield penalty, Solution(weight.detach().clone(), bias.detach().clone())


def _merit(logits: Tensor, labels: Tensor, task: str) -> float:
    """Return the mean AUROC, or minus the loss where a target has one class only."""
    probabilities = target_probabilities(logits, task).numpy()
    rows = np.arange(len(logits))
    auroc = Predictions(rows, rows, labels.numpy(), probabilities, 0.0).mean_auroc()
    return -float(cross_entropy(logits, labels, task)) if np.isnan(auroc) else auroc
