"""However an ingest ends, nothing is lost or spoiled, and the next one continues it."""

import contextlib
import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_reader import TinyReader, make_study, slow_reader
from tiny_store import content, ingest_here

from lib.data.chunk import pixels_path, record_path
from lib.data.ingest import CHUNK_STUDIES
from lib.data.store import FILES

PROJECT = Path(__file__).resolve().parents[3]


def test_two_ingests_do_not_write_one_store(tmp_path):
    partial = tmp_path / "store.partial"
    partial.mkdir()
    with open(partial / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="Another ingest"):
            ingest_here(TinyReader([make_study(0)]), tmp_path / "store")
    assert len(ingest_here(TinyReader([make_study(0)]), tmp_path / "store")) == 1


class BreaksOff(TinyReader):
    """Yields some studies, then fails like a machine."""

    def __iter__(self):
        yield from self.studies[: CHUNK_STUDIES + 5]
        raise ConnectionError("the drive is gone")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_ingest_equals_an_uninterrupted_one(tmp_path, workers):
    reader = TinyReader([make_study(number) for number in range(2 * CHUNK_STUDIES + 9)])
    whole = ingest_here(reader, tmp_path / "whole")
    with pytest.raises(ConnectionError):
        ingest_here(BreaksOff(reader.studies), tmp_path / "store")
    partial = tmp_path / "store.partial"
    assert not (tmp_path / "store").exists() and record_path(partial / "chunks", 0).is_file()
    record = record_path(partial / "chunks", 0).stat().st_mtime_ns
    assert not pixels_path(partial / "chunks", 0).exists()  # moved on: no picture is on the disk twice

    for other, options in ((reader, {"image_size": 16}), (TinyReader(reader.studies[1:]), {})):
        with pytest.raises(ValueError, match="unfinished ingest"):
            ingest_here(other, tmp_path / "store", **options)
    changed = [*reader.studies[:3], make_study(3, age=1.0), *reader.studies[4:]]
    (partial / "started.json").unlink()  # even then a chunk of other studies is not taken over
    with pytest.raises(ValueError, match="chunk 0"):
        ingest_here(TinyReader(changed), tmp_path / "store")
    (partial / "started.json").unlink()

    assert record_path(partial / "chunks", 0).stat().st_mtime_ns == record  # nothing of it was made again
    resumed = ingest_here(reader, tmp_path / "store", workers=workers)
    assert not partial.exists()
    for name in FILES:
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes(), name


def start_slow_ingest(tmp_path: Path, log: Path, out: Path) -> subprocess.Popen:
    """Start an ingest of 12 chunks in a process of its own and wait until two chunks are done."""
    script = (
        # A suite that a shell started in the background hands down that Ctrl-C is to be ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pathlib import Path; from tiny_reader import slow_reader; from lib.data.ingest import ingest\n"
        f"ingest(slow_reader(Path({str(log)!r}), {12 * CHUNK_STUDIES}, 0.02), {str(out)!r}, image_size=32,\n"
        "       workers=2, progress=False)"
    )
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}{os.pathsep}{Path(__file__).parent}"}
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE)
    chunks = out.with_name(out.name + ".partial") / "chunks"
    deadline = time.monotonic() + 60
    while len(list(chunks.glob("*.json"))) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.poll() is None, process.stderr.read().decode()
    return process


def workers_of(parent: int) -> list[int]:
    """Return the child processes of a process."""
    children = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rsplit(")", 1)[1].split()[1]) == parent:
                children.append(int(status.parent.name))
    return children


def wait_until_gone(processes: list[int]) -> None:
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{process}").exists() for process in processes):
        assert time.monotonic() < deadline, "a worker outlived the ingest"
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="child processes are read from /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_ingest_continues(tmp_path, how):
    log, out = tmp_path / "log.txt", tmp_path / "store"
    process = start_slow_ingest(tmp_path, log, out)
    workers = workers_of(process.pid)
    assert len(workers) == 2
    process.send_signal(how)
    process.communicate()
    wait_until_gone(workers)
    assert not out.exists()
    chunks = out.with_name("store.partial") / "chunks"
    num_done = len(list(chunks.glob("*.json")))
    assert 2 <= num_done < 12
    started = len(log.read_text().split())

    log.write_text("")
    reader = slow_reader(log, 12 * CHUNK_STUDIES, 0.0)
    store = ingest_here(reader, out, workers=2)
    again = len(log.read_text().split())
    assert again == (12 - num_done) * CHUNK_STUDIES + 1  # one more is drawn for the fingerprint
    assert started + again > 12 * CHUNK_STUDIES
    assert store.id == ingest_here(reader, tmp_path / "whole").id
    assert not chunks.exists()


@contextlib.contextmanager
def small_disk(folder: Path, size: str):
    """Mount a memory disk of that size, or skip where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk; the test with a file size limit runs instead")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_full_disk_stops_it_and_room_lets_it_continue(tmp_path, workers):
    reader = TinyReader([make_study(number) for number in range(4 * CHUNK_STUDIES)])
    disk = tmp_path / "disk"
    with small_disk(disk, "700k"):
        earlier = ingest_here(TinyReader(reader.studies[:2]), disk / "earlier")
        before = content(earlier.path)
        with pytest.raises(OSError, match="disk is full.*same command again") as caught:
            ingest_here(reader, disk / "store", image_size=64, workers=workers)
        assert caught.value.errno == errno.ENOSPC
        assert not (disk / "store").exists() and content(earlier.path) == before
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        store = ingest_here(reader, disk / "store", image_size=64, workers=workers)
        assert store.id == ingest_here(reader, tmp_path / "whole", image_size=64).id


def test_a_file_that_may_not_grow_is_a_full_disk_too(tmp_path):
    earlier = ingest_here(TinyReader([make_study(0)]), tmp_path / "earlier")
    before = content(earlier.path)
    script = (
        "import resource\n"
        "from tiny_reader import TinyReader, make_study\n"
        "from lib.data.ingest import ingest\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "reader = TinyReader([make_study(number) for number in range(200)])\n"
        f"ingest(reader, {str(tmp_path / 'store')!r}, image_size=64, workers=2, progress=False)"
    )
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}{os.pathsep}{Path(__file__).parent}"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "The disk is full while writing" in done.stderr
    assert not (tmp_path / "store").exists() and content(earlier.path) == before
    reader = TinyReader([make_study(number) for number in range(200)])
    assert len(ingest_here(reader, tmp_path / "store", image_size=64)) == 200
