"""One fine-tuning as an executed page: the same numbers as without, and the page to look at."""

import json
import shutil

import pandas as pd
import pytest
from tiny_sweep import CHANGES, write_sweep

from workbench.finetuning_page import COPY
from workbench.grid import choose_methods
from workbench.runs import list_runs
from workbench.sweeps import failures, read_sweep, run_sweep

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def both(world, tmp_path_factory):
    """Return the cells of one sweep, done directly and by pages."""
    folder = tmp_path_factory.mktemp("pages")
    path = write_sweep(
        folder / "sweep.yaml",
        world,
        methods={
            "random": {},
            "REFERS, alpha = 1": {"pretraining": world.pretrain, "pretraining_overrides": CHANGES},
            "diverges": {"overrides": ["optimizer.learning_rates.image=1e30", "optimizer.clip_norm=0"]},
        },
        label_ratios=[0.1],
        seeds=[1],
        executor="notebook",
    )
    sweep = read_sweep(str(path))
    direct = run_sweep(sweep, root=folder / "direct", workers=2, progress=False, executor="direct")
    # The pre-training is not what is compared.
    for run in list_runs(folder / "direct"):
        if run.config["task"] == "pretrain":
            shutil.copytree(run.folder, folder / "pages" / run.id)
    return direct, run_sweep(sweep, root=folder / "pages", workers=2, progress=False)


def test_the_numbers_are_equal_to_the_last_digit(both):
    direct, pages = both
    for one, other in zip(direct[:2], pages[:2], strict=True):
        assert one.outcome.run.folder.parent != other.outcome.run.folder.parent
        pd.testing.assert_frame_equal(
            one.outcome.run.predictions(), other.outcome.run.predictions(), check_exact=True
        )
        assert one.outcome.run.result()["auroc"] == other.outcome.run.result()["auroc"]
        own, others = (dict(cell.outcome.run.config) for cell in (one, other))
        assert own.pop("init_id") == others.pop("init_id")
        assert {**own, "init": ""} == {**others, "init": ""}


def test_the_executed_page_lies_in_the_folder_of_its_run(both):
    direct, pages = both
    assert not any((cell.outcome.run.folder / COPY).exists() for cell in direct[:2])
    for cell in pages[:2]:
        page = json.loads((cell.outcome.run.folder / COPY).read_text())
        injected = next(
            one for one in page["cells"] if "injected-parameters" in one["metadata"].get("tags", ())
        )
        assert f"methods = [{cell.method!r}]".replace("'", '"') in "".join(injected["source"])
        outputs = json.dumps([one.get("outputs") for one in page["cells"]])
        assert cell.outcome.run.id in outputs
        # It shows this run alone: one cell of the sweep.
        assert all(other.outcome.run.id not in outputs for other in pages[:2] if other is not cell)
        assert '"stderr"' not in outputs


def test_a_page_that_fails_is_listed_and_kept(both):
    _, pages = both
    assert pages[2].outcome.run is None
    (listed,) = failures(pages)
    assert "tiny, diverges, 0.1, seed 1: NotebookError" in listed and "NonFiniteLoss" in listed
    (run,) = (one for one in list_runs(pages[0].outcome.run.folder.parent) if one.state == "failed")
    assert run.config["method"] == "diverges"
    assert "NonFiniteLoss" in (run.folder / COPY).read_text()


def test_methods_are_chosen_by_name_or_by_a_pretraining(world):
    chosen = choose_methods(["a", "b = 1"], ["random", "x=y.safetensors"], "no/such")
    assert chosen == ({"a": "random", "b = 1": "x=y.safetensors"}, [])
    with pytest.raises(ValueError, match="need as many weights"):
        choose_methods(["a", "b"], ["random"], "no/such")
