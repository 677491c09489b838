"""Start a training that outlives the notebook: a process of its own, followed through its run folder."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lib.data.workers import KEEP_MEMORY
from workbench.runs import Run, find_finished, find_resumable, find_running

PROJECT = Path(__file__).resolve().parents[1]
POLL_SECONDS = 0.2
LOG_LINES = 12
"""Lines of the log that an error quotes."""

ONGOING = ("created", "running")


class Training:
    """A run and, where this process started it, the process that trains it.

    Attributes:
        run: its folder is there from the start.
        log: what the training process printed.
    """

    def __init__(self, run: Run, process: subprocess.Popen | None = None):
        self.run = run
        self.log = run.folder / "log.txt"
        self._process = process

    @property
    def folder(self) -> Path:
        """Folder of the run."""
        return self.run.folder

    def __repr__(self) -> str:
        return f"Training({self.run.id!r}, {self.state})"

    @property
    def state(self) -> str:
        """State of the run; "failed" also where its process ended before it had begun."""
        has_ended = self._process is not None and self._process.poll() is not None
        # In this order: a process that ends between the two looks has written its state.
        state = self.run.state
        return "failed" if has_ended and state in ONGOING else state

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in ONGOING

    def wait(self) -> Run:
        """Return the run once it is finished; interrupting the wait leaves the training alone.

        Raises:
            RuntimeError: it failed or was killed; holds the reason and the end of the log.
        """
        while not self.is_over:
            time.sleep(POLL_SECONDS)
        if self._process is not None:
            self._process.wait()  # it says that it is finished a moment before it ends
        if self.state != "finished":
            reason = self.run.status["reason"] or f"the training process is {self.state}"
            raise RuntimeError(
                f"Run {self.run.id}: {reason}. The end of {self.log}:\n{end_of_log(self.log)}\n"
                "The same call goes on from the last checkpoint."
            )
        return self.run

    def stop(self) -> None:
        """End the training process; the same call as before goes on from the last checkpoint."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def start_training(recipe: str, overrides: Sequence[str] = (), *, root: Path | str | None = None) -> Training:
    """Start a training by a recipe in the background, or find the one that does or did the same.

    A finished run of the same config is returned as it is, a running one is followed, one that was killed
    goes on from its last checkpoint. The process belongs to a session of its own: it survives the kernel.

    Args:
        recipe: short name ("refers/phantom") or path.
        overrides: `"train.steps=100"` and so on.
        root: of the run folders; None: `outputs/runs` of the project.

    Raises:
        FileNotFoundError: no such recipe or store.
        ValueError: a key or value of the recipe that does not fit.
    """
    from workbench.plan import plan

    config = plan(recipe, overrides, root=root)
    same = find_finished(config, root) or find_running(config, root)
    if same is not None:
        return Training(same)
    run = find_resumable(config, root) or Run.create(config["recipe"], config, root)
    quiet = {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    environment = {**os.environ, **KEEP_MEMORY, **quiet}
    if root is not None:
        environment["WORKBENCH_RUNS"] = str(Path(root).absolute())
    with open(run.folder / "log.txt", "a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench", "train", recipe, *overrides],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            # Not a member of the kernel's process group, which Jupyter ends with the kernel.
            start_new_session=True,
        )
    return Training(run, process)


def end_of_log(path: Path) -> str:
    """Return the last lines of a log, for an error to quote."""
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    return "\n".join(lines[-LOG_LINES:]) or "(empty)"
