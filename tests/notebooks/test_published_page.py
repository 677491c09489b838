"""The page on published numbers runs headless, with predictions and without."""

import json

import pytest
from tiny_published import make_table, save_table

from workbench.notebooks import run_notebook
from workbench.widgets.display import PLOTLY


@pytest.fixture
def executed(tmp_path, monkeypatch):
    """Return a function that runs the page and returns its outputs as titles of figures and HTML."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def run(**values) -> tuple[list[str], str]:
        copy = run_notebook("11_published_numbers", values, output=tmp_path / "page.ipynb", timeout=300)
        cells = json.loads(copy.read_text())["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", ())]
        assert [output for output in outputs if output.get("name") == "stderr"] == []
        data = [output.get("data", {}) for output in outputs]
        titles = [one[PLOTLY]["layout"]["title"]["text"] for one in data if PLOTLY in one]
        return titles, "".join("".join(one.get("text/html", "")) for one in data)

    return run


def test_it_rebuilds_the_table_from_any_predictions_of_that_form(executed, tmp_path):
    path = save_table(make_table(), tmp_path)
    titles, html = executed(predictions=str(path), test_lists="", replicates=100, label_ratio=0.1)
    assert len(titles) == 4
    assert "wb-differs" in html and "wb-findings" in html and "<b>all</b>" in html


def test_it_says_without_predictions_how_to_get_them(executed):
    titles, html = executed(predictions="nowhere.parquet")
    assert titles == []
    assert "wb-missing" in html and html.count("wb-printed") == 9  # the one in their place, and all


def test_it_flags_what_the_published_predictions_say_otherwise(executed, shared):
    folder = shared / "published"
    _, html = executed(
        predictions=str(folder / "refers_predictions.parquet"),
        test_lists=str(folder / "splits"),
        replicates=100,
    )
    assert "15 of 53 cells are marked" in html
    for mark in ("differs -1.9", "differs -1.4", "differs -1.5", "differs +2.9"):
        assert mark in html
    assert html.count("<b>not told apart</b>") == 2
