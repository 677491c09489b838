"""Counts over reports: of a few by hand, of the real ones as their description says."""

import numpy as np

from lib.data.report_statistics import report_statistics
from lib.data.reports import count_tokens, report_text


def test_a_few_reports_counted_by_hand():
    found = report_statistics(
        [
            ("Heart size is normal. Lungs are clear.", "No acute disease."),
            ("heart  size is normal. Lungs are\nclear.", "No acute disease."),  # the same words
            ("", "XXXX opacity on the left."),
            ("There is a ___ catheter.", ""),
            (" ", "\n"),
        ]
    )
    assert (found.studies, found.no_findings, found.no_impression, found.no_text) == (5, 2, 2, 1)
    assert (found.removed, found.repeated, found.distinct) == (2, 2, 3)
    counts = [10, 10, 4, 4]
    np.testing.assert_allclose(found.tokens, np.quantile(counts, (0.05, 0.5, 0.95)))
    np.testing.assert_allclose(found.sentences, np.quantile([3, 3, 1, 1], (0.05, 0.5, 0.95)))


def test_no_reports_at_all():
    found = report_statistics([("", ""), ("", "")])
    assert found.no_text == 2 and found.distinct == 0 and found.tokens == (0.0, 0.0, 0.0)


def test_the_real_reports_are_as_their_description_says(shared):
    from lib.data.readers import read

    sections = [(study.findings, study.impression) for study in read("openi", shared / "data/openi-iu")]
    found = report_statistics(sections)
    assert (found.studies, found.no_findings, found.no_impression, found.no_text) == (2914, 380, 22, 17)
    assert found.removed == 1364
    medians = np.median([count_tokens(report_text(*pair)) for pair in sections if report_text(*pair)])
    assert found.tokens[1] == medians
