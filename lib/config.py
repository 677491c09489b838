"""Configuration: a dataclass from YAML and dotted overrides; the only file that knows OmegaConf."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

T = TypeVar("T")

REPLACED = ("encoder",)
"""Sections that begin afresh where a recipe gives them another `name` than its base: the fields of one
network mean nothing to another."""


def build(schema: type[T], values: Mapping[str, Any] | None = None, *, where: str = "") -> T:
    """Make a plain dataclass instance from a mapping, checking names and types.

    Args:
        schema: the dataclass type; its defaults hold where `values` is silent.
        values: nested mapping, as read from YAML.
        where: what the values belong to, for the error message ("recipe x.yaml, section train").

    Raises:
        ValueError: unknown or missing key, wrong type, or a value that the dataclass itself refuses; names
            the key, the place and the known keys.
    """
    where = where or schema.__name__
    if values is not None and not isinstance(values, Mapping):
        raise ValueError(f"{where}: expected keys with values, got {values!r}. {_known_keys(schema)}")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(schema), OmegaConf.create(dict(values or {})))
        return OmegaConf.to_object(merged)  # type: ignore[return-value]
    except OmegaConfBaseException as error:
        key = f"{error.full_key}: " if error.full_key else ""
        owner = error.object_type if dataclasses.is_dataclass(error.object_type) else schema
        reason = str(error).splitlines()[0]
        stop = "" if reason.endswith((".", "?")) else "."
        raise ValueError(f"{where}: {key}{reason}{stop} {_known_keys(owner)}") from error
    except ValueError as error:  # of the dataclass's own __post_init__
        raise ValueError(f"{where}: {error}") from error


def read_recipe(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a YAML recipe, its `base:` chain below it and dotted overrides above it.

    Args:
        path: the recipe; `base:` names another one relative to its folder.
        overrides: `"train.steps=100"` and so on; the last one wins.

    References (`${train.steps}`) are replaced by what they name in the merged recipe. Whether a key exists
    is for `build` to say, which knows the schema. An `encoder` of another `name` than the one below takes
    nothing from it.

    Raises:
        FileNotFoundError: the recipe or a base is missing.
        ValueError: a recipe that is no YAML mapping, a base chain that leads back to itself, an override that
            is not `key=value`, or a reference to nothing.
    """
    layers, seen = [], []
    current: Path | None = Path(path)
    while current is not None:
        if not current.is_file():
            raise FileNotFoundError(f"Recipe {current} does not exist{_named_by(seen)}.")
        if current.resolve() in seen:
            raise ValueError(f"Recipe {current}: its base chain leads back to itself.")
        seen.append(current.resolve())
        layer = _load_mapping(current)
        base = layer.pop("base", None)
        layers.append(layer)
        current = current.parent / f"{base}.yaml" if base else None
    for override in overrides:
        if not override.partition("=")[0].strip() or "=" not in override:
            raise ValueError(f"Override {override!r} is not of the form key=value.")
    try:
        merged: dict[str, Any] = {}
        for layer in (*reversed(layers), OmegaConf.from_dotlist(list(overrides))):
            _drop_replaced(merged, OmegaConf.to_container(layer))
            merged = OmegaConf.to_container(OmegaConf.merge(merged, layer))
        return OmegaConf.to_container(OmegaConf.create(merged), resolve=True)
    except (OmegaConfBaseException, YAMLError) as error:
        raise ValueError(f"Recipe {path} with overrides {list(overrides)}: {error}") from error


def to_plain(config: Any) -> dict[str, Any]:
    """Turn a dataclass instance (nested) into plain dicts, lists and scalars."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def config_hash(values: Mapping[str, Any]) -> str:
    """Hash a nested mapping: 64 hex digits, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _load_mapping(path: Path) -> DictConfig:
    """Read one YAML file; an empty one is an empty mapping."""
    try:
        layer = OmegaConf.load(path)
    except (YAMLError, OSError) as error:  # OSError: a lone number or the like, says OmegaConf
        raise ValueError(f"Recipe {path} is not readable YAML: {error}") from error
    if not isinstance(layer, DictConfig):
        raise ValueError(f"Recipe {path} must hold `key: value` lines, not a list.")
    return layer


def _drop_replaced(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Take from a layer the sections of `REPLACED` that the one above gives another name."""
    for key, upper in above.items():
        lower = below.get(key)
        if not (isinstance(lower, Mapping) and isinstance(upper, Mapping)):
            continue
        if key in REPLACED and len({lower.get("name"), upper.get("name")} - {None}) == 2:
            del below[key]
        else:
            _drop_replaced(lower, upper)


def _known_keys(schema: type) -> str:
    return f"Known keys: {', '.join(field.name for field in dataclasses.fields(schema))}."


def _named_by(seen: list[Path]) -> str:
    return f" (named as base by {seen[-1].name})" if seen else ""
