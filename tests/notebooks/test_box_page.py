"""The page on boxes runs headless on a tiny fine-tuning, alone and beside another one."""

import json

import pytest

from lib.data.ingest import ingest
from lib.data.readers import open_reader
from tests.workbench.tiny import FINETUNING, PRETRAINING
from workbench.locating import locate
from workbench.notebooks import run_notebook
from workbench.runs import list_runs
from workbench.train import finetune, pretrain
from workbench.widgets.display import PLOTLY


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("box_page")


@pytest.fixture(scope="module")
def overrides(place):
    """Return what makes a fine-tuning take seconds; one stands finished."""
    reader = open_reader("phantom", studies=60, image_size=48)
    ingest(reader, place / "phantom", image_size=48, workers=0, progress=False)
    given = [f"store={place / 'phantom'}", *FINETUNING]
    finetune("finetune/phantom", given, root=place / "runs", progress=False)
    return given


@pytest.fixture
def executed(place, overrides, monkeypatch):
    """Return a function that runs the page and returns the titles of its figures, and its HTML."""
    monkeypatch.setenv("WORKBENCH_RUNS", str(place / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def run(**values) -> tuple[list[str], str]:
        asked = {"overrides": overrides, "replicates": 50, **values}
        copy = run_notebook("09_explore_attention_boxes", asked, output=place / "page.ipynb", timeout=300)
        assert copy.stat().st_size < 2_000_000
        outputs = [one for cell in json.loads(copy.read_text())["cells"] for one in cell.get("outputs", ())]
        assert [one for one in outputs if one.get("name") == "stderr"] == []
        data = [one.get("data", {}) for one in outputs]
        titles = [one[PLOTLY]["layout"]["title"]["text"] for one in data if PLOTLY in one]
        return titles, "".join("".join(one.get("text/html", "")) for one in data)

    return run


def test_one_model_is_judged_and_looked_at(executed, place):
    titles, html = executed(finding="Nodule?")  # nobody knows it: all are shown
    for title, named in zip(
        titles,
        ("Mean IoU", "maximum in a box", "above an IoU", " in ", "Best first", "Worst first"),
        strict=True,
    ):
        assert named in title and "not patients" in title
    assert "wb-localization" in html and "mean of findings" in html
    assert html.count("is no pre-training") == 2  # it began with random weights, so no words were read
    (run,) = list_runs(place / "runs")  # nothing was trained again
    assert f"workbench locate {run.id} --faithful 100</code>" in html
    kept = {path.suffix for path in (run.folder / "localized").iterdir()}
    assert kept == {".parquet", ".json"}


def test_two_models_are_compared(executed, place, overrides):
    run = list_runs(place / "runs")[0]
    other = finetune("finetune/phantom", [*overrides, "seed=1"], root=place / "runs", progress=False)
    locate(run, method="grad_cam", faithful=4, replicates=50, device="cpu")
    asked = {"method": "grad_cam", "threshold": 0.4, "order": "models disagree"}
    titles, html = executed(runs=[run.id, other.id], **asked)
    assert len(titles) == 8 and "models disagree" in titles[-1]
    assert "Is it used?" in titles[3] and "n = 4 cases" in titles[3] and "grad_cam" in titles[3]
    assert f"workbench locate {other.id} --method grad_cam --faithful 100</code>" in html
    assert run.id in titles[4] and other.id in titles[4] and "threshold 0.40" in titles[4]


def test_words_are_followed_in_the_pretraining_that_a_run_began_with(executed, place, overrides):
    given = [f"store={place / 'phantom'}", *PRETRAINING]
    learnt = pretrain("refers/phantom", given, root=place / "runs", progress=False)
    init = [*overrides, f"init={learnt.folder}", f"encoder.preset={learnt.config['objective']['preset']}"]
    run = finetune("finetune/phantom", init, root=place / "runs", progress=False)
    _, html = executed(runs=[run.id], threshold=0.5)
    assert "what the model writes, word by word" in html
    assert learnt.id in html
