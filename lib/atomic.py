"""Writes that either happen whole or not at all: temporary name, fsync, rename."""

import contextlib
import errno
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PROBE_BYTES = 2**20


@contextlib.contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary sibling of `path`; on success it is flushed to disk and takes the name.

    On any error the temporary file is removed and what stood at `path` before is untouched.

    Raises:
        OSError: with the file's name and the fix when the disk is full, whatever the writer itself raised.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last: some writers (numpy.save) append their own otherwise.
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.tmp{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
        _sync_directory(path.parent)
    except BaseException as error:
        shortage = _shortage(error, temporary)
        temporary.unlink(missing_ok=True)
        if shortage:
            raise OSError(
                shortage,
                f"The disk is full (or a quota or file size limit is reached) while writing {path}. "
                "Free some space and run the same command again; what was written before is untouched",
            ) from error
        raise


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write a JSON document atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _shortage(error: BaseException, temporary: Path) -> int:
    """Return the error number when lack of space made `error`, else 0.

    Writers hide it: torch raises RuntimeError, safetensors its own type, `numpy.save` an OSError without
    number. So the file system is asked whether the file could grow at all.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno if error.errno in NO_SPACE else 0
    if not isinstance(error, Exception):
        return 0
    try:
        with open(temporary, "ab") as handle:
            handle.write(bytes(PROBE_BYTES))
    except OSError as probe:
        return probe.errno if probe.errno in NO_SPACE else 0
    return 0


def _sync_directory(directory: Path) -> None:
    """Make the rename itself durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
