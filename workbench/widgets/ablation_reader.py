"""What each part of a method is worth, read from a sweep in which one method after the other lacks one."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench import theme
from workbench.figures import curation, effects, runs
from workbench.figures.curve_overlay import curve_overlay
from workbench.published import printed_table
from workbench.sweep_reading.effects import effects as read_effects
from workbench.sweep_reading.effects import finding_effects, interaction
from workbench.sweep_reading.printed_effects import ABLATIONS, printed_effects
from workbench.sweep_reading.watch import FINISHED
from workbench.sweeps import read_sweep
from workbench.tables import method_name, run_table
from workbench.widgets.chooser import Chooser
from workbench.widgets.sweep_monitor import SweepMonitor

AXIS = "difference of mean AUROC, points (left: worse without it)"
ABOUT = "points of mean AUROC [95 %, paired]; bold: the interval leaves 0 out"


class AblationReader:
    """A sweep whose methods differ from one of them in one thing each.

    Attributes:
        monitor: what is there of the sweep.
        comparator: the method with all parts.
    """

    def __init__(
        self,
        name: str,
        *,
        comparator: str = "",
        overrides: Sequence[str] = (),
        replicates: int = 2000,
        root: Path | str | None = None,
    ):
        """Look which runs are there.

        Args:
            name: of the sweep.
            comparator: method that the others are compared with; "" is that of the file.
            overrides: of all fine-tunings, after those of the file.
            replicates: resamples of the bootstrap.
            root: of the run folders; None: `outputs/runs` of the project.

        Raises:
            ValueError: the sweep has no such method.
        """
        sweep = read_sweep(name)
        self.comparator = comparator or sweep.comparator
        if self.comparator not in sweep.methods:
            known = ", ".join(sweep.methods)
            raise ValueError(f"The sweep has no method {self.comparator!r}; it has {known}.")
        self.monitor = SweepMonitor(name, overrides=overrides, replicates=replicates, root=root)

    def missing(self) -> list[Any]:
        """Return the states of all runs, and what makes those that are missing."""
        return [self.monitor.matrix(), *filter(None, [self.monitor.problems()])]

    def effects(self) -> Chooser:
        """Return every method minus the comparator, beside the paper's numbers."""

        def draw(target: str, comparator: str) -> list[Any]:
            note = self.monitor.note(target)
            found = self._with_series(
                read_effects(self.monitor.results.resamples(target), comparator)
                if target in self.monitor.targets
                else None
            )
            printed = self._printed(comparator)
            methods = [name for name in self.monitor.sweep.methods if name != comparator]
            table = effects.effect_table(
                found,
                printed,
                methods=methods,
                comparator=comparator,
                about=ABOUT,
                source=printed_table(ABLATIONS).source,
                note=note,
            )
            figure = effects.effect_figure(
                found, printed, methods=methods, comparator=comparator, axis=AXIS, note=note
            )
            return [figure, table]

        return self._chooser(draw, target=True, comparator=True)

    def together(self, four: Sequence[str]) -> Chooser:
        """Return whether two parts do more together than the sum of each.

        Args:
            four: methods with both parts, with the one, with the other, with neither; or empty.

        Raises:
            ValueError: not four methods of the sweep.
        """
        known = list(self.monitor.sweep.methods)
        for name in four:
            if name not in known:
                raise ValueError(f"The sweep has no method {name!r}; it has {', '.join(known)}.")

        def draw(target: str) -> list[Any]:
            note = self.monitor.note(target)
            if not four:
                return [curation.nothing("Together or each alone: no four methods were named", note=note)]
            if target not in self.monitor.targets:
                return [curation.nothing("Together or each alone: nothing is finished yet", note=note)]
            read = self.monitor.results.resamples(target)
            found = interaction(read, four)
            lacking = [name for name in four if name not in read.methods]
            reason = f"missing: {', '.join(map(method_name, lacking))}" if lacking else ""
            return [effects.interaction_table(found, four, reason=reason, note=note)]

        return self._chooser(draw, target=True)

    def by_finding(self, label_ratio: float = 0.0) -> Chooser:
        """Return the change of every finding as a heat map; `label_ratio` is the first, 0 the smallest."""

        def draw(target: str, comparator: str, **chosen: float) -> list[Any]:
            ratio, note = chosen["label ratio"], self.monitor.note(target)
            found = self._finding_effects(target, comparator, ratio)
            return [effects.finding_heat_map(found, comparator=comparator, label_ratio=ratio, note=note)]

        return self._chooser(draw, target=True, comparator=True, label_ratio=label_ratio)

    def factor(self, method: str = "", label_ratio: float = 0.0) -> Chooser:
        """Return one method beside the comparator: finding by finding, and how both have learnt.

        Args:
            method: to begin with; "" is the first that is not the comparator.
            label_ratio: to begin with; 0 is the smallest.
        """
        names = list(self.monitor.sweep.methods)

        def draw(method: str, target: str, comparator: str, **chosen: float) -> list[Any]:
            ratio, note = chosen["label ratio"], self.monitor.note(target)
            found = self._finding_effects(target, comparator, ratio)
            one = effects.finding_figure(
                found[found["method"] == method],
                method=method,
                comparator=comparator,
                note=f"{100 * ratio:g} % of the labels | {note}",
            )
            return [one, *self._curves(method, comparator, target, ratio)]

        first = method or next(name for name in names if name != self.comparator)
        menus = {"method": [(method_name(name), name) for name in names]}
        return self._chooser(
            draw, menus, {"method": first}, target=True, comparator=True, label_ratio=label_ratio
        )

    def runs(self) -> pd.DataFrame:
        """List the fine-tunings that were read."""
        return run_table(self.monitor.runs)

    def _curves(self, method: str, comparator: str, target: str, label_ratio: float) -> list[Any]:
        pair = list(dict.fromkeys((method, comparator)))
        colours = theme.method_colours(pair)
        found = self.monitor.watch.pretrainings
        trained = {name: found[name].run for name in pair if name in found and found[name].run}
        pretrained = {name: [run.metrics()] for name, run in trained.items()}
        note = " | ".join(dict.fromkeys(map(runs.note_of, trained.values())))
        tuned = {
            name: [
                one.found.run.metrics()
                for one in self.monitor.watch.cells
                if one.place[:3] == (target, name, label_ratio) and one.found.state == FINISHED
            ]
            for name in pair
        }
        at = f"{100 * label_ratio:g} % of the labels, a line for each seed"
        return [
            curve_overlay(pretrained, colours=colours, title="Losses of the pre-trainings", note=note),
            curve_overlay(
                tuned,
                colours=colours,
                title=f"Losses of the fine-tunings, {at}",
                note=self.monitor.note(target),
            ),
        ]

    def _finding_effects(self, target: str, comparator: str, label_ratio: float) -> pd.DataFrame:
        if target not in self.monitor.targets:
            return pd.DataFrame(columns=["method", "finding", "difference", "low", "high", "num_positives"])
        return finding_effects(self.monitor.results.resamples(target), comparator, label_ratio)

    def _printed(self, comparator: str) -> dict[tuple[str, str], float]:
        """Return the printed effects; all labels were used, so they stand beside our largest ratio."""
        series = _series(max(self.monitor.sweep.label_ratios))
        printed = printed_effects(self.monitor.sweep, comparator)
        return {(name, series): value for name, value in printed.items()}

    def _with_series(self, found: pd.DataFrame | None) -> pd.DataFrame:
        if found is None:
            return pd.DataFrame(columns=["method", "series", "difference", "low", "high"])
        ranks = {name: rank for rank, name in enumerate(self.monitor.sweep.methods)}
        ordered = found.sort_values(
            ["label_ratio", "method"],
            key=lambda column: column.map(ranks) if column.name == "method" else column,
            ignore_index=True,
        )
        return ordered.assign(series=[_series(ratio) for ratio in ordered["label_ratio"]])

    def _chooser(
        self,
        draw: Callable[..., list[Any]],
        menus: Mapping[str, Sequence[tuple[str, Any]]] | None = None,
        chosen: Mapping[str, Any] | None = None,
        *,
        target: bool = False,
        comparator: bool = False,
        label_ratio: float | None = None,
    ) -> Chooser:
        """Return a chooser with the menus that are asked for."""
        offers, first = dict(menus or {}), dict(chosen or {})
        if target:
            offers["target"] = [(name, name) for name in self.monitor.sweep.targets]
        if comparator:
            offers["comparator"] = [(method_name(name), name) for name in self.monitor.sweep.methods]
            first["comparator"] = self.comparator
        if label_ratio is not None:
            ratios = sorted(self.monitor.sweep.label_ratios)
            offers["label ratio"] = [(f"{100 * ratio:g} %", ratio) for ratio in ratios]
            first["label ratio"] = label_ratio or ratios[0]
        return Chooser(offers, draw, chosen=first)


def _series(label_ratio: float) -> str:
    return f"{100 * label_ratio:g} % of the labels"
