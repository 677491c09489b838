"""The pages on ConVIRT run headless on a tiny store: pre-training, and what that is worth."""

import json

import pytest
from tiny_convirt import make_convirt

from workbench.notebooks import run_notebook
from workbench.runs import list_runs
from workbench.widgets.display import PLOTLY


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("convirt_pages")


@pytest.fixture(scope="module")
def made(place):
    return make_convirt(place)


@pytest.fixture
def executed(place, made, monkeypatch):
    """Return a function that runs a page and returns its outputs."""
    monkeypatch.setenv("WORKBENCH_RUNS", str(place / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def run(name: str, **values) -> list[dict]:
        asked = {"recipe": made.recipe, "overrides": [], "prompts": made.prompts, "min_positives": 1}
        asked |= {"num_queries": 2, "num_candidates": 5, **values}
        copy = run_notebook(name, asked, output=place / f"{name}.ipynb", timeout=300)
        assert copy.stat().st_size < 1_000_000
        outputs = [
            output for cell in json.loads(copy.read_text())["cells"] for output in cell.get("outputs", ())
        ]
        assert [output for output in outputs if output.get("name") == "stderr"] == []
        return outputs

    return run


def titles(outputs):
    figures = [output["data"][PLOTLY] for output in outputs if PLOTLY in output.get("data", {})]
    return [figure["layout"]["title"]["text"] for figure in figures]


def pages(outputs):
    return ["".join(output["data"].get("text/html", "")) for output in outputs if "data" in output]


def test_convirt_is_trained_and_judged(executed, place):
    outputs = executed("03_pretrain_convirt")
    drawn = titles(outputs)
    assert len(drawn) == 3 and all("not patients" in title for title in drawn)
    assert "Similarity of 16 texts and 16 pictures" in drawn[1] and "What it is worth" in drawn[2]
    tables = pages(outputs)
    assert sum("wb-pairs" in table for table in tables) == 2
    (variants,) = [table for table in tables if "wb-variants" in table]
    # The run of the page is the first row of the paper's table, and its batches are of 16 anyway.
    assert variants.count("not trained<br>") == 3 * 4 and "paper: 42.9" in variants
    assert "4 of 6 are not trained" in variants
    (run,) = list_runs(place / "runs")
    assert run.state == "finished"
    assert len(list((run.folder / "checkpoints").glob("step-*.safetensors"))) == 3


def test_what_it_is_worth_is_shown_piece_by_piece(executed, place):
    outputs = executed("07_retrieval_zero_shot", sentence="There is an opacity on the left.")
    assert len(list_runs(place / "runs")) == 1  # that of the page before, or else trained here
    drawn = titles(outputs)
    assert len(drawn) == 7 and all("not patients" in title for title in drawn)
    for title, named in zip(
        drawn,
        (
            "Pictures that fit",
            "Pictures like that of study",
            "Image-image retrieval",
            "Text-image retrieval",
            "studies and their reports",
            "Zero-shot classification",
            "Loss of pre-training against end task",
        ),
        strict=True,
    ):
        assert named in title
    tables = pages(outputs)
    assert sum("wb-retrieved" in table for table in tables) == 2
    assert sum("wb-retrieval" in table and "ConVIRT (paper)" in table for table in tables) == 1
    assert any("num_checkpoints" in table for table in tables)
    kept = {path.name for path in list_runs(place / "runs")[0].folder.glob("judged/*.json")}
    steps = {f"source-test-step-{step}.json" for step in (8, 16, 24)}
    assert kept == {"source-test.json", "source-test-initial.json", *steps}
