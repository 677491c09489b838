"""How far a sweep is, cell by cell; looked at again and again while it runs."""

import collections
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from workbench.job_plans import JobPlans
from workbench.jobs import Job, Outcome
from workbench.run_config import identity
from workbench.runs import Run
from workbench.sweep_reading.run_index import FAILED, FINISHED, MISSING, RUNNING, STATES, RunIndex, RunState
from workbench.sweeps import Cell, Place, Sweep, cell_jobs, pretraining_jobs

__all__ = ["FAILED", "FINISHED", "MISSING", "RUNNING", "STATES", "CellState", "SweepWatch"]


@dataclasses.dataclass(frozen=True)
class CellState:
    """One fine-tuning of a sweep, wherever it stands.

    Attributes:
        place: target, method, label ratio, seed.
        found: how far it is.
    """

    place: Place
    found: RunState

    @property
    def target(self) -> str:
        """Its target's name."""
        return self.place[0]

    @property
    def method(self) -> str:
        """Its method's name."""
        return self.place[1]

    @property
    def label_ratio(self) -> float:
        """Its share of the labels."""
        return self.place[2]

    @property
    def seed(self) -> int:
        """Of the repetition."""
        return self.place[3]

    @property
    def title(self) -> str:
        """The place in words."""
        target, method, label_ratio, seed = self.place
        return f"{target}, {method}, {100 * label_ratio:g} % of the labels, seed {seed}"


class SweepWatch:
    """The cells of a sweep and its pre-trainings as they were at the last look.

    Planning is what costs, so it is done once; a look at a finished run costs nothing.

    Attributes:
        sweep: that is watched.
        cells: methods within label ratios within seeds within targets, as in `run_sweep`.
        pretrainings: method -> how far its pre-training is; methods without one are left out.
    """

    def __init__(self, sweep: Sweep, *, root: Path | str | None = None, overrides: Sequence[str] = ()):
        """Look for the first time; arguments as in `workbench.sweeps.run_sweep`."""
        self.sweep, self._root, self._overrides = sweep, root, tuple(overrides)
        self.cells: list[CellState] = []
        self.pretrainings: dict[str, RunState] = {}
        self._index = RunIndex(root)
        self._planned: dict[Job, str] = {}
        self._plans = JobPlans(root)
        self._refused: dict[Job, str] = {}
        self._finished: dict[Job, RunState] = {}
        self._jobs: dict[Place, Job | Outcome] = {}
        self.look()

    def look(self, *, again: bool = False) -> bool:
        """Look how far it is.

        Args:
            again: try also what could not be planned at the last look, for want of a file, say.

        Returns:
            Whether anything has changed.
        """
        if again:
            self._refused.clear()
        before = (self.cells, self.pretrainings)
        self._index.look()
        pretrained = {name: self._find(job) for name, job in pretraining_jobs(self.sweep).items()}
        if not self._jobs or _finished(pretrained) != _finished(self.pretrainings) or again:
            self._jobs = cell_jobs(self.sweep, root=self._root, overrides=self._overrides)
        cells = [
            CellState(
                place, self._find(job) if isinstance(job, Job) else self._waiting(job, pretrained[place[1]])
            )
            for place, job in self._jobs.items()
        ]
        self.cells, self.pretrainings = cells, pretrained
        return _changing(before) != _changing((cells, pretrained))

    def counts(self) -> dict[str, int]:
        """Return how many cells are in each state."""
        found = collections.Counter(one.found.state for one in self.cells)
        return {state: found[state] for state in STATES}

    def finished_cells(self) -> list[Cell]:
        """Return the finished cells as `workbench.sweeps.run_sweep` would."""
        return [Cell(*one.place, Outcome(one.found.run)) for one in self.cells if one.found.state == FINISHED]

    def runs(self) -> dict[str, Run]:
        """Return every run that was found, by its id."""
        found = [*self.pretrainings.values(), *(one.found for one in self.cells)]
        return {one.run.id: one.run for one in found if one.run}

    def _find(self, job: Job) -> RunState:
        if job in self._finished:
            return self._finished[job]
        if job not in self._planned and job not in self._refused:
            try:
                self._planned[job] = identity(self._plans.plan(job.recipe, job.overrides))
            except (ValueError, OSError) as error:
                self._refused[job] = f"{type(error).__name__}: {error}"
        if job in self._refused:
            return RunState(FAILED, reason=self._refused[job])
        found = self._index.find(self._planned[job])
        if found.state == FINISHED:
            self._finished[job] = found
        return found

    @staticmethod
    def _waiting(outcome: Outcome, pretraining: RunState) -> RunState:
        """Say of a cell whose pre-training is not finished what it waits for."""
        if pretraining.state == FAILED:
            return RunState(reason=f"its pre-training failed: {pretraining.reason}")
        return RunState(reason="waits for its pre-training")


def _finished(pretrained: dict[str, RunState]) -> set[str]:
    return {name for name, one in pretrained.items() if one.state == FINISHED}


def _changing(looked: tuple[list[CellState], dict[str, RunState]]) -> list[tuple]:
    """Return what a person would see change: seconds pass by themselves."""
    cells, pretrained = looked
    found = [*(one.found for one in cells), *pretrained.values()]
    return [(one.state, one.run and one.run.id, one.reason) for one in found]
