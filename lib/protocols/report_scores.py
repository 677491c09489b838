"""What reports are worth against the true ones, with intervals over patients.

Corpus BLEU and micro F1 are functions of counts that are summed over studies, ROUGE-L and CIDEr-D are means
over studies. So a resample of patients is a sum, and every interval is that of the printed number itself.

CIDEr-D weighs words by how few reports of a corpus have them. That corpus is fixed: the true reports of the
whole split, in every resample. Were it resampled too, the score of a study would depend on which others were
drawn with it, twice the same report would make its own words common, and two intervals would be about two
metrics. The interval therefore says how the mean varies over patients, for these word weights.

Labels are read by the rules of `lib.data.report_labels`, which nobody validated, from both reports. F1 is
over the findings: "No Finding" stands by itself, for it is what most reports say and would hide the others.
Macro F1 has no interval: rare findings are missing in part of the resamples, and leaving them out moves the
mean.

Letters: N studies, S sums, R resamples, K findings.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.report_labels import label_reports
from lib.metrics.generation import (
    DocumentFrequencies,
    bleu_counts,
    bleu_of_counts,
    cider_d_per_sample,
    rouge_l_per_sample,
)
from lib.metrics.label_f1 import LabelF1, label_f1
from lib.metrics.mean_interval import resampled_sums

REPLICATES, CONFIDENCE = 2000, 0.95
BLEU = ("bleu_1", "bleu_2", "bleu_3", "bleu_4")
PER_STUDY = (*BLEU, "rouge_l", "cider_d")
"""What each study by itself has; the mean of its BLEU is not corpus BLEU."""
WITH_INTERVAL = (*PER_STUDY, "label_f1_micro")
SCORES = (*WITH_INTERVAL, "label_f1_macro")

FINDINGS = np.array([name != "No Finding" for name in CHEXPERT_LABELS])


@dataclasses.dataclass(frozen=True)
class ReportScores:
    """The scores of N reports.

    Attributes:
        per_study: `PER_STUDY` of each study, float64 `[N, 6]`.
        sums: what the scores follow from when summed over studies, float64 `[N, S]`.
        labels: agreement of the rule-based labels, in the order of `CHEXPERT_LABELS`.
        macro: F1, mean over the findings that a true report has; NaN where none has any.
    """

    per_study: np.ndarray
    sums: np.ndarray
    labels: LabelF1
    macro: float

    def estimates(self) -> dict[str, float]:
        """Return every one of `SCORES`; F1 is NaN where there is no finding to agree on."""
        values = _of_sums(self.sums.sum(axis=0, keepdims=True))[0].tolist()
        return dict(zip(SCORES, [*values, self.macro], strict=True))


def score_reports(
    reports: Sequence[str], references: Sequence[str], frequencies: DocumentFrequencies
) -> ReportScores:
    """Score reports.

    Args:
        reports: one for each study; "" scores 0.
        references: the true reports, each with at least one word.
        frequencies: of the fixed corpus that CIDEr-D weighs words by.
    """
    truths = [[reference] for reference in references]
    bleu = bleu_counts(reports, truths)  # [N, 10]
    means = np.stack(
        [rouge_l_per_sample(reports, truths), cider_d_per_sample(reports, truths, frequencies)], axis=1
    )
    true, found = label_reports(references), label_reports(reports)
    labels = label_f1(true, found)
    positives = (true + found)[:, FINDINGS].sum(axis=1)  # of both sides
    shared = (true * found)[:, FINDINGS].sum(axis=1)
    present = FINDINGS & (labels.num_true > 0)
    return ReportScores(
        per_study=np.column_stack([bleu_of_counts(bleu), means]),
        sums=np.column_stack([bleu, means, positives, shared, np.ones(len(bleu))]),
        labels=labels,
        macro=float(labels.label[present].mean()) if present.any() else np.nan,
    )


def describe_scores(
    scores: ReportScores, patients: Sequence[str], minus: ReportScores | None = None
) -> dict[str, dict[str, float | None]]:
    """Return every score with its interval, or the difference of two on the same resamples.

    Args:
        scores: of the reports.
        patients: of each study; those of one patient are drawn together.
        minus: scores of other reports about the same studies, to subtract.

    Returns:
        One of `SCORES` -> estimate, low, high; None where there is no number.
    """
    estimates = scores.estimates()
    samples = _of_sums(_resample(scores, patients))  # [R, scores with an interval]
    if minus is not None:
        estimates = {name: value - minus.estimates()[name] for name, value in estimates.items()}
        samples = samples - _of_sums(_resample(minus, patients))
    ends = dict(zip(WITH_INTERVAL, map(_interval, samples.T), strict=True))
    described = {}
    for name, value in estimates.items():
        low, high = ends.get(name, (np.nan, np.nan))
        described[name] = {"estimate": _plain(value), "low": _plain(low), "high": _plain(high)}
    return described


def describe_labels(scores: ReportScores) -> dict[str, dict[str, Any]]:
    """Return label -> f1, precision, recall, num_true, num_predicted, by the rules."""
    labels = scores.labels
    return {
        name: {
            "f1": _plain(labels.label[k]),
            "precision": _plain(labels.precision[k]),
            "recall": _plain(labels.recall[k]),
            "num_true": int(labels.num_true[k]),
            "num_predicted": int(labels.num_predicted[k]),
        }
        for k, name in enumerate(CHEXPERT_LABELS)
    }


def _resample(scores: ReportScores, patients: Sequence[str]) -> np.ndarray:
    return resampled_sums(scores.sums, patients, replicates=REPLICATES)


def _of_sums(sums: np.ndarray) -> np.ndarray:
    """Return `WITH_INTERVAL` of rows of sums `[rows, S]`."""
    bleu, means = bleu_of_counts(sums[:, :10]), sums[:, 10:12]
    positives, shared, number = sums[:, 12:].T
    f1 = np.where(positives > 0, 2 * shared / np.maximum(positives, 1), np.nan)
    return np.column_stack([bleu, means / number[:, None], f1])


def _interval(samples: np.ndarray) -> tuple[float, float]:
    """Return percentiles over the resamples that have a number."""
    samples = samples[~np.isnan(samples)]
    if not samples.size:
        return np.nan, np.nan
    low, high = np.quantile(samples, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _plain(value: float) -> float | None:
    """Return a number that JSON has; None for NaN."""
    return None if np.isnan(value) else round(float(value), 6)
