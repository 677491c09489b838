"""Configuration: a dataclass from YAML and dotted overrides; the only file that knows OmegaConf."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

T = TypeVar("T")


def build(schema: type[T], values: Mapping[str, Any] | None = None, *, where: str = "") -> T:
    """Make a plain dataclass instance from a mapping, checking names and types.

    Args:
        schema: the dataclass type; its defaults hold where `values` is silent.
        values: nested mapping, as read from YAML.
        where: what the values belong to, for the error message ("recipe x.yaml, section train").

    Raises:
        ValueError: unknown key or wrong type; names the key, the place and the known keys.
    """
    try:
        merged = OmegaConf.merge(OmegaConf.structured(schema), OmegaConf.create(dict(values or {})))
        return OmegaConf.to_object(merged)  # type: ignore[return-value]
    except OmegaConfBaseException as error:
        known = ", ".join(field.name for field in dataclasses.fields(schema))
        reason = str(error).splitlines()[0]
        raise ValueError(f"{where or schema.__name__}: {reason}. Known keys: {known}.") from error


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a YAML recipe, its `base:` chain below it and dotted overrides above it.

    Args:
        path: the recipe; `base:` names another one relative to its folder.
        overrides: `"train.steps=100"` and so on; the last one wins.

    Raises:
        FileNotFoundError: the recipe or a base is missing.
        ValueError: an override without `=`, or a key that no recipe of the chain and no schema has.
    """
    layers, seen = [], []
    current: Path | None = Path(path)
    while current is not None:
        if not current.is_file():
            raise FileNotFoundError(f"Recipe {current} does not exist{_named_by(seen)}.")
        if current.resolve() in seen:
            raise ValueError(f"Recipe {current}: its base chain leads back to itself.")
        seen.append(current.resolve())
        layer = OmegaConf.load(current)
        base = layer.pop("base", None)
        layers.append(layer)
        current = current.parent / f"{base}.yaml" if base else None
    for override in overrides:
        if "=" not in override:
            raise ValueError(f"Override {override!r} is not of the form key=value.")
    return OmegaConf.to_container(OmegaConf.merge(*reversed(layers), OmegaConf.from_dotlist(list(overrides))))


def to_plain(config: Any) -> dict[str, Any]:
    """Turn a dataclass instance (nested) into plain dicts, lists and scalars."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def config_hash(values: Mapping[str, Any]) -> str:
    """Hash a nested mapping: 64 hex digits, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _named_by(seen: list[Path]) -> str:
    return f" (named as base by {seen[-1].name})" if seen else ""
