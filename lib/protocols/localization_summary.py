"""Judged cases as a table: by finding, over all cases, and over the localised findings, with intervals.

Patients are resampled whole. A difference from a baseline is that of the same cases, so on every resample
both stand on the same patients.

Letters: N cases, K numbers.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from lib.metrics.cluster_ratios import Ratios, cluster_ratios
from lib.protocols.box_truth import BlindBoxes
from lib.protocols.localization import MATCH_IOUS

IOU_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""Of which the share of cases above is told (ChestX-ray8, Table 4)."""

LOCALISED = 0.5
"""A finding is localised where its mean box has a mean IoU below this with the boxes that it was learnt
from: where it is cannot be known without looking at the picture."""

MEANS = (
    "iou",
    "best_iou",
    "iobb",
    "pointing",
    "cnr",
    "map_iou",
    "center_iou",
    "center_pointing",
    "mean_box_iou",
    "mean_box_pointing",
    "reader_iou",
    "num_found",
    "marked_area",
    "seen",
)
"""Columns of judged cases whose mean is told."""

DIFFERENCES = {
    f"{name} - {blind}": (name, f"{blind}_{name}")
    for name in ("iou", "pointing")
    for blind in ("center", "mean_box")
}
"""Of the map and a box that knows nothing of the picture, case by case."""


def localised_findings(blind: BlindBoxes) -> list[str]:
    """Return the findings whose place cannot be known without looking; see `LOCALISED`."""
    return [finding for finding, fit in blind.fit.items() if fit < LOCALISED]


def summarise(
    cases: pd.DataFrame, localised: Collection[str] = (), *, replicates: int = 2000, seed: int = 0
) -> dict[str, Any]:
    """Summarise judged cases.

    Args:
        cases: of `lib.protocols.localization.judge_cases`.
        localised: findings that get means of their own.
        replicates: resamples of patients.
        seed: of the resampling.

    Returns:
        "findings" (finding -> one summary), "all cases", "mean of findings", and where cases have localised
        findings "localised cases" and "mean of localised findings". Each holds num_cases, num_patients, and
        its numbers with estimate, low and high (None where there is none): `MEANS`, `DIFFERENCES`,
        "iou>LEVEL" (share of cases), "precision@IOU" and "recall@IOU" (of boxes).
    """
    names = sorted(cases["finding"].unique())
    ratios = _ratios(cases, names, replicates, seed)
    summary = {
        "findings": {
            name: _read(ratios, row, cases[cases["finding"] == name]) for row, name in enumerate(names)
        },
        "all cases": _read(ratios, -2, cases),
        "mean of findings": _read(ratios, -1, cases),
    }
    some = cases[cases["finding"].isin(list(localised))]
    if len(some):
        ratios = _ratios(some, sorted(some["finding"].unique()), replicates, seed)
        summary["localised cases"] = _read(ratios, -2, some)
        summary["mean of localised findings"] = _read(ratios, -1, some)
    return summary


def _terms(cases: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return what is divided by what, name -> two columns [N]; a case without a value counts nowhere."""
    columns = [*MEANS, "num_marked", *(f"matched@{needed}" for needed in MATCH_IOUS)]
    is_marked = cases["iou"].notna().to_numpy()
    values = {name: np.where(is_marked, cases[name].to_numpy(np.float64), np.nan) for name in columns}
    means = {name: values[name] for name in MEANS}
    means |= {name: values[one] - values[other] for name, (one, other) in DIFFERENCES.items()}
    means |= {f"iou>{level}": np.where(is_marked, values["iou"] > level, np.nan) for level in IOU_LEVELS}
    terms = {name: (np.nan_to_num(one), ~np.isnan(one)) for name, one in means.items()}
    for needed in MATCH_IOUS:
        for name, count in (("precision", "num_found"), ("recall", "num_marked")):
            both = (np.nan_to_num(values[one]) for one in (f"matched@{needed}", count))
            terms[f"{name}@{needed}"] = tuple(both)
    return terms


def _ratios(cases: pd.DataFrame, names: list[str], replicates: int, seed: int) -> tuple[list[str], Ratios]:
    terms = _terms(cases)
    numerators, denominators = (
        np.stack([one[side] for one in terms.values()], axis=1) for side in (0, 1)
    )  # [N, K]
    groups = cases["finding"].map(names.index).to_numpy()
    patients = cases["patient_id"].to_numpy()
    ratios = cluster_ratios(
        numerators,
        denominators,
        groups,
        patients,
        num_groups=len(names),
        replicates=replicates,
        seed=seed,
    )
    return list(terms), ratios


def _read(named: tuple[list[str], Ratios], row: int, cases: pd.DataFrame) -> dict[str, Any]:
    """Return one row of the ratios as plain values."""
    names, ratios = named
    summary: dict[str, Any] = {"num_cases": len(cases), "num_patients": cases["patient_id"].nunique()}
    for column, name in enumerate(names):
        values = (ratios.estimate[row, column], ratios.low[row, column], ratios.high[row, column])
        plain = [None if np.isnan(value) else round(float(value), 6) for value in values]
        summary[name] = dict(zip(("estimate", "low", "high"), plain, strict=True))
    return summary
