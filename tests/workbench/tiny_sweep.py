"""Files of small sweeps, and sweeps as processes of their own, as a person starts them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from tiny_world import World

from workbench.notebooks import PROJECT
from workbench.runs import Run, list_runs

CHANGES = ["train.steps=4", "train.validate_every=4", "train.checkpoint_every=4"]


def write_sweep(path: Path, world: World, **values: Any) -> Path:
    """Write a sweep of random weights on the tiny target; `values` are further keys of the file."""
    content = {
        "methods": {"random": {}},
        "targets": {"tiny": world.finetune},
        "label_ratios": [0.1, 1.0],
        "seeds": [0, 1],
        "overrides": CHANGES[:2],
        **values,
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def start_sweep(path: Path, root: Path, *arguments: str, **environment: str) -> subprocess.Popen:
    """Start `workbench sweep` on a file; its runs go below the root."""
    return subprocess.Popen(
        [sys.executable, "-m", "workbench", "sweep", str(path), *arguments],
        cwd=PROJECT,
        env={**os.environ, "WORKBENCH_RUNS": str(root), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background has told them not to listen to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def runs_in(root: Path, state: str = "") -> list[Run]:
    """Return the runs below a root that may not be there yet, of one state if given."""
    runs = list_runs(root) if root.is_dir() else []
    return [run for run in runs if state in ("", run.state)]


def wait_for(condition: Any, process: subprocess.Popen, seconds: float = 600) -> None:
    """Wait for something that a process is to bring about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
