"""The pages on sweeps and ablations run headless on a tiny sweep, one method of which is missing."""

import json

import pytest

from tests.tiny_read_sweep import make_sweep
from workbench.notebooks import run_notebook
from workbench.runs import list_runs
from workbench.widgets.display import PLOTLY


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return make_sweep(tmp_path_factory.mktemp("sweep"), seeds=[0])


@pytest.fixture
def executed(sweep, tmp_path, monkeypatch):
    """Return a function that runs a page and returns the titles of its figures, and its HTML."""
    monkeypatch.setenv("WORKBENCH_RUNS", str(sweep.world.root))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def run(name: str, **values) -> tuple[list[str], str]:
        asked = {"sweep": sweep.file, "replicates": 50, **values}
        before = len(list_runs(sweep.world.root))
        copy = run_notebook(name, asked, output=tmp_path / f"{name}.ipynb", timeout=300)
        assert len(list_runs(sweep.world.root)) == before  # nothing was trained
        assert copy.stat().st_size < 1_000_000
        outputs = [one for cell in json.loads(copy.read_text())["cells"] for one in cell.get("outputs", ())]
        assert [one for one in outputs if one.get("name") == "stderr"] == []
        data = [one.get("data", {}) for one in outputs]
        titles = [one[PLOTLY]["layout"]["title"]["text"] for one in data if PLOTLY in one]
        return titles, "".join("".join(one.get("text/html", "")) for one in data)

    return run


def test_a_sweep_is_read(executed):
    titles, html = executed("06_read_sweep", methods=["REFERS", "Random"])
    for title, named in zip(
        titles,
        (
            "8 of 10 fine-tunings finished",
            "AUROC against label ratio",
            "Losses of",
            "most wrong about",
            "AUROC of each finding",
        ),
        strict=True,
    ):
        assert named in title
    assert all("not patients" in title for title in titles)
    for part in ("wb-problems", "wb-sweep-table", "wb-run", "wb-efficiency", "wb-label-steps"):
        assert f'class="{part}"' in html
    assert "stepz" in html and "workbench sweep" in html


def test_an_ablation_is_read(executed):
    titles, html = executed("10_read_ablations", method="generation only")
    for title, named in zip(
        titles,
        (
            "8 of 10 fine-tunings finished",
            "minus REFERS",
            "minus REFERS",
            "generation only minus REFERS",
            "Losses of the pre-trainings",
            "Losses of the fine-tunings",
        ),
        strict=True,
    ):
        assert named in title
    assert all("not patients" in title for title in titles)
    for part in ("wb-problems", "wb-effects", "wb-interaction"):
        assert f'class="{part}"' in html
    assert html.count("of the labels</td>") == 2  # the interaction at two label ratios
