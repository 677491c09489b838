"""Sweeps as a person runs them: interrupted by Ctrl-C, and two of the same file at once."""

import signal
from pathlib import Path

import pytest
from tiny_sweep import CHANGES, runs_in, start_sweep, wait_for, write_sweep

from workbench.sweeps import cell_table, find_cells, read_sweep


def processes_below(root: Path) -> list[int]:
    """Return the processes whose runs lie below a root."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if f"WORKBENCH_RUNS={root}".encode() in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.parametrize("workers", [2, 0])
def test_ctrl_c_leaves_no_process_and_keeps_what_is_finished(world, tmp_path, workers):
    path = write_sweep(tmp_path / "sweep.yaml", world, seeds=list(range(6)))
    root = tmp_path / "runs"
    command = (path, root, "--workers", str(workers))
    process = start_sweep(*command)
    wait_for(lambda: len(runs_in(root, "finished")) >= 2, process)
    assert len(processes_below(root)) == 1 + workers
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert processes_below(root) == []
    last = err.strip().splitlines()[-1]
    finished = int(last.removeprefix("workbench: interrupted: ").partition(" ")[0])
    assert last.endswith(f"{finished} of 12 fine-tunings are finished; the same command goes on.")
    assert "Traceback" not in err and "fine-tunings:" in err
    # A worker may have ended a run a moment before it was ended itself.
    kept = {run.id for run in runs_in(root, "finished")}
    assert finished <= len(kept) <= finished + workers < 12

    again = start_sweep(*command)
    out, err = again.communicate(timeout=600)
    assert again.returncode == 0, err
    assert "12 of 12 fine-tunings are finished" in out
    assert kept < {run.id for run in runs_in(root, "finished")}
    assert len(runs_in(root)) == 12


def test_two_of_the_same_file_share_the_work(world, tmp_path):
    path = write_sweep(
        tmp_path / "sweep.yaml",
        world,
        methods={"random": {}, "REFERS": {"pretraining": world.pretrain, "pretraining_overrides": CHANGES}},
        seeds=[0, 1, 2],
    )
    root = tmp_path / "runs"
    processes = [start_sweep(path, root, "--workers", "1", TQDM_DISABLE="1") for _ in range(2)]
    said = [process.communicate(timeout=600) for process in processes]
    for process, (out, err) in zip(processes, said, strict=True):
        # Whoever ends first leaves to the other what it is at.
        complete = "12 of 12 fine-tunings are finished" in out
        assert process.returncode == (0 if complete else 1), err
        assert complete or "Left to another process:" in err
        assert "Failed" not in err
    cells = find_cells(read_sweep(str(path)), root=root)
    assert all(one.outcome.run for one in cells)
    assert cell_table(cells)["auroc"].notna().all()
    # Nothing was done twice, and nothing was begun that nobody finished.
    assert len(runs_in(root)) == len(runs_in(root, "finished")) == 12 + 1
    assert list((root / ".claims").iterdir()) == []
