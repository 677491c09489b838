import math
from collections import Counter

import pytest
from reading_back import check_layout

from lib.data.ingest import ingest
from lib.data.layouts import write_layout
from lib.data.readers import open_reader, read
from lib.data.readers.mura import PARTS

TRAIN = "MURA-v1.1/train/XR_SHOULDER/patient00001/study1_positive/"
VALID = "MURA-v1.1/valid/XR_WRIST/patient11185/study1_negative/"


@pytest.fixture
def root(tmp_path):
    """Write the four tables with the first rows of the official ones, and no picture."""
    for name, study, label in (("train", TRAIN, 1), ("valid", VALID, 0)):
        (tmp_path / f"{name}_image_paths.csv").write_text(f"{study}image1.png\n{study}image2.png\n")
        (tmp_path / f"{name}_labeled_studies.csv").write_text(f"{study},{label}\n")
    return tmp_path


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("mura", tmp_path, num_studies=24)
    assert {study.split for study in studies} == {"train", "validation"}
    assert {study.study_id.split("/")[0] for study in studies} == set(PARTS)
    assert {study.labels["Abnormal"] for study in studies} == {0.0, 1.0}
    assert max(len(study.views) for study in studies) > 1
    for study in studies:
        assert study.study_id.endswith("_positive" if study.labels["Abnormal"] else "_negative")
    inner = read("mura", tmp_path / "MURA-v1.1")
    assert [study.study_id for study in inner] == [study.study_id for study in studies]


def test_rows_of_the_official_tables(root):
    first, second = read("mura", root)
    assert first.study_id == "XR_SHOULDER/patient00001/study1_positive"
    assert (first.patient_id, first.labels, first.split) == ("patient00001", {"Abnormal": 1.0}, "train")
    assert [view.view_id for view in first.views] == [f"{first.study_id}/image1", f"{first.study_id}/image2"]
    assert first.views[1].path == root / "train" / first.study_id / "image2.png"  # missing, yet named
    assert {view.position for view in first.views} == {"UNKNOWN"}
    assert (second.labels, second.split) == ({"Abnormal": 0.0}, "validation")
    assert len(open_reader("mura", root)) == 2


def test_the_official_validation_set_may_be_the_test(root):
    assert [study.split for study in read("mura", root, valid_as="test")] == ["train", "test"]
    with pytest.raises(ValueError, match="MURA: valid_as is 'train'; take validation, or test"):
        open_reader("mura", root, valid_as="train")


def test_an_archive_inside_a_folder_of_its_name_and_other_endings(tmp_path):
    write_layout("mura", tmp_path / "a", num_studies=8, image_size=64)
    (tmp_path / "b" / "MURA-v1.1").mkdir(parents=True)
    (tmp_path / "a" / "MURA-v1.1").rename(tmp_path / "b" / "MURA-v1.1" / "MURA-v1.1")
    for picture in sorted(tmp_path.rglob("image1.png")):
        picture.rename(picture.with_suffix(".jpg"))
    views = [view for study in read("mura", tmp_path / "b") for view in study.views]
    assert Counter(view.path.suffix for view in views).keys() == {".jpg", ".png"}
    assert all(view.path.is_file() for view in views)


def test_a_study_of_one_table_alone_is_not_lost(root, tmp_path_factory):
    other = TRAIN.replace("00001", "00002")
    with open(root / "train_labeled_studies.csv", "a") as table:
        table.write(f"{other},0\n")
    with open(root / "valid_image_paths.csv", "a") as table:
        table.write(f"{VALID.replace('11185', '11186')}image1.png\n")
    studies = {study.patient_id: study for study in read("mura", root)}
    assert len(open_reader("mura", root)) == len(studies) == 4
    assert studies["patient00002"].views == () and studies["patient00002"].labels["Abnormal"] == 0
    assert math.isnan(studies["patient11186"].labels["Abnormal"]) and len(studies["patient11186"].views) == 1
    with pytest.raises(ValueError, match="No study is usable"):  # every picture is missing
        ingest(open_reader("mura", root), tmp_path_factory.mktemp("o") / "s", workers=0, progress=False)


def test_a_body_part_of_one_patient_may_have_several_studies(root):
    second = TRAIN.replace("study1_positive", "study2_negative")
    hand = TRAIN.replace("XR_SHOULDER", "XR_HAND")
    with open(root / "train_image_paths.csv", "a") as table:
        table.write(f"{second}image1.png\n{hand}image1.png\n")
    with open(root / "train_labeled_studies.csv", "a") as table:
        table.write(f"{second},0\n{hand},1\n")
    train = [study for study in read("mura", root) if study.split == "train"]
    assert len(train) == 3 and {study.patient_id for study in train} == {"patient00001"}
    assert [len(study.views) for study in train] == [2, 1, 1]
    assert [study.labels["Abnormal"] for study in train] == [1, 0, 1]


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("train_labeled_studies.csv", ",1", ",2", "row 1: label is '2', not 0 or 1"),
        ("train_labeled_studies.csv", ",1", ",", "row 1: label is '', not 0 or 1"),
        ("train_labeled_studies.csv", ",1", ",abnormal", "row 1: label is 'abnormal', not a number"),
        ("train_labeled_studies.csv", "patient00001/", "", "row 1: study .*official shape"),
        ("valid_image_paths.csv", "XR_WRIST", "XR_KNEE", "row 1: path .*official shape"),
        ("valid_image_paths.csv", "image1.png", "../image1.png", "row 1: path .*official shape"),
        ("valid_image_paths.csv", "MURA", "path\nMURA", "row 1: path 'path' is not of the official shape"),
    ],
)
def test_bad_tables_are_named(root, table, old, new, message):
    path = root / table
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=f"{table}.*{message}"):
        open_reader("mura", root)


def test_a_study_with_two_labels_is_named(root):
    path = root / "train_labeled_studies.csv"
    path.write_text(f"{TRAIN},1\n{TRAIN},0\n")
    with pytest.raises(ValueError, match="row 2: study 'train/XR_SHOULDER/.*stands in an earlier row"):
        open_reader("mura", root)


def test_a_missing_table_is_named(root):
    (root / "valid_labeled_studies.csv").unlink()
    with pytest.raises(FileNotFoundError, match="valid_labeled_studies.csv is missing.*MURA-v1.1"):
        open_reader("mura", root)
    with pytest.raises(FileNotFoundError, match="train_image_paths.csv is missing"):
        open_reader("mura", root / "..")
