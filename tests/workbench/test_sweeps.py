"""Sweeps: read, run, interrupted, run again; their tables."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import yaml
from tiny_world import make_world

from workbench.method_tables import difference_table, method_table
from workbench.recipe import RECIPES, Recipe
from workbench.results import summary
from workbench.runs import list_runs
from workbench.sweep_command import do_sweep, look_at_sweep
from workbench.sweep_tables import print_sweep, sweep_summary
from workbench.sweeps import cell_table, failures, find_cells, read_sweep, run_sweep, runs_of

pytestmark = pytest.mark.usefixtures("one_thread")

TABLE_1 = "sweeps/table1_phantom"


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Return a small sweep, the world it ran in, and its cells."""
    folder = tmp_path_factory.mktemp("sweep")
    world = make_world(folder)
    changes = ["train.steps=4", "train.validate_every=4", "train.checkpoint_every=4"]
    values = {
        "methods": {
            "random": None,
            "REFERS": {"pretraining": world.pretrain, "pretraining_overrides": changes},
            "REFERS, wide": {
                "pretraining": world.pretrain,
                "pretraining_overrides": [*changes, "objective.encoder.mlp_width=48"],
            },
        },
        "targets": {"tiny": world.finetune},
        "label_ratios": [0.1, 1.0],
        "seeds": [0, 1],
        "overrides": changes[:2],
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    sweep = read_sweep(str(path))
    return sweep, world, path, run_sweep(sweep, workers=2, root=world.root, progress=False)


def test_every_cell_is_run_and_each_pretraining_once(swept):
    sweep, world, _, cells = swept
    assert failures(cells) == []
    places = [(one.method, one.label_ratio, one.seed) for one in cells]
    assert sorted(places) == sorted((m, r, s) for m in sweep.methods for r in (0.1, 1.0) for s in (0, 1))
    tasks = [run.config["task"] for run in list_runs(world.root)]
    assert tasks.count("pretrain") == 2 and tasks.count("finetune") == 12


def test_a_pretrained_encoder_is_fine_tuned_as_it_was_made(swept):
    widths = {one.method: one.outcome.run.config["encoder"]["mlp_width"] for one in swept[3]}
    assert widths == {"random": 32, "REFERS": 32, "REFERS, wide": 48}


def test_a_sweep_is_its_own_resume(swept):
    sweep, world, _, cells = swept
    before = len(list_runs(world.root))
    again = run_sweep(sweep, workers=2, root=world.root, progress=False)
    assert [one.outcome.run.id for one in again] == [one.outcome.run.id for one in cells]
    looked = find_cells(sweep, root=world.root)
    assert [one.outcome.run.id for one in looked] == [one.outcome.run.id for one in cells]
    assert len(list_runs(world.root)) == before


def test_the_tables_say_what_the_predictions_say(swept):
    sweep, _, _, cells = swept
    summarised = sweep_summary(sweep, cells, replicates=50)
    expected = summary(runs_of(cells), replicates=50)
    for row in summarised.itertuples():
        mine = expected[(expected["method"] == row.method) & (expected["label_ratio"] == row.label_ratio)]
        assert row.auroc == mine["auroc"].item()
        rows = cell_table(cells).query("method == @row.method and label_ratio == @row.label_ratio")
        assert np.isclose(row.auroc, rows["auroc"].mean())
    lines = summarised.to_dict("records")
    table = method_table(lines, best="**{}**")
    assert list(table.rows) == list(sweep.methods)  # in the order of the file
    assert table.columns == ("tiny, 10 %", "tiny, 100 %")
    assert all("".join(cells).count("**") == 2 for cells in zip(*table.rows.values(), strict=True))
    assert "random" not in difference_table(lines).rows


def test_a_cell_that_fails_is_listed_and_stops_no_other(swept, tmp_path):
    _, world, path, _ = swept
    values = yaml.safe_load(path.read_text())
    values["seeds"] = [0]
    values["methods"] = {
        "random": {},
        "broken init": {"init": str(tmp_path / "nowhere.safetensors")},
        "broken pretraining": {"pretraining": world.pretrain, "pretraining_overrides": ["train.stepz=1"]},
        "diverges": {"overrides": ["optimizer.learning_rates.image=1e30", "optimizer.clip_norm=null"]},
    }
    other = tmp_path / "broken.yaml"
    other.write_text(yaml.safe_dump(values))
    cells = run_sweep(read_sweep(str(other)), workers=1, root=world.root, progress=False)
    finished = {one.method for one in cells if one.outcome.run}
    assert "random" in finished and not finished & {"broken init", "broken pretraining"}
    listed = "\n".join(failures(cells))
    assert "tiny, broken init, 0.1, seed 0: FileNotFoundError" in listed
    assert "pre-training" in listed and "stepz" in listed


def test_killed_and_run_again_it_gives_the_same_table(swept, tmp_path):
    sweep, world, path, cells = swept
    root = tmp_path / "runs"
    command = [sys.executable, "-m", "workbench", "sweep", str(path), "--workers", "2"]
    environment = {**os.environ, "WORKBENCH_RUNS": str(root), "TQDM_DISABLE": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and sum(run.state == "finished" for run in _runs(root)) < 4:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    number = sum(run.state == "finished" for run in _runs(root))
    assert 4 <= number < 14  # halfway
    again = run_sweep(sweep, workers=2, root=root, progress=False)
    pd.testing.assert_frame_equal(
        cell_table(again).drop(columns="run"), cell_table(cells).drop(columns="run"), check_exact=True
    )


def _runs(root):
    return list_runs(root) if root.is_dir() else []


def test_what_another_process_is_at_is_left_to_it(swept, tmp_path):
    _, world, path, _ = swept
    values = yaml.safe_load(path.read_text())
    values |= {"methods": {"random": {}}, "seeds": [7], "label_ratios": [1.0]}
    one = tmp_path / "one.yaml"
    one.write_text(yaml.safe_dump(values))
    sweep = read_sweep(str(one))
    run = run_sweep(sweep, workers=0, root=world.root, progress=False)[0].outcome.run
    (run.folder / "result.json").unlink()
    with run.recording():
        assert (
            "another process is at it"
            in failures(run_sweep(sweep, workers=0, root=world.root, progress=False))[0]
        )


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "csv"])
def test_tables_are_printed_in_every_format(swept, capsys, form):
    sweep, _, _, cells = swept
    print_sweep(sweep, cells, form)
    printed = capsys.readouterr().out
    assert "REFERS, wide" in printed and "synthetic" in printed
    assert "Difference from random" in printed


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seeds": []}, "seeds is empty"),
        ({"seeds": [1, 1]}, "holds a value twice"),
        ({"method": {}}, "Key 'method' not in 'Sweep'"),
        ({"methods": {"a": {"pretraining": "refers/phantom", "init": "x"}}}, "give one of the two"),
        ({"methods": {"a": {"pretrain": "refers/phantom"}}}, "Key 'pretrain' not in 'Method'"),
        ({"label_ratios": ["all"]}, "label_ratios"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, change, named):
    values = {"methods": {"a": {}}, "targets": {"t": "x"}, "label_ratios": [1.0], "seeds": [0]}
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump({**values, **change}))
    with pytest.raises(ValueError, match=named) as caught:
        read_sweep(str(path))
    assert "wrong.yaml" in str(caught.value)


def test_a_sweep_that_is_not_there_is_an_error():
    with pytest.raises(FileNotFoundError, match="Known: .*sweeps/table1_phantom"):
        read_sweep("sweeps/table_1")


def test_an_unknown_format_is_refused_before_anything_is_trained():
    with pytest.raises(ValueError, match="Unknown format 'docx'"):
        do_sweep(TABLE_1, [], "docx", workers=1)
    with pytest.raises(ValueError, match="Unknown format 'docx'"):
        look_at_sweep(TABLE_1, [], "docx")


def test_an_unknown_executor_is_refused_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RUNS", str(tmp_path))
    monkeypatch.setattr("workbench.sweeps.run_all", lambda *_, **__: pytest.fail("something was trained"))
    with pytest.raises(ValueError, match="Unknown executor 'paper'. Known: direct"):
        do_sweep(TABLE_1, [], "text", workers=1, executor="paper")


def test_a_wrong_override_is_refused_before_anything_is_trained(swept, tmp_path, monkeypatch):
    monkeypatch.setattr("workbench.sweeps.run_all", lambda *_, **__: pytest.fail("something was trained"))
    for act in (run_sweep, find_cells):
        with pytest.raises(ValueError, match="stps"):
            act(swept[0], root=tmp_path, overrides=["train.stps=20"])


def test_the_phantom_table_has_the_rows_of_the_paper():
    sweep = read_sweep(TABLE_1)
    assert list(sweep.methods) == [
        "Random", "Random (ConvNet)", "Context Restoration", "Model Genesis", "TransVW", "C2L",
        "LSP (Transformer)", "LSP (ConvNet)", "REFERS",
    ]  # fmt: skip
    assert sweep.comparator in sweep.methods
    for one in sweep.methods.values():
        assert not one.pretraining or (RECIPES / f"{one.pretraining}.yaml").is_file()


@pytest.mark.parametrize("name", sorted(path.stem for path in (RECIPES / "sweeps").glob("*.yaml")))
def test_every_file_says_what_it_is(name):
    text = (RECIPES / f"sweeps/{name}.yaml").read_text()
    for word in ("# Reproduces:", "# Command:", "# Cost:", "# Expected:"):
        assert word in text
    assert text.isascii()


@pytest.mark.parametrize("name", ["table1_phantom", "table1_openi_small", "refers_table3_phantom"])
def test_every_pretraining_of_a_sweep_is_a_recipe_of_the_same_pictures(name):
    sweep = read_sweep(f"sweeps/{name}")
    stores = set()
    for one in sweep.methods.values():
        if one.pretraining:
            values = Recipe.read(one.pretraining, sweep.pretraining_overrides).values
            stores.add((values["store"], values["train"]["steps"], values["loader"]["batch_size"]))
    assert len(stores) == 1
