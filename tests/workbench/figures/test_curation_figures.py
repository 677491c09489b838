"""Counts in the figures are the counts of the tables."""

import numpy as np
import pandas as pd

from workbench.figures.curation import drop_reasons, label_prevalence, report_lengths, split_balance

STUDIES = pd.DataFrame({"patient_id": ["a", "a", "b", "c", "d"]})
SPLITS = {"train": [0, 1, 2], "test": [3, 4]}


def test_studies_and_patients_are_counted_per_split():
    studies, patients = split_balance(STUDIES, SPLITS).data
    assert (list(studies.x), list(studies.y)) == (["train", "test"], [3, 2])
    assert list(patients.y) == [2, 2]


def test_prevalence_leaves_unknown_labels_out():
    labels = np.array([[1, 0], [0, np.nan], [np.nan, 1], [1, np.nan], [1, np.nan]], np.float32)
    train, test = label_prevalence(labels, ["A", "B"], SPLITS).data
    shares = dict(zip(train.y, train.x, strict=True))
    assert shares == {"A": 50.0, "B": 50.0}
    shares = dict(zip(test.y, test.x, strict=True))
    assert shares["A"] == 100.0
    assert np.isnan(shares["B"])


def test_drops_are_sorted_and_totalled():
    figure = drop_reasons({"missing_image": 2, "report_too_short": 40}, kept=1000)
    assert list(figure.data[0].y) == ["missing image", "report too short"]
    assert list(figure.data[0].x) == [2, 40]
    assert figure.layout.title.text == "1,000 studies kept, 42 entries dropped"
    assert "none dropped" in drop_reasons({}, kept=3).layout.title.text


def test_report_lengths_name_the_median():
    figure = report_lengths([4, 10, 30])
    assert any(annotation.text == "median 10" for annotation in figure.layout.annotations)
    assert "no reports" in report_lengths([]).layout.title.text
