"""Fine-tunings over seeds: means, spread, intervals, differences; from predictions alone."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from lib.metrics.classification import auroc
from lib.metrics.resampled_mean import ResampledMean, average, weighted_sum
from lib.metrics.seed_t_test import seed_t_test
from lib.protocols.kept_resamples import REPLICATES, Resamples, resamples_of
from lib.protocols.prediction_tables import (
    average_cases,
    check_predictions,
    target_names,
    target_values,
)
from workbench.comparable import Group, comparable_groups
from workbench.records import Record, read_record, read_records
from workbench.runs import Run

COLUMNS = (
    "recipe", "settings", "label_ratio", "method", "num_seeds", "auroc", "spread", "low", "high",
    "num_patients", "num_images", "synthetic", "difference", "difference_low", "difference_high", "p_seeds",
)  # fmt: skip
ACCURACY_COLUMNS = ("accuracy", "accuracy_low", "accuracy_high")
FINDING_COLUMNS = (
    "recipe", "settings", "label_ratio", "synthetic", "method", "finding", "auroc", "low", "high",
    "num_cases", "num_positives", "num_dropped",
)  # fmt: skip

Seeds = dict[Run, Resamples]
"""The runs of one method that count, in the order of their seeds, with what their predictions say."""

AGAIN = "Remove the folder of the one that is wrong and fine-tune again."


def summary(
    runs: Sequence[Run | Record] | None = None,
    *,
    comparator: str = "random",
    root: Path | str | None = None,
    replicates: int = REPLICATES,
    notes: dict[str, str] | None = None,
) -> pd.DataFrame:
    """Summarise fine-tunings over seeds, from their predictions alone.

    What predictions are worth on each resample is kept in the run's folder, and computed where it is not.

    Args:
        runs: finished fine-tunings, or their records; None: all below the root.
        comparator: the method that the others are compared with.
        root: of the runs, where `runs` is None.
        replicates: resamples of the bootstrap.
        notes: gets the runs that cannot be counted or compared, id -> reason with the file and the fix; None:
            these are warnings.

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
    rows, found = [], {}
    groups = comparable_groups(_records(runs, root), found)
    # Runs from before resamples were kept take a while, once.
    for group in tqdm(groups, "resampling", unit="group", delay=3, leave=False, disable=None):
        methods = _read_methods(group, replicates, found)
        means = {method: average([one.auroc for one in seeds.values()]) for method, seeds in methods.items()}
        for method, seeds in methods.items():
            row = {**group.names, "method": method, **_summarise(seeds, means[method], found)}
            if comparator in methods and method != comparator:
                if _are_paired(seeds, methods[comparator], found):
                    paired = weighted_sum([(1, means[method]), (-1, means[comparator])])
                    row |= _compare(seeds, methods[comparator], paired)
            rows.append(row)
    _tell(found, notes)
    order = ["recipe", "settings", "label_ratio", "method"]
    columns = [*COLUMNS, *(ACCURACY_COLUMNS if any("accuracy" in row for row in rows) else ())]
    return pd.DataFrame(rows, columns=columns).sort_values(order, ignore_index=True)


def findings(
    runs: Sequence[Run | Record] | None = None,
    *,
    root: Path | str | None = None,
    replicates: int = REPLICATES,
    notes: dict[str, str] | None = None,
) -> pd.DataFrame:
    """Return the AUROC of each finding, mean over seeds, with its interval; arguments as in `summary`.

    Columns: recipe, settings, label_ratio, synthetic, method, finding, auroc, low, high, num_cases,
    num_positives, num_dropped (resamples with one class only).
    """
    from lib.metrics.bootstrap import bootstrap_auroc  # heavy, and for nothing in a summary

    frames, found = [], {}
    for group in comparable_groups(_records(runs, root), found):
        for method, seeds in _read_methods(group, REPLICATES, found).items():
            members = {run.config["seed"]: run for run in seeds}
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
    _tell(found, notes)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(FINDING_COLUMNS))


def _records(runs: Sequence[Run | Record] | None, root: Path | str | None) -> list[Record]:
    if runs is None:
        return read_records(root)[0]
    return [one if isinstance(one, Record) else read_record(one) for one in runs]


def _tell(found: dict[str, str], notes: dict[str, str] | None) -> None:
    if notes is not None:
        notes.update(found)
        return
    for name, reason in found.items():
        warnings.warn(f"Run {name} does not count: {reason}", stacklevel=3)


def _read_methods(group: Group, replicates: int, notes: dict[str, str]) -> dict[str, Seeds]:
    """Read what the runs of each method say; those that cannot be counted are noted and left out."""
    methods: dict[str, Seeds] = {}
    for method, members in group.methods.items():
        for _, run in sorted(members.items()):
            try:
                found = resamples_of(
                    run.predictions_file,
                    task=group.task,
                    average_by=group.average_by,
                    replicates=replicates,
                )
                _check(run, found, methods.get(method, {}), group.num_images.get(run.id))
            except (ValueError, OSError) as error:
                notes[run.id] = str(error)
            else:
                methods.setdefault(method, {})[run] = found
    return methods


def _check(run: Run, found: Resamples, seeds: Seeds, num_images: int | None) -> None:
    """Refuse predictions that are not those of the run, or of another test set than the seeds before them."""
    if num_images not in (None, found.num_images):
        raise ValueError(
            f"{run.predictions_file} has {found.num_images} images; result.json beside it counts "
            f"{num_images}. {AGAIN}"
        )
    for other, seen in list(seeds.items())[:1]:
        if seen.cases != found.cases:
            raise ValueError(
                f"{run.predictions_file} has other test images, patients or labels than "
                f"{other.predictions_file}, another seed of the same method. {AGAIN}"
            )


def _summarise(seeds: Seeds, mean: ResampledMean, notes: dict[str, str]) -> dict[str, Any]:
    """Return what `summary` says about one method alone."""
    first = next(iter(seeds.values()))
    by_seed = [one.auroc.estimate for one in seeds.values()]
    low, high = mean.interval()
    row = {
        "num_seeds": len(seeds),
        "auroc": mean.estimate,
        "spread": np.std(by_seed, ddof=1) if len(seeds) > 1 else np.nan,
        "low": low,
        "high": high,
        "num_patients": first.num_patients,
        "num_images": first.num_cases,
    }
    if np.isnan(mean.estimate):
        for run in seeds:
            notes[run.id] = (
                f"{run.predictions_file}: every target has one class only among the test images, so that "
                "there is no AUROC. Fine-tune with other targets, or on a larger test set."
            )
    if first.accuracy is not None:
        accuracy = average([one.accuracy for one in seeds.values()])
        row |= dict(zip(ACCURACY_COLUMNS, (accuracy.estimate, *accuracy.interval()), strict=True))
    return row


def _are_paired(seeds: Seeds, others: Seeds, notes: dict[str, str]) -> bool:
    """Say whether two methods were tested on the same cases; notes it where they were not."""
    (run, first), (other, second) = (next(iter(one.items())) for one in (seeds, others))
    if first.cases == second.cases:
        return True
    notes[run.id] = (
        f"{run.predictions_file} has other test images, patients or labels than {other.predictions_file} "
        f"of the comparator, so that there is no difference. {AGAIN}"
    )
    return False


def _compare(seeds: Seeds, others: Seeds, paired: ResampledMean) -> dict[str, Any]:
    """Return what `summary` says about a method against another on the same test images."""
    low, high = paired.interval()
    a, b = ([found.auroc.estimate for found in one.values()] for one in (seeds, others))
    return {
        "difference": paired.estimate,
        "difference_low": low,
        "difference_high": high,
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
    """Read the predictions of the runs of one method, seed -> run.

    Raises:
        ValueError: predictions that cannot be judged, or two runs that were not tested on the same images.
    """
    runs = [members[seed] for seed in sorted(members)]
    tables = [
        average_cases(
            _read_predictions(run).sort_values("view_id", ignore_index=True),
            run.config["finetune"].get("average_by", ""),  # runs from before it have none
        )
        for run in runs
    ]
    first = tables[0]
    names = [f"label/{name}" for name in target_names(first)]
    for run, other in zip(runs[1:], tables[1:], strict=True):
        if not (other["view_id"].equals(first["view_id"]) and other[names].equals(first[names])):
            raise ValueError(
                f"{run.folder} and {runs[0].folder} have other test images, patients or labels. {AGAIN}"
            )
    return Stack(
        labels=target_values(first)[0],
        probabilities=np.stack([target_values(one)[1] for one in tables]),
        patients=first["patient_id"].to_numpy(),
    )


def _read_predictions(run: Run) -> pd.DataFrame:
    try:
        table = run.predictions()
        check_predictions(table)
    except ValueError as error:
        raise ValueError(f"Predictions of {run.folder} cannot be judged: {error}. {AGAIN}") from error
    return table
