"""Several processes that train together: real ones, which meet and talk as in a real run."""

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

from workbench.runs import list_runs
from workbench.train import finetune, pretrain

PROJECT = Path(__file__).resolve().parents[2]
CLOCK = ["time", "images_per_second", "data_wait_share"]
PLAIN = [
    *(f"objective.{part}.dropout=0.0" for part in ("encoder", "report", "text")),
    "optimizer.name=sgd",
    "train.steps=12",
    "train.validate_every=6",
    "train.checkpoint_every=4",
]
"""Nothing random beside the batches, and steps that do not blow up the rounding, as AdamW's first ones do."""


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def pair(world):
    return pretrain(world.pretrain, ["processes=2"], root=world.root / "pair", progress=False)


def test_two_processes_train_what_one_trains(world):
    one = pretrain(world.pretrain, PLAIN, root=world.root / "one", progress=False)
    two = pretrain(world.pretrain, [*PLAIN, "processes=2"], root=world.root / "two", progress=False)
    assert torch.get_num_threads() == 1 and not torch.distributed.is_initialized()
    pd.testing.assert_frame_equal(
        two.metrics().drop(columns=CLOCK), one.metrics().drop(columns=CLOCK), rtol=2e-5, atol=0
    )
    weights, expected = (load_file(run.folder / "checkpoints" / "best.safetensors") for run in (two, one))
    for name, weight in weights.items():
        torch.testing.assert_close(weight, expected[name], rtol=1e-4, atol=1e-5)
    assert two.id.split("-")[-1] == one.id.split("-")[-1]  # the same run, under other circumstances


def test_with_dropout_each_process_draws_its_own(world, pair):
    # The same dropout in both would repeat the pattern of one share in the other.
    alone = pretrain(world.pretrain, root=world.root / "alone", progress=False)
    first, second = (run.metrics()["loss"].iloc[0] for run in (pair, alone))
    assert first != second and first == pytest.approx(second, rel=0.05)


def command(world, root):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*sys.path, str(PROJECT)]),
        "WORKBENCH_RUNS": str(root),
        "TQDM_DISABLE": "1",
    }
    arguments = [sys.executable, "-m", "workbench.train", world.pretrain, "processes=2"]
    return subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(root, process, pattern):
    deadline = time.monotonic() + 120
    while not list(root.glob(pattern)):
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.002)


def others_of(run_folder):
    """Return the ids of the processes beside the first one, from what the system lists."""
    ids = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and str(run_folder).encode() in (folder / "cmdline").read_bytes():
                ids.append(int(folder.name))
        except OSError:  # ended meanwhile
            continue
    return ids


def test_a_killed_pair_leaves_no_process_and_resumes_bit_equal(world, pair, tmp_path):
    process = command(world, tmp_path)
    try:
        wait_for(tmp_path, process, "*/checkpoints/last.pt")
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    (killed,) = list_runs(tmp_path)
    assert killed.state == "killed"
    deadline = time.monotonic() + 30
    while others_of(killed.folder):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    resumed = pretrain(world.pretrain, ["processes=2"], root=tmp_path, progress=False)
    assert resumed.id == killed.id and resumed.state == "finished"
    pd.testing.assert_frame_equal(
        resumed.metrics().drop(columns=CLOCK), pair.metrics().drop(columns=CLOCK), check_exact=True
    )


def test_the_first_process_says_that_another_one_failed(world, tmp_path):
    process = command(world, tmp_path)
    try:
        wait_for(tmp_path, process, "*/metrics.jsonl")
        (run,) = list_runs(tmp_path)
        (other,) = others_of(run.folder)
        os.kill(other, signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "Process 1 of 2 failed" in errors and "process-1.txt" in errors
    assert run.state == "failed" and "Process 1 of 2 failed" in run.status["reason"]


def test_torchrun_starts_the_same_training(world, pair, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(PROJECT)])}
    environment |= {"WORKBENCH_RUNS": str(tmp_path), "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"),
            *("-m", "workbench", "train", world.pretrain),
        ],
        env=environment,
        check=True,
        timeout=120,
    )
    (run,) = list_runs(tmp_path)
    assert run.state == "finished"
    pd.testing.assert_frame_equal(
        run.metrics().drop(columns=CLOCK), pair.metrics().drop(columns=CLOCK), check_exact=True
    )


def test_a_finetuning_is_no_work_for_several_processes(world):
    with pytest.raises(ValueError, match="unknown key 'processes'"):
        finetune(world.finetune, ["processes=2"], root=world.root, progress=False)
