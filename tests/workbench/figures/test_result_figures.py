"""AUROC figures show the values and intervals of their tables."""

import numpy as np
import pandas as pd
import pytest

from workbench import theme
from workbench.figures.results import auroc_by_finding, auroc_by_label_ratio

METHODS = ("random", "refers")


@pytest.fixture
def summary():
    rows = [
        {
            "method": method,
            "label_ratio": ratio,
            "auroc": base + step,
            "low": base + step - 0.03,
            "high": base + step + 0.02,
        }
        for method, base in zip(METHODS, (0.6, 0.75), strict=True)
        for ratio, step in ((1.0, 0.1), (0.01, 0.0), (0.1, 0.05))
    ]
    return pd.DataFrame(rows)


def test_each_method_is_one_line_over_the_ratios(summary):
    figure = auroc_by_label_ratio(summary)
    random, refers = figure.data
    assert (random.name, refers.name) == ("random initialisation", "REFERS")
    np.testing.assert_allclose(refers.y, [0.75, 0.8, 0.85])
    np.testing.assert_allclose(refers.error_y.array, 0.02)
    np.testing.assert_allclose(refers.error_y.arrayminus, 0.03)
    assert list(figure.layout.xaxis.ticktext) == ["1 %", "10 %", "100 %"]
    assert figure.layout.xaxis.type == "log"


def test_intervals_of_two_methods_do_not_lie_on_each_other(summary):
    random, refers = auroc_by_label_ratio(summary).data
    assert (np.asarray(random.x) < np.asarray(refers.x)).all()
    # Less than a tenth of the way to the next ratio.
    np.testing.assert_allclose(np.log10(refers.x), np.log10([1, 10, 100]), atol=0.05)


def test_the_comparator_is_always_grey(summary):
    for order in (summary, summary.iloc[::-1]):
        colours = {trace.name: trace.line.color for trace in auroc_by_label_ratio(order).data}
        assert colours == {"random initialisation": theme.BASELINE, "REFERS": theme.COLOURS[0]}


def test_findings_are_joined_dots_in_the_order_of_the_best(summary):
    findings = pd.DataFrame(
        [
            ("random", "Mass", 0.5, 0.4, 0.6),
            ("random", "Edema", 0.7, 0.6, 0.8),
            ("refers", "Mass", 0.95, 0.9, 1.0),
            ("refers", "Edema", 0.9, 0.8, 1.0),
        ],
        columns=["method", "finding", "auroc", "low", "high"],
    )
    figure = auroc_by_finding(findings)
    assert list(figure.layout.yaxis.categoryarray) == ["Edema", "Mass"]
    joined = {trace.y[0]: tuple(trace.x) for trace in figure.data if trace.mode == "lines"}
    assert joined == {"Edema": (0.7, 0.9), "Mass": (0.5, 0.95)}
    refers = next(trace for trace in figure.data if trace.name == "REFERS")
    assert dict(zip(refers.y, refers.x, strict=True)) == {"Edema": 0.9, "Mass": 0.95}


def test_a_finding_without_auroc_is_left_out():
    findings = pd.DataFrame(
        [("refers", "Mass", np.nan, np.nan, np.nan), ("refers", "Edema", 0.8, 0.7, 0.9)],
        columns=["method", "finding", "auroc", "low", "high"],
    )
    refers = next(trace for trace in auroc_by_finding(findings).data if trace.name == "REFERS")
    assert list(refers.y) == ["Edema"]
