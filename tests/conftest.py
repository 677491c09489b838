"""Fixtures that every part of the suite shares."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real data, parity fixtures and published files, or skip where it is missing."""
    folder = Path(os.environ.get("WORKBENCH_SHARED", PROJECT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared folder at {folder}; set WORKBENCH_SHARED to run the tests on real files")
    return folder
