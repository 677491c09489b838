"""What the small files of run folders say, each read once: tables over thousands of runs need them all."""

from pathlib import Path
from typing import Any, NamedTuple

from workbench.runs import Run, read_statuses

UNREADABLE = "unreadable"
"""State of a folder that was cut off or is of another make."""


class Record(NamedTuple):
    """A run and its files, as they were a moment ago.

    Attributes:
        run: the folder.
        state: as `Run.state`, or `UNREADABLE` where the result is.
        reason: why it failed or cannot be read.
        created: when, ISO.
        result: result.json; empty where there is none.
    """

    run: Run
    state: str
    reason: str
    created: str
    result: dict[str, Any]


def read_record(run: Run, status: dict[str, Any] | None = None) -> Record:
    """Read the files of one run; its status may have been read already."""
    status = run.status if status is None else status
    state, reason = run.state_of(status), str(status.get("reason", ""))
    try:
        result = run.result()
        if not isinstance(result.get("auroc", {}), dict | None):
            raise ValueError(
                f"{run.folder / 'result.json'} is of another version: auroc is {result['auroc']!r}, not an "
                "estimate with its interval. Remove the folder and fine-tune again."
            )
    except FileNotFoundError:
        result = {}
    except ValueError as error:
        result, state, reason = {}, UNREADABLE, " ".join(str(error).split())
    return Record(run, state, reason, str(status.get("created", "")), result)


def read_records(root: Path | str | None = None) -> tuple[list[Record], dict[str, str]]:
    """Return the records of all runs, oldest first, and of unreadable folders why they are."""
    statuses, unreadable = read_statuses(root)
    return [read_record(run, status) for run, status in statuses.items()], unreadable
