"""The config of a run as its folder keeps it, and which configs compute the same."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lib.config import config_hash

CIRCUMSTANCES = ("recipe", "store", "manifest", "init", "processes")
"""Keys of a config that do not change what is computed: places, whose contents are named by ids beside
them, and the number of processes, which share the very batches that one would see."""

YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The fast one, where it was built."""

WEIGHTS_ID = "weights_id"
"""Key of a config whose encoder begins with a file of weights: the hash of that file, whose place is then a
circumstance too."""


def read_json(path: Path | str) -> dict[str, Any]:
    """Read a JSON object; a text for a path is faster, which counts in thousands of folders.

    Raises:
        ValueError: it was cut off, or is something else; names the file.
    """
    try:
        with open(path, "rb") as file:
            values = json.loads(file.read().decode())
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise ValueError(f"{path} holds no keys with values, but {type(values).__name__}.")
    return values


def read_config(folder: Path) -> dict[str, Any]:
    """Read the config for programs, unless somebody has changed that for people since, or there is only that.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it was cut off, or is no config.
    """
    own, fast = f"{folder}/config.yaml", f"{folder}/config.json"
    try:
        written = os.stat(own).st_mtime_ns
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(f"{folder} is not a run folder: it has no config.yaml.") from error
    with contextlib.suppress(FileNotFoundError):
        if os.stat(fast).st_mtime_ns >= written:
            return read_json(fast)
    try:
        config = yaml.load(Path(own).read_text("utf-8"), Loader=YAML_LOADER)
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{own} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{own} holds no config, but {type(config).__name__}.")
    return config


def identity(config: Mapping[str, Any]) -> str:
    """Hash what a run computes: its config without the circumstances."""
    kept = {key: value for key, value in config.items() if key not in CIRCUMSTANCES}
    return config_hash(_without_weights(kept) if WEIGHTS_ID in kept else kept)


def _without_weights(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the place of an encoder's weights, wherever its section stands."""
    return {
        key: _without_weights(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if key != "weights"
    }
