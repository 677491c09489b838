"""One fine-tuning of a sweep as an executed copy of the page on fine-tuning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.claims import CLAIMED
from workbench.notebooks import run_notebook
from workbench.run_config import identity
from workbench.runs import Run, find_finished, find_resumable, runs_root

PAGE = "05_finetune"
COPY = "notebook.ipynb"
"""In the folder of a fine-tuning that the page did: its executed copy."""

TIMEOUT = 7 * 24 * 3600
"""Seconds that one cell of the page may take: the other runs of a sweep have no limit at all."""


def run_page(config: Mapping[str, Any], parameters: Mapping[str, Any], root: Path | str | None) -> Run:
    """Let an executed copy of the page do one fine-tuning; the copy lies in the run's folder.

    Args:
        config: of the fine-tuning, claimed by this process.
        parameters: of the page, with which it does this one alone.
        root: of the run folders.

    Returns:
        The finished run.

    Raises:
        NotebookError: a cell failed; the copy shows which and why.
    """
    run = find_finished(config, root)
    if run is not None:
        return run
    # The training in the page finds this run and brings it to its end.
    run = find_resumable(config, root) or Run.create(config["recipe"], config, root)
    run_notebook(
        PAGE,
        parameters,
        output=run.folder / COPY,
        timeout=TIMEOUT,
        folder=Path.cwd(),  # relative places in the sweep's file mean the same there
        environment={"WORKBENCH_RUNS": str(runs_root(root).absolute()), CLAIMED: identity(config)},
    )
    assert run.state == "finished", f"the page did another run than {run.folder}"
    return run
