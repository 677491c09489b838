"""Claims: of several processes that want the same run, one gets it, also before its folder is there."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from workbench.runs import runs_root

CLAIMED = "WORKBENCH_CLAIMED"
"""Environment variable: the name that this process's parent holds for it."""

FOLDER = ".claims"
"""Below the root of the runs: an empty file for each name that is held, or was when its holder was killed."""


@contextlib.contextmanager
def claimed(name: str, root: Path | str | None = None) -> Iterator[bool]:
    """Hold a name, unless another process does; the system releases it when this process ends.

    Args:
        name: of a file, such as `workbench.run_config.identity` of a config.
        root: of the runs; processes with the same root exclude each other.

    Yields:
        Whether it is held.
    """
    if os.environ.get(CLAIMED) == name:
        yield True
        return
    path = runs_root(root) / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _take(path)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            path.unlink(missing_ok=True)  # while it is held, so that nobody else's is removed
            handle.close()


def _take(path: Path) -> IO | None:
    """Return the locked file, or None where another process has it."""
    while True:
        handle = open(path, "w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return None
        # Its last holder may have removed it between our opening and our locking: then it is nobody's.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle.fileno()), os.stat(path)):
                return handle
        handle.close()
