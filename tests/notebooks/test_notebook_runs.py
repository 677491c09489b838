"""Every notebook runs headless with tiny parameters and leaves what it promises."""

import json

import pytest

from tests.workbench.tiny import FINETUNING, PRETRAINING
from workbench.notebooks import NOTEBOOKS, run_notebook
from workbench.runs import list_runs
from workbench.widgets.display import PLOTLY

pytestmark = pytest.mark.xdist_group("notebooks")
PHANTOM = ["studies=60", "image_size=48"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return the folder of all notebooks here; later ones take up what earlier ones made."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture
def parameters(place):
    """Return the tiny parameters of each notebook."""
    source, target = str(place / "source"), str(place / "target")
    finetune = [f"store={target}", *FINETUNING]
    grid = {"label_ratios": [0.1, 1.0], "seeds": [0], "workers": 0}
    stores = {
        "source_store": source,
        "source_options": PHANTOM,
        "target_store": target,
        "target_options": PHANTOM,
        "image_size": 48,
    }
    tour = {"pretraining_overrides": PRETRAINING, "finetuning_overrides": FINETUNING, **stores, **grid}
    pretraining = [f"store={source}", *PRETRAINING]
    return {
        "01_curate_data": {"options": PHANTOM, "store_path": source, "image_size": 48},
        "02_pretrain_refers": {"overrides": pretraining, "num_reports": 2},
        "00_tour": tour,
        "05_finetune": {
            "pretraining_overrides": pretraining,
            "overrides": finetune,
            "shown_ratio": 1.0,
            **grid,
        },
    }


ORDER = ["01_curate_data", "02_pretrain_refers", "00_tour", "05_finetune"]
FIGURES = {"01_curate_data": 6, "02_pretrain_refers": 2, "00_tour": 5, "05_finetune": 2}


def test_every_notebook_is_run():
    assert set(ORDER) == {path.stem for path in NOTEBOOKS.glob("*.ipynb")}


@pytest.mark.parametrize("name", ORDER)
def test_it_runs_and_leaves_what_it_promises(name, place, parameters, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RUNS", str(place / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    copy = run_notebook(name, parameters[name], output=place / f"{name}.ipynb", timeout=300)

    cells = json.loads(copy.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    drawn = [output["data"][PLOTLY] for output in outputs if PLOTLY in output.get("data", {})]
    assert len(drawn) >= FIGURES[name]
    assert all(figure["data"] for figure in drawn)
    assert "synthetic" in json.dumps([figure["layout"]["title"] for figure in drawn])
    # No warning, no progress bar, nothing that a person would have to explain away.
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    assert copy.stat().st_size < 3_000_000

    promised = {
        "01_curate_data": ["source/store.json", "source/card.md", "source.split-0-*.json"],
        "02_pretrain_refers": [
            "runs/*-refers-phantom-*/checkpoints/best.safetensors",
            "runs/*/reading/*.parquet",
        ],
        "00_tour": ["target/store.json", "runs/*-finetune-phantom-*/predictions.parquet"],
        "05_finetune": ["runs/*-finetune-phantom-*/result.json"],
    }
    for pattern in promised[name]:
        assert list(place.glob(pattern)), pattern


def test_later_notebooks_took_up_what_earlier_ones_made(place):
    runs = list_runs(place / "runs")
    assert [run.config["task"] for run in runs].count("pretrain") == 1
    # Two methods at two label ratios: the tour's grid is the fine-tune page's grid.
    assert [run.config["task"] for run in runs].count("finetune") == 4
    assert {run.state for run in runs} == {"finished"}
