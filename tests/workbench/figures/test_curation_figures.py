"""Counts in the figures are the counts of the tables."""

import numpy as np

from workbench.figures.curation import label_prevalence, nothing, report_lengths

SPLITS = {"train": [0, 1, 2], "test": [3, 4]}


def test_prevalence_leaves_unknown_labels_out():
    labels = np.array([[1, 0], [0, np.nan], [np.nan, 1], [1, np.nan], [1, np.nan]], np.float32)
    train, test = label_prevalence(labels, ["A", "B"], SPLITS).data
    shares = dict(zip(train.y, train.x, strict=True))
    assert shares == {"A": 50.0, "B": 50.0}
    shares = dict(zip(test.y, test.x, strict=True))
    assert shares["A"] == 100.0
    assert np.isnan(shares["B"])


def test_report_lengths_name_the_median():
    figure = report_lengths([4, 10, 30])
    assert any(annotation.text == "median 10" for annotation in figure.layout.annotations)
    assert "no reports" in report_lengths([]).layout.title.text


def test_where_there_is_nothing_it_is_said():
    assert nothing("No picture", note="phantom").layout.title.text.startswith("No picture<br>")
