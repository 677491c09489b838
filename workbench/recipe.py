"""Recipes: YAML files that name a run, and what their keys and sections may be."""

import dataclasses
import difflib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lib.config import build, read_recipe

PROJECT = Path(__file__).resolve().parents[1]
RECIPES = Path(__file__).resolve().parent / "recipes"

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A merged recipe with its overrides, not yet checked against the schemas of its sections."""

    name: str
    values: Mapping[str, Any]

    @classmethod
    def read(cls, name: str, overrides: Sequence[str] = ()) -> "Recipe":
        """Read a recipe by its short name ("refers/phantom") or path.

        Raises:
            FileNotFoundError: unknown recipe; holds the closest match.
            ValueError: an override that is not `key=value`.
        """
        path = find_recipe(name)
        inside = path.resolve().is_relative_to(RECIPES)
        short = path.resolve().relative_to(RECIPES).with_suffix("").as_posix() if inside else path.stem
        return cls(short, read_recipe(path, overrides))

    def check_keys(self, known: Collection[str]) -> None:
        """Raise the ValueError that names a top-level key that is not known."""
        for key in self.values:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise ValueError(
                    f"Recipe {self.name}: unknown key {key!r}.{hint} Known keys: {', '.join(known)}."
                )

    def section(self, key: str, schema: type[T], **fixed: Any) -> T:
        """Build the dataclass of one section.

        Args:
            key: of the section; a missing section means all defaults.
            schema: the dataclass.
            fixed: fields that top-level keys of the recipe set.

        Raises:
            ValueError: unknown key or wrong type; names the key, the recipe and the known keys.
        """
        where = f"Recipe {self.name}, section {key}"
        values = self.values.get(key)
        if not fixed or not isinstance(values, Mapping | None):
            return build(schema, values, where=where)
        for name in fixed.keys() & (values or {}).keys():
            raise ValueError(f"{where}: {name} is set by the top-level key {name!r}, not here.")
        return build(schema, {**(values or {}), **fixed}, where=where)

    def __getitem__(self, key: str) -> Any:
        """Return a top-level value.

        Raises:
            ValueError: the recipe does not have it.
        """
        if self.values.get(key) is None:
            raise ValueError(
                f"Recipe {self.name} does not say {key!r}; add it, or give {key}=... behind its name."
            )
        return self.values[key]

    def get(self, key: str, default: T) -> T:
        """Return a top-level value or the default; its type must be that of the default.

        Raises:
            ValueError: another type.
        """
        value = self.values.get(key, default)
        if type(value) is not type(default):
            raise ValueError(f"Recipe {self.name}: {key} is {value!r}; it must be like {default!r}.")
        return value


def known_recipes() -> list[str]:
    """Return the short names of the recipes that come with the workbench; a sweep is no recipe."""
    paths = [path.relative_to(RECIPES) for path in RECIPES.rglob("*.yaml")]
    return sorted(path.with_suffix("").as_posix() for path in paths if path.parts[0] != "sweeps")


def find_recipe(name: str) -> Path:
    """Return the file that a short name or a path means.

    Raises:
        FileNotFoundError: neither is there; holds the closest match and the names of its kind, or the kinds.
    """
    for path in (RECIPES / f"{name}.yaml", Path(name), Path(f"{name}.yaml")):
        if path.is_file():
            return path
    known = known_recipes()
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    kind = (close[0] if close else name).partition("/")[0]
    kinds = sorted({f"{one.partition('/')[0]}/" for one in known})
    shown = [one for one in known if one.startswith(f"{kind}/")] or kinds
    raise FileNotFoundError(f"There is no recipe {name!r}.{hint} Known: {', '.join(shown)}.")
