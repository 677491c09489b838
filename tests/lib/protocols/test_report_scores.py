"""Scores of reports: their intervals against a naive bootstrap that scores every resample from its texts."""

import numpy as np
import pytest

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.report_labels import label_reports
from lib.metrics.bootstrap import draw_patients
from lib.metrics.generation import bleu, cider_d, document_frequencies, rouge_l
from lib.metrics.label_f1 import label_f1
from lib.protocols import report_scores
from lib.protocols.report_scores import SCORES, describe_labels, describe_scores, score_reports

SENTENCES = (
    "The lungs are clear.",
    "There is a small left pleural effusion.",
    "Cardiomegaly is present again.",
    "No pneumothorax is seen.",
    "The heart is normal in size.",
)


def draw_reports(seed: int, number: int = 24) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(SENTENCES, 1 + random.integers(3), replace=False)) for _ in range(number)]


@pytest.fixture
def references() -> list[str]:
    return draw_reports(0)


@pytest.fixture
def patients() -> list[str]:
    return [f"p{number // 2 if number < 10 else number}" for number in range(24)]


def naive(reports, references, frequencies) -> dict[str, float]:
    """Score texts without any sums."""
    truths = [[reference] for reference in references]
    true, found = label_reports(references), label_reports(reports)
    keep = [name != "No Finding" for name in CHEXPERT_LABELS]
    f1 = label_f1(true[:, keep], found[:, keep])
    values = [*bleu(reports, truths), rouge_l(reports, truths), cider_d(reports, truths, frequencies)]
    return dict(zip(SCORES, [*values, f1.micro], strict=False))


def resamples(patients, replicates):
    names = np.unique(patients)
    for counts in draw_patients(len(names), replicates, 0):
        for drawn in counts.T.astype(int):
            yield [
                row
                for name, times in zip(names, drawn, strict=True)
                for _ in range(times)
                for row in np.flatnonzero(np.array(patients) == name)
            ]


def test_estimates_and_intervals_are_those_of_resampled_texts(references, patients, monkeypatch):
    monkeypatch.setattr(report_scores, "REPLICATES", 60)
    reports, others = draw_reports(1), draw_reports(2)
    frequencies = document_frequencies([[text] for text in references])
    scores, minus = (score_reports(texts, references, frequencies) for texts in (reports, others))
    found, difference = describe_scores(scores, patients), describe_scores(scores, patients, minus=minus)
    expected, expected_minus = naive(reports, references, frequencies), naive(others, references, frequencies)

    samples, differences = [], []
    for rows in resamples(patients, 60):
        one, other = (
            naive([texts[row] for row in rows], [references[row] for row in rows], frequencies)
            for texts in (reports, others)
        )
        samples.append(list(one.values()))
        differences.append([one[name] - other[name] for name in one])
    tails = [0.025, 0.975]
    for k, name in enumerate(expected):
        assert found[name]["estimate"] == pytest.approx(expected[name], abs=1e-6), name
        low, high = np.quantile(np.array(samples)[:, k], tails)
        assert (found[name]["low"], found[name]["high"]) == pytest.approx((low, high), abs=2e-6), name
        gap = expected[name] - expected_minus[name]
        assert difference[name]["estimate"] == pytest.approx(gap, abs=2e-6), name
        low, high = np.quantile(np.array(differences)[:, k], tails)
        assert (difference[name]["low"], difference[name]["high"]) == pytest.approx((low, high), abs=2e-6)
    assert len(expected) == len(SCORES) - 1  # all but macro F1, which has no interval


def test_the_true_reports_score_full_marks(references, patients):
    scores = score_reports(references, references, document_frequencies([[text] for text in references]))
    found = describe_scores(scores, patients)
    for name in SCORES:
        assert found[name]["estimate"] == pytest.approx(10 if name == "cider_d" else 1, abs=1e-4), name
    assert found["bleu_4"]["low"] == pytest.approx(found["bleu_4"]["high"], abs=1e-4)
    assert found["label_f1_macro"]["low"] is None
    assert np.allclose(scores.per_study, [1, 1, 1, 1, 1, 10], atol=1e-4)


def test_finding_nothing_is_worth_nothing_however_many_reports_are_normal(patients):
    references = ["The lungs are clear."] * 22 + ["Cardiomegaly.", "Left pleural effusion."]
    scores = score_reports(["The lungs are clear."] * 24, references, document_frequencies([references]))
    found = describe_scores(scores, patients)
    assert found["label_f1_micro"]["estimate"] == found["label_f1_macro"]["estimate"] == 0
    labels = describe_labels(scores)
    assert labels["No Finding"]["recall"] == 1 and labels["No Finding"]["num_true"] == 22
    assert labels["Cardiomegaly"] == {
        "f1": 0, "precision": None, "recall": 0, "num_true": 1, "num_predicted": 0,
    }  # fmt: skip


def test_macro_f1_is_over_the_findings_of_the_true_reports():
    # An invented effusion costs precision, not the mean over findings that are there.
    references = ["Cardiomegaly.", "The lungs are clear."]
    scores = score_reports(["Cardiomegaly.", "Pleural effusion."], references, document_frequencies([["a"]]))
    assert scores.macro == 1
    assert describe_scores(scores, ["a", "b"])["label_f1_micro"]["estimate"] == pytest.approx(2 / 3, abs=1e-6)


def test_without_any_finding_there_is_no_f1():
    references = ["The lungs are clear."] * 2
    scores = score_reports(references, references, document_frequencies([["a"]]))
    found = describe_scores(scores, ["a", "b"], minus=scores)
    assert found["label_f1_micro"] == {"estimate": None, "low": None, "high": None}
    assert found["rouge_l"] == {"estimate": 0, "low": 0, "high": 0}
