"""The small YAML file that tells what the columns of a person's own table are; every error names its key."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from lib.data.study import POSITIONS

KEYS = (
    "table", "columns", "labels", "images", "positions", "boxes", "source", "licence", "label_noise",
)  # fmt: skip
COLUMNS = (
    "image", "patient", "study", "position", "findings", "impression", "sex", "age", "split",
)  # fmt: skip
CORNER_AND_SIZE = ("x", "y", "width", "height")
CORNERS = ("x0", "y0", "x1", "y1")
BOX_KEYS = ("table", "image", "finding", "reader", *CORNER_AND_SIZE, *CORNERS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Description:
    """What the YAML file says.

    Attributes:
        path: of the YAML file.
        table: file with a row per picture, relative to the root folder.
        columns: key of `COLUMNS` -> column of the table; `image` and `patient` are always there.
        labels: label -> column of the table.
        images: folder that the names of pictures are relative to, itself relative to the root folder.
        positions: text in the table, in lower case -> one of `POSITIONS`.
        boxes: key of `BOX_KEYS` -> `table` itself or a column of it; empty where there are no boxes.
        source: where the data come from.
        licence: or who may use them.
        label_noise: what is known about wrong labels.
    """

    path: Path
    table: str
    columns: Mapping[str, str]
    labels: Mapping[str, str]
    images: str
    positions: Mapping[str, str]
    boxes: Mapping[str, str]
    source: str
    licence: str
    label_noise: str

    def error(self, key: str, what: str) -> ValueError:
        """Return the error that something is wrong with a key."""
        return _error(self.path, key, what)


def read_description(path: Path) -> Description:
    """Read and check the file; the tables that it names are not opened.

    Raises:
        ValueError: no YAML mapping, an unknown or missing key, or a value that makes no sense.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"Description {path} is not readable YAML: {error}") from error
    if not isinstance(content, Mapping):
        raise ValueError(f"Description {path} must hold `key: value` lines. Known keys: {', '.join(KEYS)}.")
    _check_known(path, "", content, KEYS)
    columns = _texts(path, "columns", content.get("columns"), COLUMNS)
    for key in ("image", "patient"):
        if key not in columns:
            why = " (the same as columns.study where patients are not known)" if key == "patient" else ""
            raise _error(path, f"columns.{key}", f"is missing; name the column of the table{why}")
    if "table" not in content:
        raise _error(path, "table", "is missing; name the file with one row per picture")
    return Description(
        path=path,
        table=_text(path, "table", content["table"]),
        columns=columns,
        labels=_labels(path, content.get("labels")),
        images=_text(path, "images", content.get("images", ".")),
        positions=_positions(path, content.get("positions")),
        boxes=_boxes(path, content.get("boxes")),
        source=_text(path, "source", content.get("source", f"A person's own table ({path.name}).")),
        licence=_text(path, "licence", content.get("licence", "Not told.")),
        label_noise=_text(path, "label_noise", content.get("label_noise", "Not told.")),
    )


def closest(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?`, or "" where nothing is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would take the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Return the mapping of a node."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                mark = key.start_mark
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands twice", mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _error(path: Path, key: str, what: str) -> ValueError:
    stop = "" if what.endswith("?") else "."
    return ValueError(f"Description {path}, key {key}: {what}{stop}")


def _check_known(path: Path, prefix: str, content: Mapping, known: Iterable[str]) -> None:
    for key in content:
        if key not in known:
            hint = closest(str(key), known)
            names = ", ".join(known)
            raise ValueError(f"Description {path}: unknown key {prefix}{key}.{hint} Known: {names}.")


def _text(path: Path, key: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        raise _error(path, key, f"expected a text, got {value!r}; put it in quotes")
    return str(value).strip()


def _texts(path: Path, key: str, content: Any, known: Iterable[str] | None = None) -> dict[str, str]:
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise _error(path, key, f"expected `name: column` lines, got {content!r}")
    if known is not None:
        _check_known(path, f"{key}.", content, known)
    return {_text(path, key, name): _text(path, f"{key}.{name}", value) for name, value in content.items()}


def _labels(path: Path, content: Any) -> dict[str, str]:
    """Read `label: column` lines, or a list of columns that are called like their labels."""
    if isinstance(content, list):
        names = [_text(path, "labels", name) for name in content]
        return dict(zip(names, names, strict=True))
    return _texts(path, "labels", content)


def _positions(path: Path, content: Any) -> dict[str, str]:
    positions = _texts(path, "positions", content)
    for text, position in positions.items():
        if position not in POSITIONS:
            known = ", ".join(POSITIONS)
            raise _error(path, f"positions.{text}", f"{position!r} is not one of {known}")
    return {text.lower(): position for text, position in positions.items()}


def _boxes(path: Path, content: Any) -> dict[str, str]:
    boxes = _texts(path, "boxes", content, BOX_KEYS)
    if content is None:
        return {}
    for key in ("table", "image", "finding"):
        if key not in boxes:
            raise _error(path, f"boxes.{key}", "is missing")
    given = [key for key in (*CORNER_AND_SIZE, *CORNERS) if key in boxes]
    if given not in (list(CORNER_AND_SIZE), list(CORNERS)):
        either = f"{', '.join(CORNER_AND_SIZE)} or {', '.join(CORNERS)}"
        raise _error(path, "boxes", f"give either {either}; found {', '.join(given) or 'none'}")
    return boxes
