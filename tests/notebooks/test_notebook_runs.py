"""Every notebook runs headless with tiny parameters, as the demo runs it, and leaves what it promises."""

import json
import re

import pytest

from tests.workbench.tiny import FINETUNING, PRETRAINING
from workbench.demo import open_runs, plan_demo
from workbench.demo_page import write_demo_page
from workbench.notebooks import NOTEBOOKS, find_notebook, run_notebook
from workbench.parameters import read_parameters
from workbench.runs import list_runs
from workbench.widgets.display import PLOTLY

STUDIES = ["studies=60", "image_size=48"]
TINY = {
    "source_options": STUDIES,
    "target_options": STUDIES,
    "image_size": 48,
    "pretraining_overrides": PRETRAINING,
    "finetuning_overrides": FINETUNING,
    "label_ratios": [0.1, 1.0],
    "seeds": [0],
    "workers": 0,
}
PROMISES = {
    "01_curate_data-source": (5, ["source/store.json", "source/card.md", "source.split-0-*.json"]),
    "01_curate_data-target": (5, ["target/store.json", "target/card.md", "target.split-0-*.json"]),
    "02_pretrain_refers": (2, ["runs/*-refers-*/checkpoints/best.safetensors", "runs/*/reading/*.parquet"]),
    "05_finetune": (2, ["runs/*-finetune-*/predictions.parquet", "runs/*-finetune-*/result.json"]),
    "00_tour": (5, []),
}
"""Name of the executed copy -> least number of figures, files. The tour finds everything made."""

ELSEWHERE = {
    "03_pretrain_convirt",
    "04_pretrain_baselines",
    "06_read_sweep",
    "07_retrieval_zero_shot",
    "08_inspect_embeddings",
    "09_explore_attention_boxes",
    "10_read_ablations",
    "11_published_numbers",
}
"""Pages that the demo has no time for; they run in test_*_pages and test_published_page."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return the folder of all notebooks here; later ones take up what earlier ones made."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture
def asked(place, monkeypatch):
    """Return the tiny parameters of the tour; runs go below the folder."""
    monkeypatch.setenv("WORKBENCH_RUNS", str(place / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    defaults = {one.name: one.default for one in read_parameters(find_notebook("00_tour")).values()}
    stores = {"source_store": str(place / "source"), "target_store": str(place / "target")}
    return {**defaults, **TINY, **stores}


def test_the_demo_runs_every_notebook_that_it_has_time_for(asked):
    steps = plan_demo(asked)
    assert [step.name for step in steps] == list(PROMISES)
    assert {step.notebook for step in steps} | ELSEWHERE == {path.stem for path in NOTEBOOKS.glob("*.ipynb")}


@pytest.mark.parametrize("name", PROMISES)
def test_it_runs_and_leaves_what_it_promises(name, place, asked):
    step = next(step for step in plan_demo(asked) if step.name == name)
    copy = run_notebook(step.notebook, step.parameters, output=place / f"{name}.ipynb", timeout=300)

    cells = json.loads(copy.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    drawn = [output["data"][PLOTLY] for output in outputs if PLOTLY in output.get("data", {})]
    num_figures, files = PROMISES[name]
    assert len(drawn) >= num_figures
    assert "not patients" in json.dumps([figure["layout"]["title"] for figure in drawn])
    # No warning, no progress bar, nothing that a person would have to explain away.
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    assert copy.stat().st_size < 3_000_000
    for pattern in files:
        assert list(place.glob(pattern)), pattern


def test_later_notebooks_took_up_what_earlier_ones_made(place):
    runs = list_runs(place / "runs")
    assert [run.config["task"] for run in runs].count("pretrain") == 1
    # Two methods at two label ratios: the tour's grid is the grid of the page on fine-tuning.
    assert [run.config["task"] for run in runs].count("finetune") == 4
    assert {run.state for run in runs} == {"finished"}


def test_the_page_of_the_demo_needs_nothing_from_anywhere(place, asked):
    table = write_demo_page(place / "index.html", *open_runs(asked), shown_ratio=1.0)
    assert len(table) == 4
    assert len(list_runs(place / "runs")) == 5  # nothing was trained again
    page = (place / "index.html").read_text()
    assert page.count("plotly.js v") == 1
    assert page.count("Plotly.newPlot(") >= 8
    assert "not patients" in page
    assert re.findall(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=[\"']?(?:https?:)?//", page) == []
    assert len(page) < 8_000_000
