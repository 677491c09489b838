"""One run of a sweep opened: what it is, how it learnt, what it is most wrong about."""

from collections.abc import Callable, Mapping
from typing import Any

from workbench.figures import curation, one_run, runs
from workbench.runs import Run
from workbench.sweep_reading.worst_errors import worst_errors
from workbench.widgets.run_shell import run_shell

ANY = ""
"""In place of a finding: whichever a picture is worst in."""


class RunViewer:
    """Which run is open.

    Attributes:
        run: it, None where none is.
        finding: whose errors are shown; `ANY` for all.
        message: why the last wish was not granted, "" where it was.
    """

    def __init__(
        self, known: Callable[[], Mapping[str, tuple[Run, str]]], *, run: str = "", num_errors: int = 8
    ):
        """Open a run, or none yet.

        Args:
            known: returns id -> run and its place in words.
            run: id of the first one.
            num_errors: pictures that are shown.
        """
        self._known, self._num_errors = known, num_errors
        self.run: Run | None = None
        self.finding, self.message, self._place = ANY, "", ""
        self._listeners: list[Callable[[], None]] = []
        if run:
            self.open(run)

    def open(self, name: str) -> None:
        """Open a run by its id; `message` says where there is none, and the open one stays."""
        known = self._known()
        if name not in known:
            self.message = f"There is no run {name!r} in this sweep." if name else "This one has no run yet."
            return
        self.message = ""
        self.run, self._place = known[name]
        if self.finding not in self.findings:
            self.finding = ANY
        for tell in self._listeners:
            tell()

    def look_at(self, finding: str) -> None:
        """Show the errors in one finding, or in `ANY`."""
        self.finding = finding

    def listen(self, tell: Callable[[], None]) -> None:
        """Call a function whenever another run is opened."""
        self._listeners.append(tell)

    @property
    def findings(self) -> list[str]:
        """Findings that the run predicts, empty where it predicts none."""
        if self.run is None or not (self.run.folder / "predictions.parquet").is_file():
            return []
        return list(self.run.result()["targets"])

    def card(self) -> str:
        """Return what the run is, as HTML."""
        return one_run.run_card(self.run, place=self._place)

    def curves(self) -> Any:
        """Return the learning curves."""
        return runs.losses(self.run)

    def errors(self) -> Any:
        """Return the test pictures with the highest loss."""
        found = worst_errors(self.run, count=self._num_errors, finding=self.finding)
        of = f" in {self.finding}" if self.finding else ""
        return one_run.worst_error_sheet(
            found, title=f"What it is most wrong about{of}", note=f"{runs.note_of(self.run)} | test pictures"
        )

    def views(self) -> list[Any]:
        """Return card, curves and errors, as far as there are any."""
        if self.run is None:
            return [curation.nothing("No run is open", note=self.message)]
        return [self.card(), self.curves(), *([self.errors()] if self.findings else [])]

    def static(self) -> list[Any]:
        """Return the views."""
        return self.views()

    def live(self) -> Any:
        """Return the widget."""
        return run_shell(self)
