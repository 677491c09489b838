"""Sweeps as jobs of a real Slurm, which this test starts; without its packages it skips."""

import os
import signal

import pandas as pd
import pytest
from tiny_slurm import CPUS, TinySlurm, why_no_slurm
from tiny_sweep import runs_in, start_sweep, wait_for, write_sweep

from lib.config import build
from workbench.slurm import FOLDER, Slurm
from workbench.sweep_command import choose_cluster
from workbench.sweeps import cell_table, find_cells, read_sweep, run_sweep

ON_SLURM = ("--cluster", "slurm", "--slurm", "cpus=1", "--slurm", "time=30")
LONG = ["train.steps=300", "train.validate_every=300", "train.checkpoint_every=20"]
"""Some seconds each, so that something can happen to it."""


@pytest.fixture(scope="module")
def cluster():
    """Return a running Slurm of one node with two CPUs."""
    if reason := why_no_slurm():
        pytest.skip(reason)
    pytest.importorskip("submitit")
    slurm = TinySlurm()
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()


def start(path, root, cluster, *arguments):
    place = {"SLURM_CONF": cluster.environment["SLURM_CONF"], "TQDM_DISABLE": "1"}
    return start_sweep(path, root, *ON_SLURM, *arguments, **place)


def test_a_sweep_outlives_a_cancelled_job_a_lost_node_and_preemption(cluster, world, tmp_path):
    path = write_sweep(tmp_path / "sweep.yaml", world, seeds=[0, 1, 2, 3], overrides=LONG)
    root = tmp_path / "runs"

    process = start(path, root, cluster)
    # Both are in the midst of their training.
    wait_for(lambda: len(runs_in(root, "running")) == CPUS, process)
    cancelled, preempted = sorted(cluster.queue("RUNNING"))
    cluster.ask("scancel", cancelled)
    cluster.preempt(preempted)
    wait_for(lambda: cancelled not in cluster.queue(), process)
    wait_for(lambda: preempted in cluster.queue("PENDING"), process)

    wait_for(lambda: runs_in(root, "running"), process)
    lost = cluster.queue("RUNNING")
    cluster.crash_node()
    cluster.start_node()
    assert set(lost) & set(cluster.queue("PENDING"))
    cluster.hurry()

    out, err = process.communicate(timeout=600)
    assert process.returncode == 1
    assert "7 of 8 fine-tunings are finished" in out
    (failed,) = (line for line in err.splitlines() if "Slurm job" in line)
    assert f"Slurm job {cancelled} ended as CANCELLED; its log: {root / FOLDER}" in failed
    assert os.path.isfile(failed.partition("its log: ")[2])

    again = start(path, root, cluster)
    out, err = again.communicate(timeout=600)
    assert again.returncode == 0, err
    assert "8 of 8 fine-tunings are finished" in out
    # What was cut off went on in its own folder: nothing was done twice.
    assert len(runs_in(root)) == len(runs_in(root, "finished")) == 8

    # The first two were cut off, the rest is like them.
    first = write_sweep(tmp_path / "first.yaml", world, seeds=[0], overrides=LONG)
    undisturbed = run_sweep(read_sweep(str(first)), root=tmp_path / "here", workers=CPUS, progress=False)
    found = find_cells(read_sweep(str(path)), root=root)[: len(undisturbed)]
    tables = [cell_table(cells).drop(columns="run") for cells in (found, undisturbed)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_ctrl_c_cancels_the_jobs(cluster, world, tmp_path):
    path = write_sweep(tmp_path / "sweep.yaml", world)
    process = start(path, tmp_path / "runs", cluster)
    wait_for(lambda: len(cluster.queue()) == 4, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err == "workbench: interrupted: 0 of 4 fine-tunings are finished; the same command goes on.\n"
    assert cluster.queue("PENDING") == []
    assert set(cluster.queue()) == set(cluster.queue("COMPLETING"))


def test_what_slurm_does_not_take_ends_in_one_line(cluster, world, tmp_path):
    path = write_sweep(tmp_path / "sweep.yaml", world)
    process = start(path, tmp_path / "runs", cluster, "--slurm", "partition=none_such")
    _, err = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "Slurm did not take the jobs" in err and "partition" in err
    assert len(err.strip().splitlines()) == 1
    assert list((tmp_path / "runs" / FOLDER).iterdir()) == []


def test_without_a_slurm_it_says_so(world, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    pytest.importorskip("submitit")
    sweep = read_sweep(str(write_sweep(tmp_path / "sweep.yaml", world)))
    with pytest.raises(ValueError, match="There is no Slurm here"):
        run_sweep(sweep, root=tmp_path / "runs", progress=False, slurm=Slurm())


def test_flags_are_above_the_file(world, tmp_path):
    section = {"partition": "gpu", "time": 60, "options": {"constraint": "a100"}}
    sweep = read_sweep(str(write_sweep(tmp_path / "sweep.yaml", world, slurm=section)))
    assert choose_cluster(sweep, "", []) is None
    chosen = choose_cluster(sweep, "slurm", ["time=5", "gpus=1"])
    assert chosen == Slurm(partition="gpu", time=5, gpus=1, options={"constraint": "a100"})


@pytest.mark.parametrize(
    ("cluster_name", "settings", "message"),
    [
        ("pbs", [], "Unknown cluster 'pbs'"),
        ("", ["time=5"], "does nothing without --cluster slurm"),
        ("slurm", ["tim=5"], "Key 'tim' not in 'Slurm'"),
        ("slurm", ["time=soon"], "time"),
        ("slurm", ["time=0"], "time is 0; it must be 1 or more"),
        ("slurm", ["time"], "not of the form KEY=VALUE"),
    ],
)
def test_wrong_settings_are_refused(world, tmp_path, cluster_name, settings, message):
    sweep = read_sweep(str(write_sweep(tmp_path / "sweep.yaml", world)))
    with pytest.raises(ValueError, match=message):
        choose_cluster(sweep, cluster_name, settings)


def test_a_section_of_another_form_is_refused():
    with pytest.raises(ValueError, match="Key 'partion' not in 'Slurm'"):
        build(Slurm, {"partion": "gpu"})
