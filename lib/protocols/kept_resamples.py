"""What predictions are worth on every resample of the test patients, kept beside them.

To resample a run takes a tenth of a second and more, to read what it gave some microseconds, and means over
seeds, intervals and paired differences are sums of it. The file says of which predictions it is; where these
have changed since, it counts for nothing.
"""

import contextlib
import dataclasses
import hashlib
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lib.atomic import atomic_path
from lib.metrics.resampled_mean import ResampledMean
from lib.protocols.prediction_tables import (
    ID_COLUMNS,
    average_cases,
    check_predictions,
    target_names,
    target_values,
)

if TYPE_CHECKING:
    from lib.metrics.bootstrap import ResampledAUROC

FILE = "resamples.safetensors"
VERSION = "1"
"""To be raised when other numbers come from the same predictions."""

REPLICATES = 2000
"""Resamples that are kept; another number is drawn afresh each time."""

NUMBERS = ("num_images", "num_cases", "num_patients")


@dataclasses.dataclass(frozen=True)
class Resamples:
    """One table of predictions on the resamples of its patients.

    Attributes:
        auroc: mean over the targets.
        accuracy: where classes exclude each other.
        cases: hash of ids, patients, targets and labels; tables with the same one are resampled alike.
        num_images: rows of the table.
        num_cases: what was judged: images, or the studies or patients that they were averaged to.
        num_patients: of them.
    """

    auroc: ResampledMean
    accuracy: ResampledMean | None
    cases: str
    num_images: int
    num_cases: int
    num_patients: int


def resample(
    table: pd.DataFrame, *, task: str = "multi_label", average_by: str = "", replicates: int = REPLICATES
) -> "tuple[Resamples, ResampledAUROC]":
    """Resample the patients of a table of predictions.

    Args:
        table: as `lib.protocols.predictions.prediction_table` returns it, in any order.
        task: "multi_class" has an accuracy as well.
        average_by: as for `average_cases`.
        replicates: resamples.

    Returns:
        What is kept, and the AUROCs of all targets (of the method "").
    """
    # Heavy, and for nothing where everything is kept.
    from lib.metrics.accuracy import resampled_accuracy
    from lib.metrics.bootstrap import ResampledAUROC

    cases = average_cases(table.sort_values("view_id", ignore_index=True), average_by)
    labels, probabilities = target_values(cases)
    patients = cases["patient_id"].to_numpy()
    areas = ResampledAUROC(labels, {"": probabilities}, patients, replicates=replicates)
    accuracy = None
    if task == "multi_class":
        accuracy = resampled_accuracy(labels, probabilities[None], patients, replicates=replicates)[0]
    found = Resamples(
        auroc=areas.mean(""),
        accuracy=accuracy,
        cases=_hash_cases(cases, labels),
        num_images=len(table),
        num_cases=len(cases),
        num_patients=areas.num_patients,
    )
    return found, areas


def resamples_of(
    predictions: Path, *, task: str = "multi_label", average_by: str = "", replicates: int = REPLICATES
) -> Resamples:
    """Return what is kept of a file of predictions; where nothing is, it is computed and kept.

    A folder that cannot be written to is read all the same.

    Args:
        predictions: the Parquet file.
        task: see `resample`.
        average_by: see `resample`.
        replicates: resamples.

    Raises:
        FileNotFoundError: no predictions there.
        ValueError: predictions that cannot be judged; names the file and the fix.
    """
    kept = _read(os.fspath(predictions), task, average_by, replicates)
    if kept is not None:
        return kept
    if not predictions.is_file():
        raise FileNotFoundError(f"{predictions} is missing. Remove its run folder and fine-tune again.")
    made = _describe(predictions)  # before it is read, so that what is written meanwhile is seen later
    try:
        table = pd.read_parquet(io.BytesIO(predictions.read_bytes()))
        check_predictions(table)
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ValueError(
            f"{predictions} cannot be judged: {reason}. Remove its run folder and fine-tune again."
        ) from error
    found, _ = resample(table, task=task, average_by=average_by, replicates=replicates)
    with contextlib.suppress(OSError):
        _write(predictions, found, made, average_by, replicates)
    return found


def keep(predictions: Path, resamples: Resamples, *, average_by: str, replicates: int) -> None:
    """Keep what `resample` said of the table that was just written to a file of predictions."""
    _write(predictions, resamples, _describe(predictions), average_by, replicates)


def _hash_cases(cases: pd.DataFrame, labels: np.ndarray) -> str:
    """Hash what decides which case is in which resample, and what is true of it."""
    about = {name: cases[name].astype(str).tolist() for name in ID_COLUMNS} | {"targets": target_names(cases)}
    digest = hashlib.sha256(json.dumps(about).encode())
    digest.update(np.ascontiguousarray(np.nan_to_num(labels, nan=-1.0)).tobytes())
    return digest.hexdigest()


def _describe(predictions: Path) -> dict[str, str]:
    """Say which version of a file this is, and what is in it."""
    size, modified = _version(predictions)
    return {"bytes": size, "modified": modified, "sha256": _hash_file(predictions)}


def _version(path: Path | str) -> tuple[str, str]:
    found = os.stat(path)
    return str(found.st_size), str(found.st_mtime_ns)


def _hash_file(path: Path | str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _place(predictions: Path | str) -> str:
    return os.path.join(os.path.dirname(predictions), FILE)


def _write(
    predictions: Path, resamples: Resamples, made: dict[str, str], average_by: str, replicates: int
) -> None:
    if replicates != REPLICATES:
        return
    means = {"auroc": resamples.auroc, "accuracy": resamples.accuracy}
    means = {name: mean for name, mean in means.items() if mean is not None}
    about = {
        "version": VERSION,
        "average_by": average_by,
        **made,
        **{name: str(getattr(resamples, name)) for name in ("cases", *NUMBERS)},
        **{name: repr(mean.estimate) for name, mean in means.items()},
    }
    with atomic_path(_place(predictions)) as temporary:
        temporary.write_bytes(save({name: mean.distances for name, mean in means.items()}, metadata=about))


def _read(predictions: str, task: str, average_by: str, replicates: int) -> Resamples | None:
    """Read what is kept, if it is of these predictions and was made in this way.

    A text for their path is faster, which counts in thousands of folders.
    """
    if replicates != REPLICATES:
        return None
    names = ("auroc", "accuracy") if task == "multi_class" else ("auroc",)
    try:
        with safe_open(_place(predictions), "numpy") as file:
            about = file.metadata()
            means = {name: ResampledMean(float(about[name]), file.get_tensor(name)) for name in names}
        if (about["version"], about["average_by"]) != (VERSION, average_by):
            return None
        is_same = (about["bytes"], about["modified"]) == _version(predictions)
        # A copy of the folder has another time but the same contents.
        if not is_same and about["sha256"] != _hash_file(predictions):
            return None
        numbers = {name: int(about[name]) for name in NUMBERS}
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):  # none, cut off, or of another make
        return None
    return Resamples(means["auroc"], means.get("accuracy"), about["cases"], **numbers)
