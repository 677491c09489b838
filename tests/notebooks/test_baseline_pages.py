"""The page on baselines runs headless on a tiny store, for one that restores and one that compares crops."""

import json

import pytest
from tiny_baselines import make_store, write_recipe

from workbench.notebooks import run_notebook
from workbench.runs import list_runs
from workbench.widgets.display import PLOTLY

TITLES = {
    "model_genesis": ["Each distortion by itself", "As the training draws them", "", "What is restored"],
    "moco_v2": [
        *("Crops that belong together", "", "Similarity of the crops of 8 pictures"),
        *("Positives against negatives", "Negatives in the queue, by their age"),
    ],
}
"""Objective -> how the titles of the figures begin; "" is the training."""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("baseline_pages"))


@pytest.mark.parametrize("name", TITLES)
def test_a_baseline_is_shown_trained_and_shown_again(name, store, monkeypatch):
    runs = store.parent / f"runs_{name}"
    monkeypatch.setenv("WORKBENCH_RUNS", str(runs))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    asked = {"recipe": write_recipe(name, store), "overrides": [], "num_pictures": 2}
    copy = run_notebook("04_pretrain_baselines", asked, output=store.parent / f"{name}.ipynb", timeout=300)
    assert copy.stat().st_size < 1_500_000
    outputs = [output for cell in json.loads(copy.read_text())["cells"] for output in cell.get("outputs", ())]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    figures = [output["data"][PLOTLY] for output in outputs if PLOTLY in output.get("data", {})]
    titles = [figure["layout"]["title"]["text"] for figure in figures]
    assert all("not patients" in title for title in titles)
    for title, expected in zip(titles, TITLES[name], strict=True):
        assert title.startswith(expected)
    (run,) = list_runs(runs)
    assert run.state == "finished" and (run.folder / "checkpoints" / "best.safetensors").is_file()
    text = json.dumps(outputs)
    assert "wb-asked" in text and "pictures seen" in text
    assert f"{run.id}/checkpoints/best.safetensors</code>" in text
    assert "-p pretraining" in text
