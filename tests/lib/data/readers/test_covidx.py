import math
from collections import Counter

import pytest
from reading_back import check_layout

from lib.data.readers import open_reader, read

TRAIN = (
    "3 SARS-10.1148rg.242035193-g04mr34g0-Fig8a-day0.jpeg pneumonia cohen\n"
    "COVID-19(69) COVID-19(69).png COVID-19 sirm\n"
    "ANON58 CR.1.2.840.113564.png COVID-19 actmed\n"
)
TEST = "47c78742-4998 47c78742-4998.png normal rsna\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "train_COVIDx4.txt").write_text(TRAIN)
    (tmp_path / "test_COVIDx4.txt").write_text(TEST)
    return tmp_path


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("covidx", tmp_path, num_studies=30)
    assert {study.split for study in studies} == {"train", "test"}
    present = Counter(label for study in studies for label, value in study.labels.items() if value)
    assert set(present) == {"Normal", "Pneumonia", "COVID-19"}
    assert sum(present.values()) == len(studies)  # the classes exclude each other


def test_the_official_lists(root):
    reader = open_reader("covidx", root)
    studies = list(reader)
    assert len(reader) == len(studies) == 4 and reader.version == "4"
    assert [study.patient_id for study in studies] == ["3", "COVID-19(69)", "ANON58", "47c78742-4998"]
    assert [study.split for study in studies] == ["train", "train", "train", "test"]
    assert list(studies[0].labels.values()) == [0, 1, 0] and list(studies[3].labels.values()) == [1, 0, 0]
    assert studies[2].views[0].path == root / "train" / "CR.1.2.840.113564.png"  # absent: where it should be


def test_newer_versions_say_positive_and_negative(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "train_COVIDx8B.txt").write_text("5 ARDSSevere.png negative cohen\n")
    (tmp_path / "labels" / "test_COVIDx8B.txt").write_text("SITE2-1 MIDRC-1.png positive ricord\n")
    negative, positive = read("covidx", tmp_path)
    assert positive.labels == {"Normal": 0, "Pneumonia": 0, "COVID-19": 1}
    assert negative.labels["COVID-19"] == 0
    assert math.isnan(negative.labels["Normal"]) and math.isnan(negative.labels["Pneumonia"])


def test_old_lists_have_no_source_and_new_ones_a_validation_part(tmp_path):
    (tmp_path / "train.txt").write_text("8 SARS day9.jpeg pneumonia\n\n")
    (tmp_path / "val.txt").write_text("9 b.png positive bimcv\n")
    (tmp_path / "test.txt").write_text("10 c.png negative rsna\n")
    studies = list(read("covidx", tmp_path))
    assert [study.split for study in studies] == ["train", "validation", "test"]
    assert studies[0].study_id == "SARS day9.jpeg"


def test_of_several_versions_one_is_chosen(root):
    (root / "train_COVIDx_CXR-3A.txt").write_text("1 a.png normal rsna\n")
    (root / "test_COVIDx_CXR-3A.txt").write_text("2 b.png COVID-19 ricord\n")
    assert len(open_reader("covidx", root)) == 4
    assert len(open_reader("covidx", root, version="_CXR-3A")) == 2
    for split in ("train", "test"):
        (root / f"{split}_COVIDx4.txt").rename(root / f"{split}_COVIDx5.txt")
    with pytest.raises(ValueError, match=r"several versions; give version as one of \['5', '_CXR-3A'\]"):
        open_reader("covidx", root)


@pytest.mark.parametrize(
    "line", ["3 a.png Covid cohen", "3 a.png", "a.png normal", "3 a.png normal rsna extra", "normal rsna"]
)
def test_a_line_that_makes_no_sense_is_named(root, line):
    (root / "test_COVIDx4.txt").write_text(f"{TEST}{line}\n")
    with pytest.raises(ValueError, match=f"test_COVIDx4.txt, line 2: '{line}' is not"):
        open_reader("covidx", root)


def test_missing_lists_are_named(root):
    (root / "test_COVIDx4.txt").unlink()
    with pytest.raises(FileNotFoundError, match="test_COVIDx4.txt is missing"):
        open_reader("covidx", root)
    (root / "train_COVIDx4.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"train_COVIDx4.txt is missing. Official layout"):
        open_reader("covidx", root)


def test_names_with_points_and_other_endings(root):
    (root / "train").mkdir()
    (root / "train" / "CR.1.2.840.113564.jpg").touch()
    assert list(read("covidx", root))[2].views[0].path.name == "CR.1.2.840.113564.jpg"
    (root / "train_COVIDx4.txt").write_text("1 ../../a.png normal rsna\n")
    first = next(read("covidx", root))
    assert first.views[0].path is None and "leads out" in first.views[0].refused
