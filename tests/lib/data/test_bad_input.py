"""Folders, names and machines that are not as they should be; nothing already ingested is lost."""

import os
import resource
import zipfile
from pathlib import Path

import pytest
from tiny_download import (
    ingest_root,
    listed_drops,
    picture,
    rehearse,
    set_cell,
    table_text,
    write_own_table,
)

from lib.data.ingest import CHUNK_STUDIES
from lib.data.readers import open_reader

MIMIC_PICTURES = "mimic-cxr-2.0.0-metadata.csv.gz"


def test_a_zip_where_a_folder_is_expected_is_to_be_unpacked(tmp_path):
    root = rehearse("mimic_cxr", tmp_path)
    archive = tmp_path / "mimic-cxr-reports.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("files/p10/p10000032/s50414267.txt", "FINDINGS: Clear.")
    with pytest.raises(ValueError, match="reports root .*mimic-cxr-reports.zip is a zip archive; unpack it"):
        open_reader("mimic_cxr", root, reports_root=archive)


def test_a_table_that_is_still_packed_is_named(tmp_path):
    root = rehearse("rsna", tmp_path)
    table = root / "stage_2_train_labels.csv"
    with zipfile.ZipFile(root / f"{table.name}.zip", "w") as file:
        file.write(table, table.name)
    table.unlink()
    with pytest.raises(FileNotFoundError, match="train_labels.csv is still packed; unpack .*labels.csv.zip"):
        open_reader("rsna", root)


NAMED_PICTURES = {
    "covid19": ("metadata.csv", "filename"),
    "csv": ("studies.csv", "file"),
    "hannover": ("data.csv", "image_id"),
    "nih": ("Data_Entry_2017_v2020.csv", "Image Index"),
    "mimic_cxr": (MIMIC_PICTURES, "dicom_id"),
}
"""Reader -> the table and the column that name its pictures."""

MORE_NAMES = {"mimic_cxr": ["mimic-cxr-2.0.0-split.csv.gz"]}
"""Tables that must agree with it."""


@pytest.mark.parametrize(
    "outside", ["../../secret", "..\\..\\secret", "../root/../../secret", "a/../../../secret"]
)
@pytest.mark.parametrize("name", NAMED_PICTURES)
def test_a_name_that_leads_out_of_the_root_is_never_read(tmp_path, name, outside):
    root = rehearse(name, tmp_path)
    for suffix in ("", ".png", ".jpg"):
        picture().save(tmp_path / f"secret{suffix}", "PNG")
    file, column = NAMED_PICTURES[name]
    suffix = Path(set_cell(root / file, column, "")).suffix
    for table in (file, *MORE_NAMES.get(name, ())):
        set_cell(root / table, column, outside + suffix)
    store = ingest_root(name, root)
    refused = store.drops[store.drops.rule == "refused_view"]
    assert "leads out of the root folder" in "\n".join(refused.detail)
    assert not store.views.view_id.str.contains("secret").any()


@pytest.mark.parametrize("name", ["rsna", "vinbigdata"])
def test_an_id_that_leads_out_of_the_root_is_never_read(tmp_path, name):
    root = rehearse(name, tmp_path)
    path = root / {"rsna": "stage_2_train_labels.csv", "vinbigdata": "train.csv"}[name]
    first = table_text(path).splitlines()[1].split(",")[0]
    source = next(study.views[0].path for study in open_reader(name, root) if study.study_id == first)
    source.rename(tmp_path / source.name)  # outside, where the new id points
    (root / "stage_2_detailed_class_info.csv").unlink(missing_ok=True)
    path.write_text(path.read_text().replace(first, f"../../{first}"))
    assert listed_drops(ingest_root(name, root))[0][1:] == (
        "refused_view",
        f"the name {f'{source.parent.name}/../../{source.name}'!r} leads out of the root folder",
    )


@pytest.mark.parametrize(
    ("name", "file", "column", "value"),
    [
        ("mimic_cxr", MIMIC_PICTURES, "subject_id", "../../17"),
        ("mimic_cxr", MIMIC_PICTURES, "study_id", "/etc/x86"),
        ("chexpert", "CheXpert-v1.0-small/train.csv", "Path", "train/../../study1/view1_frontal.jpg"),
    ],
)
def test_an_id_of_another_form_that_becomes_a_folder_is_an_error(tmp_path, name, file, column, value):
    root = rehearse(name, tmp_path)
    set_cell(root / file, column, value)
    with pytest.raises(ValueError, match=f"{Path(file).name}, row 1: {column}.*{value}"):
        open_reader(name, root)


def test_pictures_of_open_i_outside_of_the_root_are_never_read(tmp_path):
    root = tmp_path / "root"
    (root / "images").mkdir(parents=True)
    picture().save(root / "images" / "1_IM-0001-1001.dcm.png")
    picture().save(tmp_path / "2_IM-0001-1001.dcm.png")
    (root / "indiana_reports.csv").write_text(
        "uid,MeSH,findings,impression\n1,normal,Clear lungs.,No disease.\n"
    )
    (root / "indiana_projections.csv").write_text(
        "uid,filename,projection\n1,1_IM-0001-1001.dcm.png,Frontal\n1,../../2_IM-0001-1001.dcm.png,Lateral\n"
    )
    store = ingest_root("openi", root)
    assert len(store.views) == 1
    ((_, rule, detail),) = listed_drops(store)
    assert rule == "refused_view" and "'../../2_IM-0001-1001.dcm.png' leads out of the root" in detail


def test_a_link_in_the_root_is_followed(tmp_path):
    root = write_own_table(tmp_path / "root", ["linked.png,1", "there/far.png,2"])
    (tmp_path / "elsewhere").mkdir()
    picture(5).save(tmp_path / "elsewhere" / "far.png")
    (root / "there").symlink_to(tmp_path / "elsewhere")  # the person laid it there: another disk, say
    (root / "linked.png").symlink_to(tmp_path / "elsewhere" / "far.png")
    store = ingest_root("csv", root)
    assert store.views.view_id.tolist() == ["linked.png", "there/far.png"] and store.drops.empty


def test_a_link_to_nothing_is_a_missing_picture(tmp_path):
    root = write_own_table(tmp_path / "root", ["good.png,1", "linked.png,2"])
    (root / "linked.png").symlink_to(tmp_path / "nowhere.png")
    assert listed_drops(ingest_root("csv", root))[0][:2] == ("linked.png", "missing_image")


def test_the_notes_of_another_system_are_no_pictures(tmp_path):
    root = rehearse("kermany", tmp_path)
    expected = len(open_reader("kermany", root))
    for path in list(root.rglob("*.jpeg")):
        path.with_name(f"._{path.name}").write_bytes(b"Mac OS X")
    store = ingest_root("kermany", root)
    assert len(store) == expected and store.drops.empty


@pytest.mark.parametrize("is_readable", [True, False])
def test_a_file_name_that_is_no_text_is_spelled_out(tmp_path, is_readable):
    root = rehearse("kermany", tmp_path)
    odd = os.fsdecode(os.fsencode(root / "chest_xray" / "train" / "NORMAL") + b"/caf\xe9.jpeg")
    with open(odd, "wb") as file:
        picture().save(file, "JPEG") if is_readable else file.write(b"nothing")
    store = ingest_root("kermany", root)
    name = "train/NORMAL/caf\\udce9"
    assert (name in store.studies.study_id.to_list()) == is_readable
    if not is_readable:
        detail = "caf\\udce9.jpeg: not a picture that Pillow knows"
        assert (name, "unreadable_image", detail) in listed_drops(store)


def many_pictures(folder: Path) -> Path:
    """Write a table of 4 chunks, whose pictures are copies of one."""
    root = write_own_table(
        folder / "root", [f"{number}.png,p{number}" for number in range(4 * CHUNK_STUDIES)]
    )
    for number in range(4 * CHUNK_STUDIES):
        (root / f"{number}.png").hardlink_to(root / "good.png")
    return root


def test_an_unreadable_file_among_many_stops_nothing_but_itself(tmp_path):
    root = many_pictures(tmp_path)
    (root / "70.png").unlink()
    (root / "70.png").write_bytes((root / "good.png").read_bytes()[:-60])
    store = ingest_root("csv", root)
    assert len(store) == 4 * CHUNK_STUDIES - 1
    assert [drop[:2] for drop in listed_drops(store)] == [("70.png", "unreadable_image"), ("", "no_views")]


def test_a_file_that_cannot_be_opened_is_named_and_what_came_before_it_is_kept(tmp_path):
    root = many_pictures(tmp_path)
    (root / "70.png").unlink()
    (root / "70.png").mkdir()  # like a denied permission: the next try may succeed
    with pytest.raises(IsADirectoryError, match="70.png"):
        ingest_root("csv", root)
    assert not (tmp_path / "root-store").exists()
    (root / "70.png").rmdir()
    (root / "70.png").hardlink_to(root / "good.png")
    for number in range(2 * CHUNK_STUDIES):
        (root / f"{number}.png").unlink()  # what is ingested is not read again
    store = ingest_root("csv", root)
    assert len(store) == 4 * CHUNK_STUDIES and store.drops.empty


def test_a_full_disk_keeps_what_was_ingested(tmp_path):
    earlier = rehearse("hannover", tmp_path)
    before = ingest_root("hannover", earlier).id
    (tmp_path / "many").mkdir()
    root = many_pictures(tmp_path / "many")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))  # a file that may not grow is a full disk
    try:
        with pytest.raises(OSError, match="The disk is full.*run the same command again"):
            ingest_root("csv", root)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not (tmp_path / "many" / "root-store").exists()
    assert ingest_root("hannover", earlier).id == before
    assert len(ingest_root("csv", root)) == 4 * CHUNK_STUDIES
