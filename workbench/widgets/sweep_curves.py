"""Label-ratio curves of any methods of a sweep; a click opens the run of a point."""

from collections.abc import Sequence
from typing import Any

from workbench.figures import curation
from workbench.figures.sweep_curves import sweep_curves
from workbench.sweep_reading.watch import FINISHED
from workbench.widgets.curves_shell import curves_shell
from workbench.widgets.sweep_monitor import SweepMonitor


class SweepCurves:
    """Which methods are drawn.

    Attributes:
        monitor: of the sweep.
        methods: that are drawn, in the order of the file.
        target: whose curves.
        viewer: the run that was clicked.
    """

    def __init__(self, monitor: SweepMonitor, methods: Sequence[str] = ()):
        """Draw some methods of the first target.

        Args:
            monitor: of the sweep.
            methods: names; empty: all.

        Raises:
            ValueError: the sweep has no such method.
        """
        self.monitor = monitor
        self.target = next(iter(monitor.sweep.targets))
        self.viewer = monitor.viewer
        self.choose(methods)

    def choose(self, methods: Sequence[str]) -> None:
        """Draw these methods; empty: all.

        Raises:
            ValueError: the sweep has no such method.
        """
        known = list(self.monitor.sweep.methods)
        for name in methods:
            if name not in known:
                raise ValueError(f"The sweep has no method {name!r}; it has {', '.join(known)}.")
        self.methods = [name for name in known if name in methods or not methods]

    def look_at(self, target: str) -> None:
        """Draw the curves of another target."""
        self.target = target

    def figure(self, target: str = "") -> Any:
        """Return the curves of a target; "" is the chosen one."""
        target = target or self.target
        numbers = self.monitor.numbers
        shown = (
            numbers[(numbers["target"] == target) & numbers["method"].isin(self.methods)]
            if len(numbers)
            else numbers
        )
        note = f"{target} | {self.monitor.note(target)}"
        if shown.empty:
            return curation.nothing("AUROC against label ratio: nothing is finished yet", note=note)
        computed = {one.outcome.run.id for one in self.monitor.results.cells}
        cells = [
            one
            for one in self.monitor.watch.cells
            if one.target == target and one.found.state == FINISHED and one.found.run.id in computed
        ]
        return sweep_curves(shown, cells, methods=list(self.monitor.sweep.methods), note=note)

    def static(self) -> list[Any]:
        """Return the curves of every target."""
        return [self.figure(target) for target in self.monitor.sweep.targets]

    def live(self) -> Any:
        """Return the widget."""
        return curves_shell(self)
