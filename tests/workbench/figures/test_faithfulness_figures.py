"""Deletion and insertion curves as figures: what is drawn is what was measured."""

import pytest

from workbench.figures.faithfulness import faithfulness_figures

SHARES = [0.0, 0.5, 1.0]


def curve(*values):
    return {
        "estimate": list(values),
        "low": [one - 0.1 for one in values],
        "high": [one + 0.2 for one in values],
    }


def number(value):
    return {"estimate": value, "low": value - 0.01, "high": value + 0.01}


@pytest.fixture
def kept():
    return {
        "run": "20260101-run-0000",
        "store": "phantom",
        "synthetic": True,
        "split": "test",
        "leak": "",
        "findings": ["Mass"],
        "method": "relevance",
        "num_cases": 1234,
        "num_patients": 56,
        "shares": SHARES,
        "deletion": number(0.3),
        "shuffled_deletion": number(0.4),
        "deletion - shuffled": number(-0.1),
        "insertion": number(0.5),
        "shuffled_insertion": number(0.45),
        "insertion - shuffled": number(0.05),
        "curves": {
            "deletion": curve(0.8, 0.2, 0.1),
            "insertion": curve(0.1, 0.7, 0.8),
            "shuffled_deletion": curve(0.8, 0.5, 0.1),
            "shuffled_insertion": curve(0.1, 0.4, 0.8),
        },
    }


def test_both_curves_stand_beside_those_of_the_shuffled_map(kept):
    (figure,) = faithfulness_figures({"A <b>": kept})
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    drawn = [list(line.y) for line in lines]
    assert drawn == [[0.8, 0.2, 0.1], [0.8, 0.5, 0.1], [0.1, 0.7, 0.8], [0.1, 0.4, 0.8]]
    assert all(list(line.x) == [0, 50, 100] for line in lines)
    assert [line.line.dash for line in lines] == ["solid", "dash"] * 2
    band = figure.data[0]
    assert list(band.y) == pytest.approx([1.0, 0.4, 0.3, 0.0, 0.1, 0.7]) and band.fill == "toself"
    title = figure.layout.title.text
    for part in ("A &lt;b&gt;", "not patients", "test split", "Mass", "n = 1,234 cases of 56 patients"):
        assert part in title
    assert "relevance" in title and "20260101-run-0000" in title
    assert "-0.100 [-0.110, -0.090]" in figure.layout.xaxis.title.text
    assert "+0.050 [+0.040, +0.060]" in figure.layout.xaxis2.title.text


def test_what_is_missing_is_a_sentence_with_a_command():
    (said,) = faithfulness_figures({"A <b>": "Not measured yet. Run `workbench locate <r> --faithful 100`."})
    assert ">workbench locate &lt;r&gt; --faithful 100</code>" in said and "A &lt;b&gt;" in said
