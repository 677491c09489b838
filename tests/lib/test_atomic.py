import errno
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lib.atomic import atomic_path, write_json, write_text

PROJECT = Path(__file__).resolve().parents[2]

# Each shows a full disk in its own way: OSError 28, OSError without a number, RuntimeError, its own type.
WRITERS = {
    "text": lambda path: path.write_text("x" * 300_000),
    "numpy": lambda path: np.save(path, np.ones(100_000)),
    "array": lambda path: np.ones(100_000).tofile(path),
    "torch": lambda path: torch.save({"weight": torch.ones(100_000)}, path),
}


@pytest.fixture
def small_files():
    """Let no file of this process grow beyond 64 KiB: the kernel refuses, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_the_file_appears_whole_in_a_new_folder(tmp_path):
    path = tmp_path / "a" / "b" / "note.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("done")
        assert not path.exists() and temporary.parent == path.parent and temporary.suffix == ".txt"
    assert path.read_text() == "done" and names(path.parent) == ["note.txt"]


def test_a_writer_that_appends_its_own_suffix_still_hits_the_name(tmp_path):
    with atomic_path(tmp_path / "images.npy") as temporary:
        np.save(temporary, np.arange(3))
    assert np.load(tmp_path / "images.npy").tolist() == [0, 1, 2] and names(tmp_path) == ["images.npy"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "state.json"
    write_json(path, {"step": 1})
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text("half of")
        raise error("stop")
    assert json.loads(path.read_text()) == {"step": 1} and names(tmp_path) == ["state.json"]


def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path):
    path = tmp_path / "state.json"
    write_text(path, "old")
    code = (
        "import os, signal, sys; from lib.atomic import atomic_path\n"
        "with atomic_path(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half of'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(path)], cwd=PROJECT)
    assert killed.returncode == -signal.SIGKILL and path.read_text() == "old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_is_told_with_file_and_fix(tmp_path, writer):
    path = tmp_path / "images.npy"
    write_text(path, "old")
    with pytest.raises(OSError, match="disk is full") as caught, atomic_path(path) as temporary:
        os.symlink("/dev/full", temporary)  # the kernel answers every write with "no space left on device"
        WRITERS[writer](temporary)
    assert caught.value.errno == errno.ENOSPC and "images.npy" in str(caught.value)
    assert "Free some space" in str(caught.value)
    assert path.read_text() == "old" and names(tmp_path) == ["images.npy"]


@pytest.mark.parametrize("writer", [*WRITERS, "safetensors"])
def test_a_file_that_may_not_grow_is_told_the_same_way(tmp_path, small_files, writer):
    path = tmp_path / "images.npy"
    write_text(path, "old")
    write = WRITERS.get(writer) or (lambda path: save_file({"weight": torch.ones(100_000)}, path))
    with pytest.raises(OSError, match="file size limit") as caught, atomic_path(path) as temporary:
        write(temporary)
    assert caught.value.errno == errno.EFBIG and "images.npy" in str(caught.value)
    assert path.read_text() == "old" and names(tmp_path) == ["images.npy"]


def test_another_error_of_the_writer_passes_unchanged(tmp_path):
    with (
        pytest.raises(RuntimeError, match="shape mismatch"),
        atomic_path(tmp_path / "images.npy") as temporary,
    ):
        temporary.write_text("half of")
        raise RuntimeError("shape mismatch")
    with pytest.raises(PermissionError), atomic_path(tmp_path / "images.npy"):
        raise PermissionError(errno.EACCES, "not yours")
    assert names(tmp_path) == []


def test_json_is_utf8_and_readable(tmp_path):
    write_json(tmp_path / "card.json", {"name": "Mueller", "umlaut": "\u00fc", "list": [1, 2]})
    text = (tmp_path / "card.json").read_text(encoding="utf-8")
    assert "\u00fc" in text and text.endswith("}\n")
    assert json.loads(text) == {"name": "Mueller", "umlaut": "\u00fc", "list": [1, 2]}
