"""Fixtures that every part of the suite shares."""

import os
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Compute in one thread, so that two runs add up in the same order and give the same bits."""
    import torch  # most tests need none of it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
