"""Run folders: everything that one training or fine-tuning leaves behind.

config.yaml            the merged recipe, with the ids of store, manifest and initial weights
config.json            the same for programs: to parse the YAML of 5,000 runs takes minutes
initial_weights.json   the file that the encoder began with, if any
env.json               versions, machine, git state, precision
status.json            running, finished or failed, and why
metrics.jsonl          what the loop logged
checkpoints/           last.pt (to resume), best.safetensors (to use)
predictions.parquet    one row per test image                         }
resamples.safetensors  what they are worth on resamples of patients   } of protocols
result.json            mean and per-label AUROC                       }
"""

import contextlib
import datetime
import difflib
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Self

import pandas as pd
import yaml

from lib.atomic import write_json, write_text
from workbench.environment import environment
from workbench.run_config import identity, read_config, read_json

PROJECT = Path(__file__).resolve().parents[1]
RUNS = PROJECT / "outputs" / "runs"
READ_ONLY = "WORKBENCH_READ_ONLY"
"""Variable of the environment that keeps a process, such as a served page, from training anything."""

LOCK_SECONDS = 0.5
"""How long to wait for another process that may only be looking whether the run is held."""


class Run:
    """One run folder.

    Attributes:
        folder: its path.
        id: its name, `YYYYMMDD-HHMMSS-<recipe>-<4 hex of the config hash>`.
        config: the merged recipe.
    """

    def __init__(self, folder: Path | str):
        """Open an existing run.

        Raises:
            FileNotFoundError: no run there.
            ValueError: its config was cut off, or is none.
        """
        self.folder = Path(folder)
        self.id = self.folder.name
        self.config: dict[str, Any] = read_config(self.folder)

    @classmethod
    def create(cls, recipe: str, config: Mapping[str, Any], root: Path | str | None = None) -> Self:
        """Make the folder of a new run; nothing runs yet.

        Args:
            recipe: its name, such as "refers/phantom"; becomes part of the folder's name.
            config: the merged recipe, plain values only.
            root: of all runs; None: `outputs/runs` of the project.

        Raises:
            ValueError: this process only reads runs.
        """
        _refuse_read_only(f"There is no finished run of {recipe} with these values")
        root = runs_root(root)
        # Without separators and dots a name cannot lead out of the root.
        name = re.sub(r"[^A-Za-z0-9_]+", "-", recipe).strip("-") or "run"
        moment = datetime.datetime.now()
        while True:
            stamp = moment.strftime("%Y%m%d-%H%M%S")
            folder = root / f"{stamp}-{name}-{identity(config)[:4]}"
            try:
                folder.mkdir(parents=True)
                break
            except FileExistsError:  # the same recipe started twice within a second
                moment += datetime.timedelta(seconds=1)
        write_text(folder / "config.yaml", yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))
        write_json(folder / "config.json", dict(config))
        run = cls(folder)
        run._set_status("created")
        return run

    def __repr__(self) -> str:
        return f"Run({self.id!r}, {self.state})"

    @property
    def predictions_file(self) -> Path:
        """The place of predictions.parquet, which is there once the test images are judged."""
        return self.folder / "predictions.parquet"

    @property
    def status(self) -> dict[str, Any]:
        """What status.json says: status, reason, created, updated."""
        try:
            return read_json(f"{self.folder}/status.json")
        except FileNotFoundError:
            return {"status": "created", "reason": ""}

    @property
    def state(self) -> str:
        """Return "created", "running", "finished", "failed" or "killed" (no process is at it any more)."""
        return self.state_of(self.status)

    def state_of(self, status: Mapping[str, Any]) -> str:
        """Return the state for a status that was read a moment ago."""
        said = status.get("status", "created")
        return "killed" if said == "running" and not self._is_locked() else said

    @contextlib.contextmanager
    def recording(self, **about: Any) -> Iterator[None]:
        """Hold the run while it runs: status running, then finished, or failed with the reason.

        Args:
            about: goes into env.json beside the versions ("precision", "device").

        Raises:
            ValueError: another process is writing this run, or this one only reads runs.
        """
        _refuse_read_only(f"Run {self.id} is {self.state}")
        with self._locked():
            write_json(self.folder / "env.json", {**environment(), **about})
            self._set_status("running")
            try:
                yield
            except BaseException as error:
                self._set_status("failed", f"{type(error).__name__}: {error}")
                raise
            self._set_status("finished")

    def metrics(self) -> pd.DataFrame:
        """Return metrics.jsonl, one row per line; empty before the first one."""
        path = self.folder / "metrics.jsonl"
        text = path.read_text("utf-8") if path.is_file() else ""
        # A line that is being written has no end yet.
        return pd.DataFrame(
            [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        )

    def predictions(self) -> pd.DataFrame:
        """Return predictions.parquet.

        Raises:
            FileNotFoundError: the run has none (yet).
        """
        return pd.read_parquet(self._existing("predictions.parquet"))

    def result(self) -> dict[str, Any]:
        """Return result.json.

        Raises:
            FileNotFoundError: the run has none (yet).
        """
        try:
            return read_json(f"{self.folder}/result.json")
        except FileNotFoundError:
            return read_json(self._existing("result.json"))  # which says what is missing

    def files(self) -> pd.DataFrame:
        """List what was written: file and bytes."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file() and path.name != "lock")
        return pd.DataFrame(
            {
                "file": [str(path.relative_to(self.folder)) for path in paths],
                "bytes": [path.stat().st_size for path in paths],
            }
        )

    def _existing(self, name: str) -> Path:
        if not (self.folder / name).is_file():
            raise FileNotFoundError(f"Run {self.id} has no {name}; it is {self.state}.")
        return self.folder / name

    def _set_status(self, status: str, reason: str = "") -> None:
        now = datetime.datetime.now().isoformat(timespec="milliseconds")
        before = self.status
        created = before.get("created", now)
        write_json(
            self.folder / "status.json",
            {"status": status, "reason": reason, "created": created, "updated": now},
        )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the run's lock, which the system releases when this process ends, however it ends."""
        deadline = time.monotonic() + LOCK_SECONDS
        with open(self.folder / "lock", "w") as handle:
            while not _try_lock(handle):
                if time.monotonic() > deadline:
                    raise ValueError(f"Another process is writing run {self.folder}.")
                time.sleep(0.02)
            yield

    def _is_locked(self) -> bool:
        if not (self.folder / "lock").is_file():
            return False
        with open(self.folder / "lock") as handle:
            return not _try_lock(handle)


def _refuse_read_only(found: str) -> None:
    if os.environ.get(READ_ONLY) == "1":
        raise ValueError(f"{found}, and a served page trains none. Run the page once with `workbench run`.")


def _try_lock(handle: IO) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_run(name: str, root: Path | str | None = None) -> Run:
    """Open a run by its id.

    Raises:
        ValueError: the name leads out of the root.
        FileNotFoundError: no such run; holds the closest match.
    """
    root = runs_root(root).resolve()
    folder = (root / name).resolve()
    if folder.parent != root:
        raise ValueError(f"Run id {name!r} leads out of {root}; give the name of a folder in it.")
    try:
        return Run(folder)
    except FileNotFoundError as error:
        known = [one for one in os.listdir(root) if one != name] if root.is_dir() else []
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f" Did you mean {close[0]!r}?" if close else " Give the id of a run: the name of its folder."
        raise FileNotFoundError(f"{error}{hint}") from error


def list_runs(root: Path | str | None = None) -> list[Run]:
    """Return all runs below the root that can be read, in the order in which they were created."""
    return scan_runs(root)[0]


def scan_runs(root: Path | str | None = None) -> tuple[list[Run], dict[str, str]]:
    """Return all runs in the order in which they were created, and of unreadable folders why they are."""
    statuses, unreadable = read_statuses(root)
    return list(statuses), unreadable


def read_statuses(root: Path | str | None = None) -> tuple[dict[Run, dict[str, Any]], dict[str, str]]:
    """Return `scan_runs` with the status of each run."""
    statuses: dict[Run, dict[str, Any]] = {}
    unreadable: dict[str, str] = {}
    root = runs_root(root)
    for name in sorted(os.listdir(root) if root.is_dir() else ()):
        try:
            run = Run(root / name)
            statuses[run] = run.status
        except FileNotFoundError:  # some other folder
            continue
        except (ValueError, OSError) as error:
            unreadable[name] = " ".join(str(error).split())
    ordered = sorted(statuses.items(), key=lambda one: (one[1].get("created", ""), one[0].id))
    return dict(ordered), unreadable


def find_finished(config: Mapping[str, Any], root: Path | str | None = None) -> Run | None:
    """Return the newest finished run of this very config, or None."""
    return _find(config, root, ("finished",))


def find_resumable(config: Mapping[str, Any], root: Path | str | None = None) -> Run | None:
    """Return the newest run of this very config that stopped before its end, or None."""
    return _find(config, root, ("killed", "failed", "created"))


def find_running(config: Mapping[str, Any], root: Path | str | None = None) -> Run | None:
    """Return the run of this very config that a process is at now, or None."""
    return _find(config, root, ("running",))


def _find(config: Mapping[str, Any], root: Path | str | None, states: tuple[str, ...]) -> Run | None:
    wanted = identity(config)
    # The folder's name ends with the hash: only those that may fit are opened.
    for path in sorted(runs_root(root).glob(f"*-{wanted[:4]}/config.yaml"), reverse=True):
        with contextlib.suppress(ValueError):  # one that cannot be read is no run of this config
            run = Run(path.parent)
            if identity(run.config) == wanted and run.state in states:
                return run
    return None


def runs_root(root: Path | str | None = None) -> Path:
    """Return the folder of all runs: as given, or WORKBENCH_RUNS, or `outputs/runs` of the project."""
    return Path(os.environ.get("WORKBENCH_RUNS", RUNS)) if root is None else Path(root)
