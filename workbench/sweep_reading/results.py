"""The numbers of a sweep as far as it is; only what is new is computed."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from workbench.summary import COLUMNS, findings
from workbench.sweep_reading.resamples import TargetResamples
from workbench.sweep_tables import sweep_summary
from workbench.sweeps import Cell, Sweep, runs_of


class SweepResults:
    """Tables of finished cells; what is asked for twice of the same runs is computed once.

    Attributes:
        sweep: the file.
        cells: the finished ones.
    """

    def __init__(self, sweep: Sweep, cells: Sequence[Cell] = (), *, replicates: int = 2000):
        self.sweep, self.cells = sweep, list(cells)
        self._replicates = replicates
        self._kept: dict[tuple, tuple[tuple[str, ...], Any]] = {}

    def update(self, cells: Sequence[Cell]) -> None:
        """Take the finished cells of a later look."""
        self.cells = list(cells)

    def summary(self) -> pd.DataFrame:
        """Return `workbench.sweep_tables.sweep_summary`; a column of a table at a time."""
        frames = [
            self._once(("summary", target, label_ratio), self._of(target, label_ratio), self._summarise)
            for target in self.sweep.targets
            for label_ratio in sorted(self.sweep.label_ratios)
        ]
        frames = [frame for frame in frames if len(frame)]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*COLUMNS, "target"])

    def findings(self, target: str, label_ratio: float) -> pd.DataFrame:
        """Return `workbench.results.findings` of one column of the table, methods in the file's order."""
        table = self._once(
            ("findings", target, label_ratio),
            self._of(target, label_ratio),
            lambda cells: findings(runs_of(cells), replicates=self._replicates),
        )
        ranks = {name: rank for rank, name in enumerate(self.sweep.methods)}
        return table.sort_values(
            "method", key=lambda names: names.map(ranks), kind="stable", ignore_index=True
        )

    def resamples(self, target: str) -> TargetResamples:
        """Return what pairs any two methods and label ratios of a target.

        Raises:
            ValueError: nothing of it is finished.
        """
        cells = [one for one in self.cells if one.target == target]
        make = functools.partial(TargetResamples, replicates=self._replicates)
        return self._once(("resamples", target), cells, make)

    def _summarise(self, cells: list[Cell]) -> pd.DataFrame:
        if not cells:
            return pd.DataFrame()
        one = dataclasses.replace(self.sweep, targets={cells[0].target: self.sweep.targets[cells[0].target]})
        return sweep_summary(one, cells, replicates=self._replicates)

    def _of(self, target: str, label_ratio: float) -> list[Cell]:
        return [one for one in self.cells if (one.target, one.label_ratio) == (target, label_ratio)]

    def _once(self, name: tuple, cells: list[Cell], make: Callable[[list[Cell]], Any]) -> Any:
        runs = tuple(run.id for run in runs_of(cells))
        kept = self._kept.get(name)
        if kept is None or kept[0] != runs:
            kept = self._kept[name] = (runs, make(cells))
        return kept[1]
