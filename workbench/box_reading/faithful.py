"""Deletion and insertion curves of judged maps, as the run folders keep them."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.located_files import read_faithfulness
from workbench.locating import Located
from workbench.runs import Run

CASES = 100
"""Of the command that is offered: enough for an interval, minutes on a processor."""


def kept_faithfulness(
    runs: Sequence[Run], judged: Mapping[str, Located | str], *, store: str = ""
) -> dict[str, dict[str, Any] | str]:
    """Return the curves of every judged model, or a sentence that says how to get them.

    Args:
        runs: the judged ones.
        judged: of `workbench.box_reading.judged.judge_maps`.
        store: as it was given there.

    Returns:
        Name of the model -> what `read_faithfulness` returns, or why there is none: the command that would
        measure it stands between backticks.
    """
    folders = {run.id: run for run in runs}
    found: dict[str, dict[str, Any] | str] = {}
    for name, one in judged.items():
        if isinstance(one, str):
            found[name] = one
            continue
        about = one.maps.about
        found[name] = read_faithfulness(folders[about["run"]], about) or _missing(about, store)
    return found


def _missing(about: Mapping[str, Any], store: str) -> str:
    """Say which command, between backticks, measures curves of these maps, or why there is none."""
    if about["layer"] != -1 or about["head"] is not None:
        return "Curves are measured of the last layer and the mean of all heads: set layer to -1."
    options = ["--method", about["method"]] * (about["method"] != "cam")
    options += ["--split", about["split"]] * (about["split"] != "test")
    options += ["--store", shlex.quote(store)] * bool(store)
    command = " ".join(["workbench locate", about["run"], *options, f"--faithful {CASES}"])
    return f"Not measured yet. Run `{command}` in a shell, then this cell again."
