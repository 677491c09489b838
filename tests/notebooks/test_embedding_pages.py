"""The page on embeddings runs headless on a tiny store, and says what it measured."""

import json

import pytest
from tiny_convirt import make_convirt

from workbench.notebooks import run_notebook
from workbench.runs import list_runs
from workbench.widgets.display import PLOTLY


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("embedding_pages")


def test_it_runs_and_leaves_what_it_promises(place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RUNS", str(place / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = make_convirt(place, studies=120, steps=4, keep_every=4)
    asked = {
        **{"recipe": made.recipe, "split": "all", "methods": ["pca", "tsne"]},
        **{"seeds": [0, 1], "words": "opacity"},
    }
    copy = run_notebook("08_inspect_embeddings", asked, output=place / "page.ipynb", timeout=300)
    assert copy.stat().st_size < 1_500_000
    cells = json.loads(copy.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    figures = [output["data"][PLOTLY] for output in outputs if PLOTLY in output.get("data", {})]
    titles = [figure["layout"]["title"]["text"] for figure in figures]
    named = ("Maps of the", "most typical", "What sets", "Study ", "Do neighbours", "What a linear layer")
    assert all("not patients" in title for title in titles)
    assert all(part in title for title, part in zip(titles, named, strict=True))
    captions = " ".join(one["text"] for one in figures[3]["layout"]["annotations"]).replace("<br>", " ")
    assert "Eigen-CAM by ConVIRT" in captions
    assert [trace["type"] for trace in figures[0]["data"][:4]] == ["scattergl"] * 4
    pages = "".join("".join(output["data"].get("text/html", "")) for output in outputs if "data" in output)
    assert "wb-map-quality" in pages and "Pictures that a checkpoint was trained on" in pages
    (run,) = list_runs(place / "runs")
    kept = {path.name.split("-", 2)[2] for path in (run.folder / "embedding").glob("*.*")}
    assert {"0-features.npz", "0-features-initial.npz"} <= kept
    assert sum(name.endswith(".parquet") for name in kept) == 4  # two maps of two checkpoints
    assert sum(name.endswith(".json") for name in kept) == 4
