"""The parameters cell of a notebook: names, types, defaults, and values from the command line."""

import ast
import dataclasses
import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parameter:
    """One line of a notebook's parameters cell.

    Attributes:
        name: as assigned.
        annotation: its type as written, e.g. `int` or `list[float]`.
        default: the literal.
        help: the comment behind it.
    """

    name: str
    annotation: str
    default: Any
    help: str = ""


def read_parameters(path: Path) -> dict[str, Parameter]:
    """Return the parameters of a notebook by name, in the order of its parameters cell.

    Raises:
        ValueError: the file is not a notebook, or a parameter is not an annotated literal.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a notebook: no JSON document with cells.") from error
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", ())]
    source = "".join("".join(cell["source"]) for cell in tagged[:1])
    lines = source.splitlines()
    parameters = {}
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            raise ValueError(
                f"{path.name}: line {statement.lineno} of the parameters cell is not of the form "
                f"`name: type = literal`: {lines[statement.lineno - 1]!r}."
            )
        name = statement.target.id
        comment = lines[statement.end_lineno - 1].partition("#")[2].strip()
        parameters[name] = Parameter(
            name=name,
            annotation=ast.unparse(statement.annotation),
            default=ast.literal_eval(statement.value),
            help=comment,
        )
    return parameters


def convert(parameter: Parameter, value: Any) -> Any:
    """Return a value as the type of a parameter; text comes from the command line and is parsed.

    Raises:
        ValueError: it cannot be read as that type.
    """
    inner = parameter.annotation.removeprefix("list[").removesuffix("]")
    try:
        if inner == parameter.annotation:
            return _scalar(inner, value)
        if isinstance(value, str) and value.startswith("["):
            value = yaml.safe_load(value)
        elif isinstance(value, str):
            value = [item.strip() for item in value.split(",") if item.strip()]
        return [_scalar(inner, item) for item in value]
    except (AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ValueError(
            f"Parameter {parameter.name} is {parameter.annotation} "
            f"(default {parameter.default!r}); {value!r} is not."
        ) from error


def check_parameters(path: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values converted to the types of the notebook's parameters.

    Raises:
        ValueError: a name that the notebook does not have, or a value of another type.
    """
    known = read_parameters(path)
    for name in values:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            listed = ", ".join(f"{one.name}: {one.annotation}" for one in known.values())
            raise ValueError(
                f"Notebook {path.stem} has no parameter {name!r}.{hint} Known: {listed or 'none'}."
            )
    return {name: convert(known[name], value) for name, value in values.items()}


def read_options(pairs: Sequence[str]) -> dict[str, Any]:
    """Return `KEY=VALUE` pairs as a dict; values are read as YAML, so 3 is a number.

    Raises:
        ValueError: a pair without `=`.
    """
    for pair in pairs:
        if "=" not in pair:
            raise ValueError(f"Option {pair!r} is not of the form KEY=VALUE.")
    return {key: yaml.safe_load(value) for key, _, value in (pair.partition("=") for pair in pairs)}


def _scalar(kind: str, value: Any) -> Any:
    if kind == "bool":
        if isinstance(value, bool):
            return value
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[value.lower()]
    if kind == "int":
        if isinstance(value, float) or isinstance(value, bool):
            raise TypeError
        return int(value)
    if kind == "float":
        return float(value)
    if not isinstance(value, str):
        raise TypeError
    return value
