"""A page as a web page without code, read-only over finished runs: voila, loopback only, behind a token."""

import importlib.util
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.notebooks import PROJECT, write_page
from workbench.runs import READ_ONLY

SERVED = PROJECT / "outputs" / "notebooks" / "served"


def serve_command(page: Path, *, port: int = 8866, open_browser: bool = True) -> list[str]:
    """Return the command that starts the server.

    Each visit starts a kernel of its own, which ends with the visit.

    Args:
        page: the notebook.
        port: to listen on; others are tried where it is taken.
        open_browser: on the page.
    """
    command = [
        sys.executable,
        "-m",
        "voila",
        str(page),
        "--Voila.ip=127.0.0.1",
        f"--Voila.port={port}",
        "--Voila.auto_token=True",  # a fresh one at each start, printed with the address
        "--VoilaConfiguration.show_tracebacks=True",  # they say which run is missing and how to make it
    ]
    if not open_browser:
        command.append("--no-browser")
    return command


def serve_page(
    name: str, parameters: Mapping[str, Any] | None = None, *, port: int = 8866, open_browser: bool = True
) -> None:
    """Become the server of a page; returns only by an exception.

    Args:
        name: of a notebook in `notebooks/`, or a path.
        parameters: values by name; text is converted to the parameter's type.
        port: to listen on.
        open_browser: on the page.

    Raises:
        ValueError: no such parameter, or a value of another type.
        FileNotFoundError: no such notebook, or the extra `serve` is not installed.
    """
    if importlib.util.find_spec("voila") is None:
        raise FileNotFoundError("voila is not installed: pip install 'radiograph-workbench[serve]'.")
    page = write_page(name, parameters, SERVED / f"{time.strftime('%Y%m%d-%H%M%S')}-{Path(name).stem}.ipynb")
    command = serve_command(page, port=port, open_browser=open_browser)
    # In place of this process, so that Ctrl-C and signals reach the server itself.
    os.execve(
        command[0], command, {**os.environ, "HF_HUB_OFFLINE": "1", "WORKBENCH_HEADLESS": "", READ_ONLY: "1"}
    )
