"""Fine-tunings over seeds: means, spread, intervals, differences; from predictions alone."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lib.config import config_hash
from lib.metrics.accuracy import bootstrap_accuracy
from lib.metrics.bootstrap import BootstrapAUROC, ResampledAUROC
from lib.metrics.classification import auroc
from lib.metrics.statistics import bootstrap_auroc, seed_t_test
from lib.protocols.prediction_tables import average_cases, target_names, target_values
from workbench.runs import WEIGHTS_ID, Run, list_runs

NOT_COMPARED = (
    "recipe", "store", "manifest", "init", "init_id", WEIGHTS_ID, "method", "seed", "encoder", "device",
)  # fmt: skip
"""Keys of a config in which two runs may differ and still be compared: the initial weights, the encoder and
the seed are the question; test images, targets and fine-tuning must be the same."""

COLUMNS = (
    "recipe", "settings", "label_ratio", "method", "num_seeds", "auroc", "spread", "low", "high",
    "num_patients", "num_images", "synthetic", "difference", "difference_low", "difference_high", "p_seeds",
)  # fmt: skip
ACCURACY_COLUMNS = ("accuracy", "accuracy_low", "accuracy_high")
FINDING_COLUMNS = (
    "recipe", "settings", "label_ratio", "synthetic", "method", "finding", "auroc", "low", "high",
    "num_cases", "num_positives", "num_dropped",
)  # fmt: skip


def summary(
    runs: Sequence[Run] | None = None,
    *,
    comparator: str = "random",
    root: Path | str | None = None,
    replicates: int = 2000,
) -> pd.DataFrame:
    """Summarise fine-tunings over seeds, from their predictions alone.

    Args:
        runs: finished fine-tunings; None: all below the root.
        comparator: the method that the others are compared with.
        root: of the runs, where `runs` is None.
        replicates: resamples of the bootstrap.

    Returns:
        One row per recipe, settings (4 hex; other overrides give others), label_ratio and method: num_seeds,
        auroc (mean over seeds of the mean over labels), spread (standard deviation over seeds, NaN for one),
        low and high (95 %, patient-clustered bootstrap of the test set), num_patients, num_images (or studies
        or patients, where the protocol averages over their images), synthetic (whether the pictures were
        generated); against the comparator on the same resamples: difference, difference_low,
        difference_high, and p_seeds of the t-test over seeds, as in the paper.
        NaN where there is no comparator. With runs whose classes exclude each other also accuracy (mean over
        seeds), accuracy_low, accuracy_high.
    """
    rows = []
    for group in _groups(runs, root):
        stacks = {method: stacked(members) for method, members in group.methods.items()}
        resampled = _resample(stacks, replicates)
        for method, stack in stacks.items():
            row = {**group.names, "method": method, **_summarise(stack, resampled.interval(method))}
            if group.task == "multi_class":
                accuracy = bootstrap_accuracy(*stack, replicates=replicates)
                row |= dict(zip(ACCURACY_COLUMNS, accuracy, strict=True))
            if comparator in stacks and method != comparator:
                row |= _compare(stack, stacks[comparator], resampled.difference(method, comparator))
            rows.append(row)
    order = ["recipe", "settings", "label_ratio", "method"]
    columns = [*COLUMNS, *(ACCURACY_COLUMNS if any("accuracy" in row for row in rows) else ())]
    return pd.DataFrame(rows, columns=columns).sort_values(order, ignore_index=True)


def findings(
    runs: Sequence[Run] | None = None, *, root: Path | str | None = None, replicates: int = 2000
) -> pd.DataFrame:
    """Return the AUROC of each finding, mean over seeds, with its interval; arguments as in `summary`.

    Columns: recipe, settings, label_ratio, synthetic, method, finding, auroc, low, high, num_cases,
    num_positives, num_dropped (resamples with one class only).
    """
    frames = []
    for group in _groups(runs, root):
        for method, members in group.methods.items():
            result = bootstrap_auroc(*stacked(members), replicates=replicates)
            columns = {
                **group.names,
                "method": method,
                "finding": group.targets,
                "auroc": result.label_estimate,
                "low": result.label_low,
                "high": result.label_high,
                "num_cases": result.num_cases,
                "num_positives": result.num_positives,
                "num_dropped": result.num_dropped,
            }
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(FINDING_COLUMNS))


@dataclasses.dataclass
class _Group:
    """Fine-tunings that may be compared: method -> seed -> run."""

    names: dict[str, Any]
    targets: list[str]
    task: str
    methods: dict[str, dict[int, Run]] = dataclasses.field(default_factory=dict)
    origins: dict[str, tuple] = dataclasses.field(default_factory=dict)

    def add(self, run: Run) -> None:
        """Take a run, oldest first; a later one takes the place of an earlier one of the same seed.

        A later one from other initial weights starts the method anew: no mean mixes two pre-trainings.
        """
        method = run.config["method"]
        weights = run.config.get(WEIGHTS_ID, "")
        origin = (run.config["init_id"], weights, config_hash(run.config["encoder"]))
        if self.origins.get(method) != origin:
            self.origins[method], self.methods[method] = origin, {}
        self.methods[method][run.config["seed"]] = run


def _groups(runs: Sequence[Run] | None, root: Path | str | None) -> list[_Group]:
    """Put the finished fine-tunings together that may be compared."""
    chosen = [
        run
        for run in sorted(list_runs(root) if runs is None else runs, key=lambda run: run.status["created"])
        if run.config.get("task") == "finetune" and run.state == "finished"
    ]
    groups: dict[tuple, _Group] = {}
    for run in chosen:
        settings = {key: value for key, value in run.config.items() if key not in NOT_COMPARED}
        # The draw of the labels goes with the seed; label ratios are rows of one table.
        protocol = {key: value for key, value in settings.pop("finetune").items() if key != "draw"}
        label_ratio, targets = protocol.pop("label_ratio"), run.result()["targets"]
        key = config_hash({**settings, "finetune": protocol, "targets": targets})[:4]
        names = {
            "recipe": run.config["recipe"],
            "settings": key,
            "label_ratio": label_ratio,
            "synthetic": run.config["synthetic"],
        }
        groups.setdefault(
            (run.config["recipe"], key, label_ratio), _Group(names, targets, protocol["task"])
        ).add(run)
    return list(groups.values())


def _resample(stacks: "Mapping[str, Stack]", replicates: int) -> ResampledAUROC:
    """Resample the patients once, for all methods."""
    first = next(iter(stacks.values()))
    assert all(np.array_equal(one.labels, first.labels, equal_nan=True) for one in stacks.values())
    methods = {method: stack.probabilities for method, stack in stacks.items()}
    return ResampledAUROC(first.labels, methods, first.patients, replicates=replicates)


def _summarise(stack: "Stack", result: BootstrapAUROC) -> dict[str, Any]:
    """Return what `summary` says about one method alone."""
    by_seed = stack.by_seed()
    return {
        "num_seeds": len(by_seed),
        "auroc": result.estimate,
        "spread": by_seed.std(ddof=1) if len(by_seed) > 1 else np.nan,
        "low": result.low,
        "high": result.high,
        "num_patients": result.num_patients,
        "num_images": len(stack.labels),
    }


def _compare(stack: "Stack", other: "Stack", paired: BootstrapAUROC) -> dict[str, Any]:
    """Return what `summary` says about a method against another on the same test images."""
    a, b = stack.by_seed(), other.by_seed()
    return {
        "difference": paired.estimate,
        "difference_low": paired.low,
        "difference_high": paired.high,
        "p_seeds": seed_t_test(a, b).p_value if min(len(a), len(b)) > 1 else np.nan,
    }


class Stack(NamedTuple):
    """The predictions of one method for all its seeds, images (or what they are averaged to) by their ids."""

    labels: np.ndarray  # [N, K]
    probabilities: np.ndarray  # [S, N, K]
    patients: np.ndarray  # [N]

    def by_seed(self) -> np.ndarray:
        """Mean AUROC over labels of each seed `[S]`; a label with one class only is left out."""
        areas = auroc(self.labels.T, self.probabilities.transpose(0, 2, 1))  # [S, K]
        return areas[:, ~np.isnan(areas).any(axis=0)].mean(axis=1)


def stacked(members: Mapping[int, Run]) -> Stack:
    """Read the predictions of the runs of one method, seed -> run."""
    runs = [members[seed] for seed in sorted(members)]
    tables = [
        average_cases(
            run.predictions().sort_values("view_id", ignore_index=True),
            run.config["finetune"].get("average_by", ""),  # runs from before it have none
        )
        for run in runs
    ]
    first = tables[0]
    names = [f"label/{name}" for name in target_names(first)]
    for other in tables[1:]:
        assert other["view_id"].equals(first["view_id"]) and other[names].equals(first[names])
    return Stack(
        labels=target_values(first)[0],
        probabilities=np.stack([target_values(one)[1] for one in tables]),
        patients=first["patient_id"].to_numpy(),
    )
