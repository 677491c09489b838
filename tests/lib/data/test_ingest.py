"""Ingest: what it keeps, what it drops, and that a store is never overwritten."""

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_reader import TinyReader, draw, make_study, save_pictures
from tiny_store import content, ingest_here

from lib.data.decode import draw_picture
from lib.data.ingest import ingest
from lib.data.readers import open_reader
from lib.data.store import FILES
from lib.data.study import View

PROJECT = Path(__file__).resolve().parents[3]


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
