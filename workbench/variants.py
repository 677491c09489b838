"""One recipe with one setting changed at a time, as tables of hyper-parameters have it."""

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.judgements import judge_once
from workbench.judging import JudgeConfig
from workbench.plan import plan
from workbench.runs import Run, find_finished
from workbench.sweep_files import read_sweep_file

KEYS = ("recipe", "variants")


@dataclasses.dataclass(frozen=True)
class Variants:
    """A recipe and what is changed of it.

    Attributes:
        recipe: its name.
        overrides: name of a variant -> what it changes.
    """

    recipe: str
    overrides: dict[str, tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class VariantRun:
    """A variant and the run that was trained by it.

    Attributes:
        name: of the variant.
        changes: overrides of the recipe.
        run: None where nobody has trained it yet.
    """

    name: str
    changes: tuple[str, ...]
    run: Run | None


def read_variants(name: str, recipe: str = "") -> Variants:
    """Read a file of variants.

    Args:
        name: below `workbench/recipes` ("sweeps/convirt_table3"), or a path.
        recipe: in place of that of the file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it has another form; says which.
    """
    path, values = read_sweep_file("variants", name)
    variants = values.get("variants") if isinstance(values, dict) else None
    if not isinstance(variants, dict) or set(values) != set(KEYS) or not isinstance(values["recipe"], str):
        raise ValueError(f"{path} must hold `recipe`, a name, and `variants`, and nothing else.")
    for title, changes in variants.items():
        if not isinstance(changes, list) or not all(isinstance(one, str) for one in changes):
            raise ValueError(f"{path}: variant {title!r} must be a list of key=value; found {changes!r}.")
    return Variants(recipe or values["recipe"], {str(title): tuple(one) for title, one in variants.items()})


def find_variants(
    name: str, recipe: str = "", overrides: Sequence[str] = (), *, root: Path | str | None = None
) -> list[VariantRun]:
    """Look which variants are trained; nothing is trained here.

    Args:
        name: of the file.
        recipe: in place of that of the file.
        overrides: of all variants; what a variant changes comes after them.
        root: of the run folders; None: `outputs/runs` of the project.

    Raises:
        FileNotFoundError: no such file, recipe or store.
        ValueError: a key or value that does not fit the recipe.
    """
    variants = read_variants(name, recipe)
    return [
        VariantRun(
            title, changes, find_finished(plan(variants.recipe, [*overrides, *changes], root=root), root)
        )
        for title, changes in variants.overrides.items()
    ]


def training_command(name: str, recipe: str = "", overrides: Sequence[str] = ()) -> str:
    """Return what to type to train every variant that is missing."""
    named = ["--recipe", recipe] if recipe else []
    return shlex.join(["workbench", "variants", name, *overrides, *named])


def train_variants(
    name: str, recipe: str = "", overrides: Sequence[str] = (), *, root: Path | str | None = None
) -> list[VariantRun]:
    """Train every variant that is missing, one after another; arguments as in `find_variants`."""
    from workbench.train import train

    variants = read_variants(name, recipe)
    for changes in variants.overrides.values():
        train(variants.recipe, [*overrides, *changes], root=root)
    return find_variants(name, recipe, overrides, root=root)


def judge_variants(variants: Sequence[VariantRun], config: JudgeConfig) -> dict[str, dict[str, Any]]:
    """Judge the variants that are trained, each on its own store; by their names."""
    return {one.name: judge_once(one.run, config=config) for one in variants if one.run}
