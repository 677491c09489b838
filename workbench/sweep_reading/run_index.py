"""Runs found by what they compute, again and again, without opening a folder twice."""

import collections
import contextlib
import datetime
import os
from pathlib import Path
from typing import NamedTuple

from workbench.run_config import identity
from workbench.runs import Run, runs_root

FINISHED, RUNNING, FAILED, MISSING = STATES = ("finished", "running", "failed", "missing")

STOPPED = "stopped before its end; the same command goes on"


class RunState(NamedTuple):
    """How far one wanted run is.

    Attributes:
        state: one of `STATES`.
        run: that was found, also one that failed.
        reason: why it is not finished, as far as that is known.
        seconds: that it has taken so far, waiting included.
        auroc: mean over its labels, NaN where it has none (yet).
    """

    state: str = MISSING
    run: Run | None = None
    reason: str = ""
    seconds: float = float("nan")
    auroc: float = float("nan")


class RunIndex:
    """The run folders below a root.

    Args:
        root: None is `outputs/runs` of the project.
    """

    def __init__(self, root: Path | str | None = None):
        self.root = runs_root(root)
        self._opened: dict[str, tuple[Run, str]] = {}
        self._by_hash: dict[str, list[str]] = {}

    def look(self) -> None:
        """List the folders again; those that were opened stay so, for a config never changes."""
        names = sorted(os.listdir(self.root), reverse=True) if self.root.is_dir() else []
        self._by_hash = collections.defaultdict(list)
        for name in names:
            self._by_hash[name[-4:]].append(name)  # a folder's name ends with the hash of its config

    def find(self, wanted: str) -> RunState:
        """Return how far the run with this identity is: a finished one, or one that runs, or the newest."""
        found = [
            one[0]
            for name in self._by_hash.get(wanted[:4], ())
            if (one := self._open(name)) and one[1] == wanted
        ]
        states = [_state_of(run) for run in found]
        for state in (FINISHED, RUNNING):
            for one in states:
                if one.state == state:
                    return one
        return states[0] if states else RunState()

    def _open(self, name: str) -> tuple[Run, str] | None:
        """Return a run with its identity, None for what is no run (yet)."""
        if name not in self._opened:
            with contextlib.suppress(ValueError, OSError):
                run = Run(self.root / name)
                self._opened[name] = run, identity(run.config)
        return self._opened.get(name)


def _state_of(run: Run) -> RunState:
    try:
        status, state = run.status, run.state
        seconds = _seconds(status, over=state != "running")
        if state == "finished":
            area = (run.result().get("auroc") or {}).get("estimate")
            return RunState(FINISHED, run, "", seconds, float("nan") if area is None else area)
    except (ValueError, OSError) as error:  # somebody has cut a file off
        return RunState(FAILED, run, str(error))
    if state == "created":
        return RunState(MISSING, run, "its folder is there, and nothing has run yet")
    if state == "running":
        return RunState(RUNNING, run, "", seconds)
    return RunState(FAILED, run, status.get("reason") or STOPPED, seconds)


def _seconds(status: dict, *, over: bool) -> float:
    """Return the time between creation and the last change of state, or until now."""
    if "created" not in status:
        return float("nan")
    end = datetime.datetime.fromisoformat(status["updated"]) if over else datetime.datetime.now()
    return (end - datetime.datetime.fromisoformat(status["created"])).total_seconds()
