"""Names to code through literal tables of dotted paths, resolved on use."""

import difflib
import importlib
from collections.abc import Mapping
from typing import Any


def resolve(name: str, table: Mapping[str, str]) -> Any:
    """Import and return what `name` stands for.

    Args:
        name: a key of the table, as a person typed it.
        table: name -> `"package.module:attribute"`.

    Returns:
        The attribute.

    Raises:
        ValueError: unknown name; the message holds the closest match and all known names.
    """
    if name not in table:
        close = difflib.get_close_matches(name, table, n=1, cutoff=0.5)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"Unknown name {name!r}.{hint} Known: {', '.join(sorted(table))}.")
    module, attribute = table[name].split(":")
    return getattr(importlib.import_module(module), attribute)
