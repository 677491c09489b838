"""What each part of a method is worth: a method without it, minus the whole, on the same test patients."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.metrics.label_efficiency import verdict
from workbench.sweep_reading.resamples import TargetResamples

SAME, OTHER, OPEN = "same", "other", "open"

EFFECT_COLUMNS = (
    "method", "label_ratio", "difference", "low", "high", "verdict", "num_seeds", "num_patients",
)  # fmt: skip
FINDING_COLUMNS = ("method", "finding", "difference", "low", "high", "num_positives")
INTERACTION_COLUMNS = ("label_ratio", "one", "other", "both", "difference", "low", "high", "verdict")


def effects(read: TargetResamples, comparator: str) -> pd.DataFrame:
    """Return the effect of every method at every label ratio at which it and the comparator are finished.

    Columns: method, label_ratio, difference (mean AUROC, method minus comparator), low, high (95 %, paired),
    verdict, num_seeds (of the side that has fewer), num_patients.
    """
    rows = []
    for method, label_ratio in read.seeds:
        if method != comparator and (comparator, label_ratio) in read.seeds:
            found = read.resampled.difference((method, label_ratio), (comparator, label_ratio))
            seeds = (len(read.seeds[name, label_ratio]) for name in (method, comparator))
            said = verdict(found.low, found.high)
            rows.append(
                (
                    method,
                    label_ratio,
                    found.estimate,
                    found.low,
                    found.high,
                    said,
                    min(seeds),
                    found.num_patients,
                )
            )
    return pd.DataFrame(rows, columns=list(EFFECT_COLUMNS))


def finding_effects(read: TargetResamples, comparator: str, label_ratio: float) -> pd.DataFrame:
    """Return the effect of every method on every finding at one label ratio.

    Columns: method, finding, difference, low, high (95 %, paired), num_positives. A finding of which the test
    has one class only has NaN.
    """
    frames = []
    for method in read.methods:
        if method != comparator and {(method, label_ratio), (comparator, label_ratio)} <= read.seeds.keys():
            found = read.resampled.difference((method, label_ratio), (comparator, label_ratio))
            columns = {
                "method": method,
                "finding": read.findings,
                "difference": found.label_estimate,
                "low": found.label_low,
                "high": found.label_high,
                "num_positives": found.num_positives,
            }
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(FINDING_COLUMNS))


def interaction(read: TargetResamples, four: Sequence[str]) -> pd.DataFrame:
    """Return whether two parts are worth more together than the sum of each.

    Args:
        read: of a target.
        four: methods with both parts, with the one alone, with the other alone, with neither.

    Returns:
        One row per label ratio at which all four are finished: one, other, both (each minus neither),
        difference (both minus one minus other), low, high (95 %, on the same resamples), verdict.

    Raises:
        ValueError: not four different methods.
    """
    if len(set(four)) != 4:
        raise ValueError(
            f"An interaction needs four methods (both, one, other, neither); found {list(four)}."
        )
    both, one, other, neither = four
    rows = []
    for label_ratio in read.label_ratios:
        if not {(name, label_ratio) for name in four} <= read.seeds.keys():
            continue
        above = [
            read.resampled.difference((name, label_ratio), (neither, label_ratio)).estimate
            for name in (one, other, both)
        ]
        weights = dict(zip(((name, label_ratio) for name in four), (1, -1, -1, 1), strict=True))
        found = read.resampled.contrast(weights)
        said = verdict(found.low, found.high)
        rows.append((label_ratio, *above, found.estimate, found.low, found.high, said))
    return pd.DataFrame(rows, columns=list(INTERACTION_COLUMNS))


def same_sign(ours: float, low: float, high: float, printed: float) -> str:
    """Say whether an effect of ours goes the way of a printed one: `SAME`, `OTHER`, `OPEN`; "": nobody knows.

    Args:
        ours: NaN where there is none.
        low: lower end of its interval.
        high: upper end; an interval that holds 0 leaves the question open.
        printed: of the paper, which gives no interval; 0 goes no way.
    """
    if np.isnan(printed) or np.isnan(ours) or printed == 0:
        return ""
    if low <= 0 <= high:
        return OPEN
    return SAME if ours * printed > 0 else OTHER
