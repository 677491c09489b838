"""Follow a training run while it goes on: its losses, its speed, how far it is."""

import json
import threading
import time
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from workbench.figures.live import live_figure, move_traces
from workbench.figures.training import all_series, loss_curves, loss_names

INTERVAL = 1.0
"""Seconds between two looks at the file."""


class MetricsFile:
    """metrics.jsonl of a run, read from where the last look ended."""

    def __init__(self, path: Path):
        self.path = path
        self._records: dict[tuple[str, int], dict[str, Any]] = {}
        self._offset = 0

    def poll(self) -> bool:
        """Read the lines that are new and whole; return whether there were any."""
        if not self.path.is_file():
            return False
        if self.path.stat().st_size < self._offset:
            # A resumed run cuts the lines after its checkpoint off and writes them again.
            self._offset = 0
        with open(self.path, "rb") as handle:
            handle.seek(self._offset)
            fresh = handle.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(whole)
        for record in map(json.loads, whole.splitlines()):
            self._records[record["kind"], record["step"]] = record
        return bool(whole)

    def table(self) -> pd.DataFrame:
        """Return the records as one table, ordered by step."""
        return pd.DataFrame(sorted(self._records.values(), key=lambda record: record["step"]))


class Followed(Protocol):
    """A run, or a training that was started."""

    folder: Path

    @property
    def state(self) -> str:
        """Return "created" or "running" as long as more may come."""
        ...


class TrainingMonitor:
    """What is known of a run at this moment.

    Attributes:
        metrics: its metrics.jsonl so far.
        state: "created", "running", "finished", "failed" or "killed".
    """

    def __init__(self, training: Followed, *, note: str = ""):
        """Follow a run.

        Args:
            training: from `start_training`, or a run.
            note: where its numbers come from.
        """
        self.folder = training.folder
        self.note = note
        self.metrics = MetricsFile(self.folder / "metrics.jsonl")
        self._training = training
        self.state = training.state

    def update(self) -> bool:
        """Look again; return whether something is new."""
        # In this order: what was written before the end is then read before the end is known.
        before, self.state = self.state, self._training.state
        return self.metrics.poll() or self.state != before

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state not in ("created", "running")

    @property
    def caption(self) -> str:
        """One line: state, step, losses, speed."""
        table = self.metrics.table()
        parts = [self.state]
        if len(table):
            parts.append(f"step {table['step'].max():,}")
            parts += [f"{kind} loss {_last(table, kind, 'loss'):.3f}" for kind in ("train", "validation")]
            parts.append(f"{_last(table, 'train', 'images_per_second'):.0f} images/s")
            parts.append(f"{100 * _last(table, 'train', 'data_wait_share'):.0f} % waiting for data")
        return " | ".join(part for part in parts if "nan" not in part)

    def static(self) -> Any:
        """Wait until the run is over and return its loss curves: nobody is there to see them move."""
        self.update()
        while not self.is_over:
            time.sleep(INTERVAL)
            self.update()
        return loss_curves(self.metrics.table(), title=self.folder.name, note=self.note)

    def live(self) -> Any:
        """Return the widget: a line of facts and the curves, moved every second until the run is over."""
        return _shell(self)


def _last(table: pd.DataFrame, kind: str, column: str) -> float:
    """Return the youngest value of a column, NaN where there is none."""
    if column not in table:
        return float("nan")
    values = table.loc[table["kind"] == kind, column].dropna()
    return float(values.iloc[-1]) if len(values) else float("nan")


def _shell(model: TrainingMonitor) -> Any:
    import ipywidgets

    caption = ipywidgets.Label()
    box = ipywidgets.VBox([caption]).add_class("wb-training")
    drawn: list[str] = []

    def draw(anew: bool = False) -> None:
        table = model.metrics.table()
        caption.value = model.caption
        if anew or len(box.children) == 1 or loss_names(table) != drawn:
            # The first losses arrive: how many panels there are is known only now.
            drawn[:] = loss_names(table)
            figure = loss_curves(table, title=model.folder.name, note=model.note)
            box.children = (caption, live_figure(figure))
        else:
            move_traces(box.children[1], all_series(table))

    def follow() -> None:
        while not model.is_over:
            time.sleep(INTERVAL)
            if model.update():
                draw()
        # A figure that a slow browser has yet to draw loses what is moved in it, and no move follows.
        draw(anew=True)

    model.update()
    draw()
    if not model.is_over:
        # A daemon: it ends with the kernel; the run itself does not.
        threading.Thread(target=follow, name="wb-training", daemon=True).start()
    return box
