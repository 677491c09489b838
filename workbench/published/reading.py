"""Published predictions read again: what Table 1 of REFERS says, and what it does not say.

Nothing here is an average of several trainings: the predictions are those of one, the printed table's
of three.
"""

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.metrics.bootstrap import ResampledAUROC
from lib.metrics.classification import auroc
from lib.metrics.delong import delong_test
from lib.metrics.holm import holm
from lib.metrics.label_efficiency import enough_labels, label_efficiency, verdict
from workbench.published.predictions import Predictions, TargetPredictions, read_predictions
from workbench.published.printed import PrintedTable, printed_table
from workbench.published.test_lists import nih_patients
from workbench.runs import PROJECT

TOLERANCE = 0.5
"""Points of AUROC up to which a printed mean of three trainings and one of them count as alike. The published
predictions either agree with the table within 0.3, or are 0.52 and more away from it."""
LEVEL = 0.05
FEW_POSITIVES = 40
"""Positives below which percentile intervals are clearly too narrow (docs/statistics.md)."""


class PublishedReading:
    """Predictions of several methods on several test sets, and everything that is computed from them.

    Args:
        predictions: target -> what was predicted on it.
        patients: target -> patient of each image; elsewhere each image is taken for a patient.
        method: that the others are compared with.
        replicates: resamples of the bootstrap.
        tolerance: points of AUROC between printed and rebuilt that are not marked.
        printed: table that the predictions belong to.
    """

    def __init__(
        self,
        predictions: Predictions,
        patients: Mapping[str, np.ndarray] | None = None,
        *,
        method: str = "refers",
        replicates: int = 2000,
        tolerance: float = TOLERANCE,
        printed: PrintedTable | None = None,
    ):
        self.patients = dict(patients or {})
        self.method = method
        self.replicates = replicates
        self.tolerance = tolerance
        self.printed = printed_table("refers_table_1") if printed is None else printed
        order = [column["target"] for column in self.printed.columns]
        self.predictions = dict(sorted(predictions.items(), key=lambda item: _place(item[0], order)))

    @functools.cached_property
    def rebuilt(self) -> pd.DataFrame:
        """One row a target, label ratio and method, printed or predicted.

        Columns: target, label_ratio, method, printed (per cent), auroc, low, high (shares; NaN where there
        are no predictions), gap (points, rebuilt minus printed), differs, num_findings, num_one_class
        (findings without positives or negatives, left out), num_images, num_patients, clustered (whether
        patients are known).
        """
        rows = []
        for place, column in enumerate(self.printed.columns):
            target, label_ratio = column["target"], column["label_ratio"]
            here = self.methods(target, label_ratio)
            extra = [name for name in here if name not in self.printed.methods]
            for method in [*self.printed.methods, *extra]:
                row = {"target": target, "label_ratio": label_ratio, "method": method}
                row["printed"] = np.nan if method in extra else self._printed_value(method, place)
                if method in here:
                    row |= self._row(target, self.predictions[target], (method, label_ratio))
                rows.append(row)
        table = pd.DataFrame(rows).reindex(columns=_REBUILT)
        table["gap"] = 100 * table["auroc"] - table["printed"]
        table["differs"] = table["gap"].abs() > self.tolerance
        return table

    @functools.cached_property
    def differences(self) -> pd.DataFrame:
        """The method against each other one, on the same resamples; one row a target, ratio and other method.

        Columns: target, label_ratio, other, difference, low, high, standard_error, verdict, num_patients,
        p_paper (NaN where the paper tests against another method), num_findings, num_better and num_worse
        (findings by DeLong's test after Holm's correction), p_delong (of the only finding; NaN with several).
        """
        findings = self.by_finding.groupby(["target", "label_ratio", "other"], sort=False)
        rows = []
        for (target, label_ratio, other), of_finding in findings:
            found = self._resampled(target).difference((self.method, label_ratio), (other, label_ratio))
            significant = of_finding["p_holm"] < LEVEL
            rows.append(
                {
                    "target": target,
                    "label_ratio": label_ratio,
                    "other": other,
                    "difference": found.estimate,
                    "low": found.low,
                    "high": found.high,
                    "standard_error": found.standard_error,
                    "verdict": verdict(found.low, found.high),
                    "num_patients": found.num_patients,
                    "p_paper": self._printed_p(target, label_ratio, other),
                    "num_findings": len(of_finding),
                    "num_better": int((significant & (of_finding["difference"] > 0)).sum()),
                    "num_worse": int((significant & (of_finding["difference"] < 0)).sum()),
                    "p_delong": of_finding["p"].iloc[0] if len(of_finding) == 1 else np.nan,
                }
            )
        return pd.DataFrame(rows, columns=list(_DIFFERENCES))

    @functools.cached_property
    def by_finding(self) -> pd.DataFrame:
        """The method against each other one, finding by finding.

        Columns: target, label_ratio, other, finding, auroc, other_auroc, difference, low, high (bootstrap), p
        (DeLong, which takes images as independent), p_holm (over the findings of one comparison),
        num_positives, num_dropped (resamples without a positive or a negative). P-values are NaN for a
        finding with fewer than two of either.
        """
        rows = []
        for target, one in self.predictions.items():
            for label_ratio in one.label_ratios:
                here = self.methods(target, label_ratio)
                others = [name for name in here if name != self.method]
                for other in others if self.method in here else []:
                    rows.append(self._by_finding(target, one, other, label_ratio))
        return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(_BY_FINDING))

    @functools.cached_property
    def efficiency(self) -> pd.DataFrame:
        """The method at each label ratio against the others with all labels.

        Columns: target, other, label_ratio (of the method), difference, low, high, verdict, enough (whether
        this is the smallest ratio from which on the method is not worse).
        """
        rows = []
        for target, one in self.predictions.items():
            ratios = {ratio: (self.method, ratio) for name, ratio in one.scores if name == self.method}
            whole = max(one.label_ratios)
            if len(ratios) < 2:
                continue
            for other in self.methods(target, whole):
                if other == self.method:
                    continue
                steps = label_efficiency(self._resampled(target), ratios, (other, whole))
                enough = enough_labels(steps)
                for step in steps:
                    row = {"target": target, "other": other, "label_ratio": step.label_ratio}
                    row |= {"difference": step.difference.estimate, "low": step.difference.low}
                    row |= {"high": step.difference.high, "verdict": step.verdict}
                    rows.append(row | {"enough": step.label_ratio == enough})
        return pd.DataFrame(rows, columns=list(_EFFICIENCY))

    def scores(self, target: str, label_ratio: float, method: str) -> tuple[np.ndarray, np.ndarray]:
        """Return labels and scores of one prediction `[N, K]` each.

        Raises:
            ValueError: there is none; the message lists those there are.
        """
        one = self.predictions.get(target)
        if one is None:
            raise ValueError(f"No predictions on {target!r}; there are {', '.join(self.predictions)}.")
        if (method, label_ratio) not in one.scores:
            known = ", ".join(f"{name} at {ratio:g}" for name, ratio in one.scores)
            raise ValueError(
                f"No predictions of {method!r} at {label_ratio:g} on {target}; there are {known}."
            )
        return one.labels, one.scores[method, label_ratio]

    def methods(self, target: str, label_ratio: float) -> list[str]:
        """Return the methods with predictions, in the order of the printed table."""
        here = self.predictions[target].methods(label_ratio) if target in self.predictions else []
        return sorted(here, key=lambda name: _place(name, self.printed.methods))

    def _row(self, target: str, one: TargetPredictions, key: tuple[str, float]) -> dict[str, object]:
        found = self._resampled(target).interval(key)
        return {
            "auroc": found.estimate,
            "low": found.low,
            "high": found.high,
            "num_findings": len(one.findings),
            "num_one_class": int(np.isnan(found.label_estimate).sum()),
            "num_images": len(one.labels),
            "num_patients": found.num_patients,
            "clustered": target in self.patients,
        }

    def _by_finding(
        self, target: str, one: TargetPredictions, other: str, label_ratio: float
    ) -> pd.DataFrame:
        a, b = one.scores[self.method, label_ratio], one.scores[other, label_ratio]
        found = self._resampled(target).difference((self.method, label_ratio), (other, label_ratio))
        p_values = [_delong_p(*columns) for columns in zip(one.labels.T, a.T, b.T, strict=True)]
        return pd.DataFrame(
            {
                "target": target,
                "label_ratio": label_ratio,
                "other": other,
                "finding": one.findings,
                "auroc": auroc(one.labels.T, a.T),
                "other_auroc": auroc(one.labels.T, b.T),
                "difference": found.label_estimate,
                "low": found.label_low,
                "high": found.label_high,
                "p": p_values,
                "p_holm": holm(p_values),
                "num_positives": found.num_positives,
                "num_dropped": found.num_dropped,
            }
        )

    @functools.cached_property
    def _resamples(self) -> dict[str, ResampledAUROC]:
        return {}

    def _resampled(self, target: str) -> ResampledAUROC:
        """Return the resamples of a target: all methods and label ratios on the same ones."""
        if target not in self._resamples:
            one = self.predictions[target]
            patients = self.patients.get(target, np.arange(len(one.labels)))
            self._resamples[target] = ResampledAUROC(
                one.labels, one.scores, patients, replicates=self.replicates
            )
        return self._resamples[target]

    def _printed_value(self, method: str, place: int) -> float:
        return float(self.printed.values[list(self.printed.methods).index(method), place])

    def _printed_p(self, target: str, label_ratio: float, other: str) -> float:
        """Return the paper's p-value where this is the comparison that it belongs to: with the best other."""
        place = self.printed.column(target=target, label_ratio=label_ratio)
        if place is None or not self.printed.p_values or self.method not in self.printed.methods:
            return np.nan
        values = dict(zip(self.printed.methods, self.printed.values[:, place], strict=True))
        del values[self.method]
        return float(self.printed.p_values[place]) if other == max(values, key=values.get) else np.nan


def open_reading(predictions: str, test_lists: str = "", **settings) -> PublishedReading | None:
    """Read published predictions, where there are any.

    Args:
        predictions: Parquet file, relative to the project or absolute; "" is none.
        test_lists: folder of the published lists; with `nih/test.txt` NIH's images are resampled by patient.
        settings: of `PublishedReading`.

    Returns:
        None where there is no such file.

    Raises:
        ValueError: what lies there is no table of predictions; see `read_predictions`.
    """
    path = PROJECT / predictions
    if not predictions or not path.is_file():
        return None
    found = read_predictions(path)
    patients = nih_patients(PROJECT / test_lists, found["nih"]) if test_lists and "nih" in found else None
    return PublishedReading(found, {} if patients is None else {"nih": patients}, **settings)


def _place(name: str, order: Sequence[str]) -> int:
    """Return where a name stands, what has no place last."""
    return list(order).index(name) if name in order else len(order)


def _delong_p(labels: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    if min((labels == 1).sum(), (labels == 0).sum()) < 2:
        return np.nan
    return delong_test(labels, a, b).p_value


_REBUILT = (
    "target", "label_ratio", "method", "printed", "auroc", "low", "high", "gap", "differs", "num_findings",
    "num_one_class", "num_images", "num_patients", "clustered",
)  # fmt: skip
_DIFFERENCES = (
    "target", "label_ratio", "other", "difference", "low", "high", "standard_error", "verdict",
    "num_patients", "p_paper", "num_findings", "num_better", "num_worse", "p_delong",
)  # fmt: skip
_BY_FINDING = (
    "target", "label_ratio", "other", "finding", "auroc", "other_auroc", "difference", "low", "high", "p",
    "p_holm", "num_positives", "num_dropped",
)  # fmt: skip
_EFFICIENCY = ("target", "other", "label_ratio", "difference", "low", "high", "verdict", "enough")
