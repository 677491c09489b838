"""Trainings of their own: they outlive what started them, are found again, and say why they failed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lib.data.ingest import ingest
from lib.data.readers import open_reader
from tests.workbench.tiny import PRETRAINING
from workbench.launch import start_training
from workbench.notebooks import PROJECT
from workbench.runs import list_runs


@pytest.fixture(scope="module")
def overrides(tmp_path_factory):
    """Return what makes refers/phantom tiny, on a store of its own."""
    path = tmp_path_factory.mktemp("store") / "phantom"
    ingest(open_reader("phantom", studies=40, image_size=48), path, image_size=48, workers=0, progress=False)
    return [f"store={path}", *PRETRAINING]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def test_a_training_runs_in_the_background_and_is_found_again(overrides, root):
    training = start_training("refers/phantom", overrides, root=root)
    assert training.state in ("created", "running")
    assert training.folder.is_dir()

    deadline = time.monotonic() + 60
    while training.state == "created":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    follower = start_training("refers/phantom", overrides, root=root)
    assert follower.folder == training.folder

    run = training.wait()
    assert run.metrics()["step"].max() == 4
    again = start_training("refers/phantom", overrides, root=root)
    assert (again.folder, again.state) == (training.folder, "finished")
    assert again.wait().id == run.id
    assert len(list_runs(root)) == 1


def test_a_training_survives_the_kernel_that_started_it(overrides, root):
    code = (
        "import sys, time\n"
        "from workbench.launch import start_training\n"
        "training = start_training('refers/phantom', sys.argv[2:], root=sys.argv[1])\n"
        "print(training.folder, flush=True)\n"
        "time.sleep(600)"
    )
    kernel = subprocess.Popen(
        [sys.executable, "-c", code, str(root), *overrides, "seed=1"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    folder = kernel.stdout.readline().strip()
    os.killpg(kernel.pid, signal.SIGKILL)  # as Jupyter does to a kernel and its process group
    kernel.wait()
    kernel.stdout.close()

    run = next(run for run in list_runs(root) if str(run.folder) == folder)
    deadline = time.monotonic() + 90
    while run.state != "finished":
        assert time.monotonic() < deadline, (folder, run.status)
        time.sleep(0.1)


def test_a_failed_training_says_why(overrides, root):
    training = start_training("refers/phantom", [*overrides, "loader.batch_size=1000"], root=root)
    with pytest.raises(RuntimeError, match="make no batch of 1000") as caught:
        training.wait()
    assert "log.txt" in str(caught.value)
    assert training.state == "failed"


def test_a_process_that_ends_before_it_begins_has_failed(overrides, root):
    training = start_training("refers/phantom", [*overrides, "seed=2"], root=root)
    training.stop()
    assert training.is_over
    with pytest.raises(RuntimeError, match="the training process is"):
        training.wait()


def test_what_a_person_did_wrong_is_said_at_once(overrides, root):
    before = len(list_runs(root))
    with pytest.raises(ValueError, match="stepz"):
        start_training("refers/phantom", [*overrides, "train.stepz=3"], root=root)
    with pytest.raises(FileNotFoundError, match="refers/phantom"):
        start_training("refers/fantom", overrides, root=root)
    assert len(list_runs(root)) == before
