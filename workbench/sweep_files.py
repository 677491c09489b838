"""The files that `workbench sweep` and `workbench variants` read."""

from pathlib import Path
from typing import Any

import yaml

from workbench.recipe import RECIPES

KINDS = {
    "sweep": ("methods", "a sweep of methods"),
    "variants": ("variants", "variants of one recipe"),
}
"""Verb -> the key that its files alone have, and what they hold."""


def read_sweep_file(verb: str, name: str) -> tuple[Path, Any]:
    """Read a file of one kind.

    Args:
        verb: of `KINDS`.
        name: below `workbench/recipes` ("sweeps/table1_phantom"), or a path.

    Returns:
        Its path and what YAML makes of it, which may still be of another form.

    Raises:
        FileNotFoundError: no such file; holds the known names.
        ValueError: no YAML, or a file of the other kind; says what to type.
    """
    places = (RECIPES / f"{name}.yaml", Path(name), RECIPES.parent / name)
    path = next((one for one in places if one.is_file()), None)
    key, holds = KINDS[verb]
    if path is None:
        files = sorted((RECIPES / "sweeps").glob("*.yaml"))
        known = ", ".join(f"sweeps/{one.stem}" for one in files if f"\n{key}:" in one.read_text("utf-8"))
        raise FileNotFoundError(f"There is no file {name!r} of {holds}. Known: {known}.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    for other, (other_key, other_holds) in KINDS.items():
        if other != verb and isinstance(values, dict) and other_key in values:
            raise ValueError(f"{path} holds {other_holds}. Type: workbench {other} {name}")
    return path, values
