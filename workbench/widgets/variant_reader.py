"""What each changed setting of a pre-training does, read from a file of variants."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench import theme
from workbench.figures import curation, effects, judged
from workbench.figures.curve_overlay import curve_overlay
from workbench.figures.variant_table import variant_table
from workbench.judging import JudgeConfig
from workbench.published import printed_table
from workbench.sweep_reading.measure_effects import measure_effects, printed_measure_effects
from workbench.variants import find_variants, judge_variants, training_command
from workbench.widgets.chooser import Chooser

PRINTED = "convirt_table_3"
AXIS = "difference, points (left: worse than the default)"
ABOUT = "points [95 % of unpaired judgements, so rather too wide]; bold: it leaves 0 out"


class VariantReader:
    """Variants of one recipe, each judged without training on; the same questions as of a sweep.

    Attributes:
        variants: those of the file, trained or not.
        comparator: the variant that the others are compared with.
        judged: name -> judgement of those that are trained.
    """

    def __init__(
        self,
        name: str,
        *,
        comparator: str = "",
        overrides: Sequence[str] = (),
        root: Path | str | None = None,
        config: JudgeConfig | None = None,
    ):
        """Look which variants are trained, and judge them once.

        Args:
            name: of the file.
            comparator: variant that the others are compared with; "" is the first.
            overrides: of all variants.
            root: of the run folders; None: `outputs/runs` of the project.
            config: how they are judged.

        Raises:
            ValueError: the file has no such variant.
        """
        self.variants = find_variants(name, overrides=overrides, root=root)
        self.command = training_command(name, overrides=overrides)
        known = [one.name for one in self.variants]
        self.comparator = comparator or known[0]
        if self.comparator not in known:
            raise ValueError(f"The file has no variant {self.comparator!r}; it has {', '.join(known)}.")
        self.judged = judge_variants(self.variants, config or JudgeConfig())

    def missing(self) -> list[Any]:
        """Return all variants with the paper's values, and what trains those that are missing."""
        return [variant_table(self.variants, self.judged, command=self.command, note=self._note)]

    def effects(self) -> Chooser:
        """Return every variant minus the comparator, beside the paper's numbers."""

        def draw(comparator: str) -> list[Any]:
            names, table = [one.name for one in self.variants], printed_table(PRINTED)
            found = measure_effects(self.judged, comparator)
            printed = printed_measure_effects(table, names, comparator)
            others = [name for name in names if name != comparator]
            numbers = effects.effect_table(
                found,
                printed,
                methods=others,
                comparator=comparator,
                about=ABOUT,
                source=table.source,
                note=self._note,
            )
            figure = effects.effect_figure(
                found, printed, methods=others, comparator=comparator, axis=AXIS, note=self._note
            )
            return [figure, numbers]

        menus = {"comparator": [(one.name, one.name) for one in self.variants]}
        return Chooser(menus, draw, chosen={"comparator": self.comparator})

    def together(self, four: Sequence[str]) -> list[Any]:
        """Say that there is no such question: each variant changes one setting."""
        return [curation.nothing("Together or each alone: each variant changes one setting", note=self._note)]

    def by_finding(self, label_ratio: float = 0.0) -> list[Any]:
        """Return the zero-shot AUROC of each finding."""
        if not self.judged:
            return [curation.nothing("Finding by finding: no variant is trained yet")]
        return [judged.zero_shot_by_finding(self.judged, note=self._note)]

    def factor(self, method: str = "", label_ratio: float = 0.0) -> Chooser:
        """Return how one variant and the comparator have learnt; `method` is the first to be shown."""
        names = [one.name for one in self.variants]

        def draw(variant: str, comparator: str) -> list[Any]:
            pair = dict.fromkeys((variant, comparator))
            logs = {one.name: [one.run.metrics()] for one in self.variants if one.run and one.name in pair}
            colours = theme.method_colours(names)
            return [
                curve_overlay(logs, colours=colours, title="Losses of the pre-trainings", note=self._note)
            ]

        menus = {name: [(one, one) for one in names] for name in ("variant", "comparator")}
        first = method or next((name for name in names if name != self.comparator), self.comparator)
        return Chooser(menus, draw, chosen={"variant": first, "comparator": self.comparator})

    def runs(self) -> pd.DataFrame:
        """List the variants and their runs."""
        rows = [(one.name, " ".join(one.changes), one.run.id if one.run else "") for one in self.variants]
        return pd.DataFrame(rows, columns=["variant", "changes", "run"])

    @property
    def _note(self) -> str:
        return judged.note_of(self.judged) if self.judged else "no variant is trained yet"
