import inspect
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from lib.data.splits import make_manifest
from workbench.grid import NUM_DRAWS
from workbench.reopen import load_objective, load_tokenizers, open_data
from workbench.runs import Run, list_runs
from workbench.train import finetune, finetune_grid, main, pretrain, train

PROJECT = Path(__file__).resolve().parents[2]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def pretrained(world):
    return pretrain(world.pretrain, root=world.root, progress=False)


@pytest.fixture(scope="module")
def grid(world, pretrained):
    methods = {"random": "random", "REFERS: tiny": pretrained}
    return finetune_grid(world.finetune, methods, [0.1], [0, 1], root=world.root, workers=2, progress=False)


def test_a_pretraining_leaves_its_evidence(world, pretrained):
    assert pretrained.state == "finished" and pretrained.folder.parent == world.root
    assert {
        "config.yaml", "config.json", "env.json", "status.json", "audit.json", "metrics.jsonl",
        "tokenizer.json", "result.json", "checkpoints/best.safetensors", "checkpoints/last.pt",
    } == set(pretrained.files()["file"])  # fmt: skip
    store, manifest = open_data(pretrained)
    assert pretrained.config["store_id"] == store.id and pretrained.config["manifest_id"] == manifest.id
    assert pretrained.config["objective"]["temperature"] == 0.1  # defaults are written out
    assert pretrained.config["synthetic"] is True
    assert json.loads((pretrained.folder / "env.json").read_text())["precision"] in ("bf16", "none")
    metrics = pretrained.metrics()
    validation = metrics[metrics["kind"] == "validation"]
    assert validation["step"].tolist() == [10, 20, 30, 40]
    assert {"loss/language", "loss/contrastive", "lr/image", "lr/text"} <= set(metrics)
    assert validation["loss"].iloc[-1] < validation["loss"].iloc[0]
    result = pretrained.result()
    assert result["best_validation"] == validation["loss"].min()
    assert result["num_train_studies"] == len(manifest.rows("train"))


def test_the_objective_of_a_run_can_be_opened_again(pretrained):
    objective = load_objective(pretrained)
    saved = load_file(pretrained.folder / "checkpoints" / "best.safetensors")
    assert all(torch.equal(tensor, saved[name]) for name, tensor in objective.state_dict().items())
    assert not objective.training
    tokenizers = load_tokenizers(pretrained)
    assert tokenizers["text"] is tokenizers["report"]  # no folder: one vocabulary for both
    sizes = {name: len(tokenizer) for name, tokenizer in tokenizers.items()}
    assert sizes == pretrained.result()["vocabularies"]


def test_a_finished_run_is_reused_and_another_config_is_another_run(world, pretrained):
    before = (pretrained.folder / "metrics.jsonl").stat()
    assert train(world.pretrain, root=world.root, progress=False).id == pretrained.id
    assert (pretrained.folder / "metrics.jsonl").stat().st_mtime_ns == before.st_mtime_ns
    other = train(world.pretrain, ["train.steps=5"], root=world.root, progress=False)
    assert other.id != pretrained.id and other.result()["steps"] == 5


def test_a_killed_pretraining_goes_on_in_its_folder_and_ends_bit_equal(world, pretrained, tmp_path):
    script = (
        "import sys, workbench.results, workbench.train\n"
        "print({'plotly', 'ipywidgets', 'papermill', 'IPython', 'duckdb'} & set(sys.modules), flush=True)\n"
        "workbench.train.main(sys.argv[1:])"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*sys.path, str(PROJECT)]),
        "OMP_NUM_THREADS": "1",
        "WORKBENCH_RUNS": str(tmp_path),
        "TQDM_DISABLE": "1",
    }
    command = [sys.executable, "-c", script, world.pretrain]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        # Training must start where there is no Jupyter.
        assert process.stdout.readline() == "set()\n"
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("*/checkpoints/last.pt")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.002)
        (live,) = list_runs(tmp_path)
        assert live.state == "running"
    finally:
        process.send_signal(signal.SIGKILL)
        _, bar = process.communicate()
    assert bar == ""  # TQDM_DISABLE
    (killed,) = list_runs(tmp_path)
    assert killed.state == "killed"
    assert killed.metrics()["step"].max() < 40
    resumed = train(world.pretrain, root=tmp_path, progress=False)
    assert resumed.id == killed.id and resumed.state == "finished"
    clock = ["time", "images_per_second", "data_wait_share"]
    pd.testing.assert_frame_equal(
        resumed.metrics().drop(columns=clock), pretrained.metrics().drop(columns=clock), check_exact=True
    )
    weights = [
        (run.folder / "checkpoints" / "best.safetensors").read_bytes() for run in (resumed, pretrained)
    ]
    assert weights[0] == weights[1]


def test_a_grid_has_every_combination_once_and_is_its_own_resume(world, pretrained, grid):
    assert all(run.state == "finished" for run in grid)
    found = [
        (run.config["seed"], run.config["finetune"]["label_ratio"], run.config["method"]) for run in grid
    ]
    expected = [(s, r, m) for s in (0, 1) for r in (0.1,) for m in ("random", "REFERS: tiny")]
    assert found == expected
    for run in grid:
        assert run.config["finetune"]["draw"] == run.config["seed"]
        assert (run.config["init_id"] == "random") == (run.config["method"] == "random")
    # The draw decides which studies are labelled, for all methods alike.
    assert grid[0].result()["num_train_studies"] == grid[1].result()["num_train_studies"]
    methods = {"random": "random", "REFERS: tiny": pretrained.folder}
    again = finetune_grid(world.finetune, methods, [0.1], [0, 1], root=world.root, workers=0, progress=False)
    assert [run.id for run in again] == [run.id for run in grid]


def test_a_grid_knows_how_many_draws_a_manifest_holds():
    assert inspect.signature(make_manifest).parameters["draws"].default == NUM_DRAWS


def test_failures_of_a_grid_are_listed_at_its_end(world, pretrained, grid):
    number = len(list_runs(world.root))
    methods = {"broken": str(world.root / "nowhere"), "random": "random"}
    with pytest.raises(RuntimeError, match=r"(?s)1 of 2 .*broken, label ratio 1, seed 2: FileNotFoundError"):
        finetune_grid(world.finetune, methods, [1.0], [2], root=world.root, workers=0, progress=False)
    assert len(list_runs(world.root)) == number + 1  # the other one is done


def test_pretrained_weights_are_found_by_the_id_of_their_run(world, pretrained):
    overrides = [f"init={pretrained.id}", "train.steps=4"]
    run = finetune(world.finetune, overrides, root=world.root, progress=False)
    assert run.config["method"] == "refers"
    assert len(run.predictions()) == run.result()["num_images"]


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("train.stepz=4", r"section train.*stepz.*Known keys: steps, validate_every"),
        ("loader.batch=4", r"section loader.*batch.*Known keys: batch_size"),
        ("objective.encoder.depht=4", r"section objective.*depht.*Known keys: image_size"),
        ("objectiv.name=refers", r"unknown key 'objectiv'. Did you mean 'objective'"),
        ("objective.name=reefers", r"Did you mean 'refers'"),
        ("task=pretraining", r"Did you mean 'pretrain'"),
        ("augment.crop_size=24", r"image_size 32 differs from augment.crop_size 24"),
        ("processes=3", r"3 processes cannot share batches of 8 equally"),
        ("device=tpu", r"device=tpu cannot be used"),
        ("train.autocast=fp8", r"train.autocast is 'fp8'"),
        ("optimizer.learning_rates.image=fast", r"section optimizer.*fast"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused_before_any_run(world, tmp_path, override, named):
    with pytest.raises(ValueError, match=named):
        train(world.pretrain, [override], root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_of_the_other_task_is_refused(world, tmp_path):
    with pytest.raises(ValueError, match="has task 'pretrain', not 'finetune'"):
        finetune(world.pretrain, root=tmp_path)
    with pytest.raises(ValueError, match=r"encoder.*widht.*Known keys"):
        finetune(world.finetune, ["encoder.widht=3"], root=tmp_path)
    with pytest.raises(ValueError, match=r"finetune: seed is set by the top-level key"):
        finetune(world.finetune, ["finetune.seed=3"], root=tmp_path)


def test_a_failed_run_keeps_its_reason(world, pretrained, tmp_path):
    with pytest.raises(ValueError, match=r"patch_embedding\.bias \(16,\) instead of \(8,\)"):
        finetune(
            world.finetune, [f"init={pretrained.folder}", "encoder.width=8"], root=tmp_path, progress=False
        )
    (run,) = list_runs(tmp_path)
    assert run.state == "failed" and "instead of (8,)" in run.status["reason"]


def test_the_command_line_prints_the_folder_or_one_line_of_error(world, pretrained, capsys, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RUNS", str(world.root))
    assert main([world.pretrain]) == 0
    assert Run(capsys.readouterr().out.strip()).id == pretrained.id
    assert main(["refers/fantom"]) == 1
    error = capsys.readouterr().err
    assert "Did you mean 'refers/phantom'" in error and error.count("\n") == 1
    assert main([]) == 2
