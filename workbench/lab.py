"""JupyterLab for one person on this machine: loopback only, behind a token, without news from outside."""

import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
SETTINGS = Path(__file__).resolve().parent / "jupyterlab"
"""Holds overrides.json: no news, no update check, which would ask the network."""

FIRST_PAGE = "/lab/tree/notebooks/00_tour.ipynb"


def lab_command(*, port: int = 8888, open_browser: bool = True, root: Path = PROJECT) -> list[str]:
    """Return the command that starts the server.

    Jupyter makes a fresh token at each start and prints the address with it.

    Args:
        port: the first one to try.
        open_browser: on the tour.
        root: folder that the file browser shows.
    """
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        f"--LabApp.default_url={FIRST_PAGE}",
    ]
    if not open_browser:
        command.append("--no-browser")
    if os.geteuid() == 0:
        command.append("--allow-root")
    return command


def start_lab(*, port: int, open_browser: bool) -> None:
    """Become the JupyterLab server; returns only by an exception."""
    command = lab_command(port=port, open_browser=open_browser)
    # In place of this process, so that Ctrl-C and signals reach the server itself.
    os.execve(command[0], command, {**os.environ, "HF_HUB_OFFLINE": "1", "WORKBENCH_HEADLESS": ""})
