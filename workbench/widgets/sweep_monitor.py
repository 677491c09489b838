"""A sweep while it goes on: how far each cell is, the table filling, when it will be done."""

import datetime
import shlex
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.figures import curation, runs, sweep_html
from workbench.figures.sweep_findings import sweep_findings
from workbench.figures.sweep_matrix import sweep_matrix
from workbench.runs import Run
from workbench.sweep_reading.forecast import forecast, in_words
from workbench.sweep_reading.results import SweepResults
from workbench.sweep_reading.watch import FAILED, FINISHED, RUNNING, SweepWatch
from workbench.sweeps import read_sweep, runs_of
from workbench.tables import method_name
from workbench.widgets.chooser import Chooser
from workbench.widgets.run_viewer import RunViewer
from workbench.widgets.sweep_shell import sweep_shell

SHARE = 0.1
"""Of the time that may go into tables while a sweep runs: it needs the cores more."""


class SweepMonitor:
    """What is known of a sweep at this moment.

    Attributes:
        name: of the file.
        sweep: what it says.
        watch: the states of its cells.
        results: the numbers of those that are finished.
        numbers: its summary, as of the last time that it was computed.
        looked: when the last look was.
        viewer: the run that a person has opened.
        lock: held by whoever changes any of this.
    """

    def __init__(
        self,
        name: str,
        *,
        overrides: Sequence[str] = (),
        root: Path | str | None = None,
        replicates: int = 2000,
        run: str = "",
        num_errors: int = 8,
    ):
        """Look at a sweep for the first time.

        Args:
            name: of the file, as `workbench.sweeps.read_sweep` takes it.
            overrides: of all fine-tunings, after those of the file.
            root: of the run folders; None: `outputs/runs` of the project.
            replicates: resamples of the bootstrap.
            run: id of the one that is open at first; "" is the newest finished fine-tuning.
            num_errors: pictures that are shown of an open run.
        """
        self.name, self.sweep, self._overrides = name, read_sweep(name), list(overrides)
        self.watch = SweepWatch(self.sweep, root=root, overrides=overrides)
        self.results = SweepResults(self.sweep, replicates=replicates)
        self.lock = threading.RLock()
        self._listeners: list[Callable[[], None]] = []
        self._cost = self._computed = 0.0
        self.numbers = pd.DataFrame()
        self._compute()
        self.looked = datetime.datetime.now()
        newest = max((one.outcome.run.id for one in self.results.cells), default="")
        self.viewer = RunViewer(self._known, run=run or newest, num_errors=num_errors)

    def refresh(self, *, at_once: bool = True) -> bool:
        """Look again; return whether there is anything new to draw.

        Args:
            at_once: compute the numbers now, and try again what could not be planned. Otherwise they wait
                until computing has taken no more than `SHARE` of the time.
        """
        changed = self.watch.look(again=at_once)
        self.looked = datetime.datetime.now()
        stale = [one.outcome.run.id for one in self.watch.finished_cells()] != [
            one.outcome.run.id for one in self.results.cells
        ]
        due = at_once or time.monotonic() - self._computed >= self._cost / SHARE
        if stale and due:
            self._compute()
        return changed or (stale and due)

    def listen(self, tell: Callable[[], None]) -> None:
        """Call a function whenever there is something new."""
        self._listeners.append(tell)

    def tell(self) -> None:
        """Say to all who listen that there is something new."""
        for tell in list(self._listeners):
            tell()

    @property
    def is_over(self) -> bool:
        """Whether every cell is finished and all numbers are computed."""
        finished = self.watch.counts()[FINISHED]
        return finished == len(self.watch.cells) == len(self.results.cells)

    @property
    def runs(self) -> list[Run]:
        """The fine-tunings whose numbers are shown."""
        return runs_of(self.results.cells)

    @property
    def share(self) -> float:
        """Share of the cells that are finished."""
        return self.watch.counts()[FINISHED] / len(self.watch.cells)

    @property
    def command(self) -> str:
        """What to type to do what is missing."""
        return shlex.join(["workbench", "sweep", self.name, *self._overrides])

    @property
    def caption(self) -> str:
        """One line: how many cells are in which state, and the estimated end."""
        counts = self.watch.counts()
        parts = [f"{counts[FINISHED]} of {len(self.watch.cells)} fine-tunings finished"]
        parts += [f"{counts[state]} {state}" for state in (RUNNING, FAILED) if counts[state]]
        done = sum(one.state == FINISHED for one in self.watch.pretrainings.values())
        if done < len(self.watch.pretrainings):
            parts.append(f"{done} of {len(self.watch.pretrainings)} pre-trainings")
        parts.append(in_words(forecast(self.watch), self.looked))
        return " | ".join(filter(None, parts))

    def note(self, target: str) -> str:
        """Return the line under a title of a target: data, patients, seeds, what the intervals are."""
        some = [one.outcome.run for one in self.results.cells if one.target == target]
        return runs.note_of_grid(some) if some else "nothing is finished yet"

    def matrix(self) -> Any:
        """Return the figure of all cells."""
        title = f"{self.name}, {self.looked:%Y-%m-%d %H:%M:%S}"
        sources = " | ".join(dict.fromkeys(runs.note_of(one) for one in self.runs))
        note = "\n".join(filter(None, (sources, self.caption)))
        return sweep_matrix(self.watch.cells, self.watch.pretrainings, title=title, note=note)

    def problems(self) -> str:
        """Return what is missing, why, and what makes it, as HTML; "" where nothing is."""
        return sweep_html.problems(self.watch.cells, self.watch.pretrainings, command=self.command)

    def tables(self) -> list[str]:
        """Return the table of every target that has a number."""
        return [
            sweep_html.result_table(
                self.numbers,
                target,
                methods=list(self.sweep.methods),
                num_seeds=len(self.sweep.seeds),
                comparator=self.sweep.comparator,
                note=f"{self.note(target)} | third line: minus {method_name(self.sweep.comparator)}, paired; "
                "p of the t-test over seeds",
            )
            for target in self.targets
        ]

    @property
    def targets(self) -> list[str]:
        """Targets with a number, in the order of the file."""
        there = set(self.numbers["target"]) if len(self.numbers) else set()
        return [target for target in self.sweep.targets if target in there]

    def by_finding(self, label_ratio: float = 0.0) -> Chooser:
        """Return the AUROC of each finding, by target and label ratio.

        Args:
            label_ratio: to begin with; 0 is the smallest.
        """
        ratios = sorted(self.sweep.label_ratios)

        def draw(target: str, **chosen: float) -> list[Any]:
            ratio = chosen["label ratio"]
            found = self.results.findings(target, ratio)
            note = f"{100 * ratio:g} % of the labels | {self.note(target)}"
            if found.empty:
                return [curation.nothing("AUROC of each finding: nothing is finished yet", note=note)]
            return [sweep_findings(found, methods=list(self.sweep.methods), note=note)]

        menus = {
            "target": [(name, name) for name in self.sweep.targets],
            "label ratio": [(f"{100 * ratio:g} %", ratio) for ratio in ratios],
        }
        return Chooser(menus, draw, chosen={"label ratio": label_ratio or ratios[0]}, listen=self.listen)

    def label_efficiency(self, method: str = "") -> Chooser:
        """Return how many labels are enough, of all methods and in detail of one.

        Args:
            method: to begin with; "" is the comparator, or the first method where that is none.
        """
        methods = list(self.sweep.methods)
        first = method or (self.sweep.comparator if self.sweep.comparator in methods else methods[0])

        def draw(target: str, method: str) -> list[Any]:
            if target not in self.targets:
                return [curation.nothing("How many labels are enough: nothing is finished yet")]
            read, note = self.results.resamples(target), self.note(target)
            table = sweep_html.efficiency_table(read.enough(), methods=methods, target=target, note=note)
            others = [
                one for one in read.methods if one != method and read.label_ratios[-1] in read.ratios_of(one)
            ]
            if method not in read.methods or not others:
                return [table]
            steps = {other: read.label_steps(method, other) for other in sorted(others, key=methods.index)}
            return [table, sweep_html.label_steps(steps, method=method, target=target, note=note)]

        menus = {
            "target": [(name, name) for name in self.sweep.targets],
            "method": [(method_name(name), name) for name in methods],
        }
        return Chooser(menus, draw, chosen={"method": first}, listen=self.listen)

    def static(self) -> list[Any]:
        """Return matrix, problems and tables as they are now."""
        return [self.matrix(), *filter(None, [self.problems()]), *self.tables()]

    def live(self) -> Any:
        """Return the widget, which looks again by itself until all is finished."""
        return sweep_shell(self)

    def _known(self) -> dict[str, tuple[Run, str]]:
        pretrained = {
            one.run.id: (one.run, f"pre-training of {name}")
            for name, one in self.watch.pretrainings.items()
            if one.run
        }
        return pretrained | {
            one.found.run.id: (one.found.run, one.title) for one in self.watch.cells if one.found.run
        }

    def _compute(self) -> None:
        start = time.monotonic()
        self.results.update(self.watch.finished_cells())
        self.numbers = self.results.summary()
        self._computed = time.monotonic()
        self._cost = self._computed - start
