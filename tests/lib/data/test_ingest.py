"""Ingest: what it keeps, what it drops, and that no end of it loses or spoils anything."""

import contextlib
import dataclasses
import errno
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_reader import TinyReader, draw, make_study, save_pictures, slow_reader

from lib.data.chunk import pixels_path, record_path
from lib.data.decode import draw_picture
from lib.data.ingest import CHUNK_STUDIES, ingest
from lib.data.readers import open_reader
from lib.data.store import FILES
from lib.data.study import View

PROJECT = Path(__file__).resolve().parents[3]


def ingest_here(reader, out, **options):
    return ingest(reader, out, **({"image_size": 32, "workers": 0, "progress": False} | options))


def content(folder: Path) -> dict[str, str]:
    return {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_the_store_holds_what_the_reader_says(tmp_path):
    studies = [make_study(number, num_views=1 + number % 3) for number in range(70)]
    store = ingest_here(TinyReader(studies), tmp_path / "store")
    views = [view for study in studies for view in study.views]
    assert len(store) == 70 and len(store.views) == len(views)
    for row, view in enumerate(views):
        pixels, placement = draw_picture(view.render(), 32)
        np.testing.assert_array_equal(store.images[row], pixels)
        stored = store.views.iloc[row]
        assert (stored.view_id, stored.position) == (view.view_id, view.position)
        assert tuple(stored[list(placement._fields)]) == placement
        assert stored.sha1 == hashlib.sha1(pixels.tobytes()).hexdigest()
    for row, study in enumerate(studies):
        stored = store.studies.iloc[row]
        assert (stored.study_id, stored.patient_id, stored.sex) == (
            study.study_id,
            study.patient_id,
            study.sex,
        )
        assert (stored.findings, stored.impression) == (study.findings, study.impression)
        assert stored.age == study.age or np.isnan(study.age) and np.isnan(stored.age)
        expected = [study.labels.get(name, np.nan) for name in store.label_names]
        np.testing.assert_array_equal(store.labels[row], np.float32(expected))
        own = store.views.iloc[store.view_offsets[row] : store.view_offsets[row + 1]]
        assert list(own.view_id) == [view.view_id for view in study.views]
        assert set(own.study_row) == {row}
    assert store.drops.empty and store.synthetic


def test_boxes_are_moved_into_store_pixels(tmp_path):
    store = ingest_here(TinyReader([make_study(0), make_study(1)]), tmp_path / "store")
    # The 32 x 40 picture becomes 26 x 32 with 3 columns of padding.
    corners = store.boxes[["x0", "y0", "x1", "y1"]].to_numpy()
    scale = np.array([26 / 32, 32 / 40] * 2)
    np.testing.assert_allclose(corners, [np.array([8, 10, 16, 20]) * scale + [3, 0, 3, 0]] * 2)
    assert list(store.views.view_id[store.boxes.view_row]) == list(store.boxes.view_id) == ["s0v0", "s1v0"]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_changes_nothing(tmp_path, workers):
    reader = save_pictures(tmp_path / "files", 70)
    alone = ingest_here(reader, tmp_path / "alone")
    many = ingest_here(reader, tmp_path / "many", workers=workers)
    assert many.id == alone.id
    for name in FILES:
        assert (many.path / name).read_bytes() == (alone.path / name).read_bytes(), name


def test_the_place_of_the_files_changes_nothing(tmp_path):
    first = ingest_here(save_pictures(tmp_path / "here", 3), tmp_path / "a")
    second = ingest_here(save_pictures(tmp_path / "far" / "away", 3), tmp_path / "deep" / "b")
    assert first.id == second.id
    assert not any(str(tmp_path) in file.read_text("utf-8", "ignore") for file in second.path.iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"age": 3.0},
        {"split": "test"},
        {"findings": "Another text than before."},
        {"labels": {}},
        {"boxes": ()},
    ],
)
def test_the_id_depends_on_what_the_tables_say(tmp_path, change):
    studies = [make_study(0), make_study(1)]
    changed = [studies[0], dataclasses.replace(studies[1], **change)]
    before = ingest_here(TinyReader(studies), tmp_path / "a")
    assert ingest_here(TinyReader(changed), tmp_path / "b").id != before.id


def test_the_id_depends_on_the_pixels(tmp_path):
    study = make_study(0, num_views=1)
    other = dataclasses.replace(study.views[0], render=make_study(1).views[0].render)
    first = ingest_here(TinyReader([study]), tmp_path / "a")
    assert (
        ingest_here(TinyReader([dataclasses.replace(study, views=(other,))]), tmp_path / "b").id != first.id
    )
    assert ingest_here(TinyReader([study]), tmp_path / "c", image_size=16).id != first.id


def test_every_defect_is_dropped_counted_and_listed(tmp_path):
    def on_disk(name):
        return View(view_id=name, position="PA", path=tmp_path / f"{name}.png")

    for name in ("good", "cut", "other"):
        Image.fromarray(draw(1)).save(tmp_path / f"{name}.png")
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    studies = [
        make_study(0, views=tuple(map(on_disk, ("good", "cut", "text", "empty", "absent"))), boxes=()),
        make_study(1, views=(on_disk("gone"),), boxes=()),
        make_study(2, views=(), boxes=()),
        make_study(3, findings="Clear", impression="lungs.", boxes=()),
        make_study(0),
        make_study(5, views=(on_disk("other"), on_disk("good")), boxes=()),
        make_study(6, findings="", impression="", boxes=()),
    ]
    store = ingest_here(TinyReader(studies), tmp_path / "store")
    assert list(store.studies.study_id) == ["s0", "s5"]
    assert list(store.views.view_id) == ["good", "other"]
    assert [tuple(drop) for drop in store.drops[["study_id", "view_id", "rule"]].to_numpy()] == [
        ("s0", "cut", "unreadable_image"),
        ("s0", "text", "unreadable_image"),
        ("s0", "empty", "unreadable_image"),
        ("s0", "absent", "missing_image"),
        ("s1", "gone", "missing_image"),
        ("s1", "", "no_views"),
        ("s2", "", "no_views"),
        ("s3", "", "report_too_short"),
        ("s0", "", "duplicate_study"),
        ("s5", "good", "duplicate_view"),
        ("s6", "", "report_too_short"),
    ]
    details = "\n".join(store.drops.detail)
    assert "absent.png is listed" in details and "cut.png: " in details and "2 tokens" in details
    assert "| unreadable_image | 3 |" in (store.path / "card.md").read_text()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_damaged_files_are_drops_wherever_the_damage_is(tmp_path, suffix):
    Image.fromarray(draw(1, 64, 64)).save(tmp_path / f"whole.{suffix}")
    whole = (tmp_path / f"whole.{suffix}").read_bytes()
    random = np.random.default_rng(0)
    views = []
    for number in range(60):
        damaged = bytearray(whole)
        if number % 2:
            del damaged[random.integers(len(whole)) :]
        else:
            at = random.integers(len(whole) - 8)
            damaged[at : at + 8] = random.bytes(8)
        path = tmp_path / f"{number}.{suffix}"
        path.write_bytes(damaged)
        views.append(View(view_id=str(number), path=path))
    views.append(View(view_id="whole", path=tmp_path / f"whole.{suffix}"))
    store = ingest_here(TinyReader([make_study(0, views=tuple(views), boxes=())]), tmp_path / "store")
    assert len(store.drops) >= 25 and set(store.drops.rule) == {"unreadable_image"}
    assert len(store.views) + len(store.drops) == 61 and store.views.view_id.iloc[-1] == "whole"


def test_data_sets_without_reports_keep_studies_without_text(tmp_path):
    study = make_study(0, findings="", impression="")
    assert len(ingest_here(TinyReader([study], has_reports=False), tmp_path / "store")) == 1


def test_a_file_that_cannot_be_opened_stops_the_ingest(tmp_path):
    (tmp_path / "folder.png").mkdir()  # like a denied permission: a fault of the machine, not of a picture
    study = make_study(0, views=(View(view_id="v", path=tmp_path / "folder.png"),), boxes=())
    with pytest.raises(IsADirectoryError, match="folder.png"):
        ingest_here(TinyReader([study]), tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_labels_that_the_reader_does_not_list_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="s0.*Typo"):
        ingest_here(TinyReader([make_study(0, labels={"Typo": 1.0})]), tmp_path / "store")


def test_a_limit_reads_the_first_studies(tmp_path):
    reader = TinyReader([make_study(number) for number in range(5)])
    assert list(ingest_here(reader, tmp_path / "store", limit=2).studies.study_id) == ["s0", "s1"]
    with pytest.raises(ValueError, match="limit 0"):
        ingest_here(reader, tmp_path / "other", limit=0)


def test_no_usable_study_is_an_error_that_the_fix_cures(tmp_path):
    reader = save_pictures(tmp_path / "files", 2)
    (tmp_path / "files").rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="(?s)No study is usable.*missing_image: 4.*s0v0.png is listed"):
        ingest_here(reader, tmp_path / "store")
    assert not (tmp_path / "store").exists()
    (tmp_path / "elsewhere").rename(tmp_path / "files")
    assert len(ingest_here(reader, tmp_path / "store")) == 2


def test_a_finished_store_is_opened_and_never_overwritten(tmp_path, capsys):
    reader = TinyReader([make_study(number) for number in range(3)])
    store = ingest_here(reader, tmp_path / "store", progress=True)
    assert "kept 3 studies with 6 views" in capsys.readouterr().out
    before = content(store.path)
    again = ingest_here(reader, tmp_path / "store", progress=True)
    assert again.id == store.id and "finished already" in capsys.readouterr().out
    for other, options, what in (
        (reader, {"image_size": 16}, "image_size 32"),
        (reader, {"limit": 2}, "limit None"),
        (dataclasses.replace(reader, name="other"), {}, "reader 'tiny'"),
        (TinyReader(reader.studies[:2]), {}, "num_studies 3"),
        (TinyReader([*reader.studies[:2], make_study(9)]), {}, "other studies"),
    ):
        with pytest.raises(ValueError, match=f"{what}.*never overwritten"):
            ingest_here(other, tmp_path / "store", **options)
    assert content(store.path) == before
    assert not (tmp_path / "store.partial").exists()


def test_options_that_show_in_pixels_alone_are_noticed(tmp_path):
    study = make_study(0, num_views=1, boxes=())
    other = dataclasses.replace(study.views[0], render=make_study(1).views[0].render)
    ingest_here(TinyReader([study]), tmp_path / "store")
    with pytest.raises(ValueError, match="never overwritten"):
        ingest_here(TinyReader([dataclasses.replace(study, views=(other,))]), tmp_path / "store")


def test_a_folder_that_is_no_store_is_not_touched(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="not a store"):
        ingest_here(TinyReader([make_study(0)]), tmp_path / "mine")
    assert content(tmp_path / "mine").keys() == {str(tmp_path / "mine" / "thesis.txt")}
    (tmp_path / "empty").mkdir()
    assert len(ingest_here(TinyReader([make_study(0)]), tmp_path / "empty")) == 1


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


def test_importing_ingest_and_its_worker_stays_light():
    script = (
        "import sys; import lib.data.workers, lib.data.chunk\n"
        "assert not {'torch', 'pandas', 'pyarrow'} & set(sys.modules), 'worker'\n"
        "import lib.data.ingest\n"
        "assert 'torch' not in sys.modules, 'ingest'"
    )
    subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=True)


def test_real_studies(shared, tmp_path):
    reader = open_reader("openi", shared / "data" / "openi-iu")
    store = ingest(reader, tmp_path / "store", limit=100, workers=2, progress=False)
    assert not store.synthetic and store.has_reports
    assert len(store) + (store.drops.rule == "report_too_short").sum() == 100
    squeezed = store.views[store.views.content_width < 256]
    assert len(squeezed) > 50  # portraits, stored as squares: their aspect is restored
    assert store.images[squeezed.index[0], :, 0].max() == 0
