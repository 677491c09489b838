"""The configs of many runs at once: what differs in numbers only is planned once."""

import copy
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.plan import plan

SWEPT = ("seed=", "finetune.label_ratio=", "finetune.draw=")
"""Overrides in which the cells of a method differ: numbers that stand in the config as they are."""


class JobPlans:
    """Configs as `workbench.plan.plan` gives them, for runs of which many differ in nothing but `SWEPT`.

    To plan takes a tenth of a second, most of it to merge and check the sections of the recipe.

    Attributes:
        planned: recipe and its other overrides -> config of the first of these runs.
    """

    def __init__(self, root: Path | str | None = None):
        """Plan nothing yet; `root` as for `plan`."""
        self._root = root
        self.planned: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}

    def plan(self, recipe: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
        """Return what `workbench.plan.plan` does, and raise what it does."""
        swept = [one for one in overrides if one.startswith(SWEPT)]
        alike = (recipe, tuple(one for one in overrides if one not in swept))
        if alike not in self.planned:
            self.planned[alike] = plan(recipe, overrides, root=self._root)
        config = copy.deepcopy(self.planned[alike])
        for override in swept:
            name, _, value = override.partition("=")
            *sections, key = name.split(".")
            section = functools.reduce(lambda values, one: values[one], sections, config)
            section[key] = type(section[key])(value)
        return config
