import math
from collections import Counter

import pytest
from reading_back import check_layout

from lib.data.readers import open_reader, read
from lib.data.readers.shenzhen import read_sex_and_age


@pytest.fixture
def root(tmp_path):
    """The full set as its names alone: 326 normal and 336 with tuberculosis, no picture has content."""
    (tmp_path / "CXR_png").mkdir()
    for number in range(1, 663):
        (tmp_path / "CXR_png" / f"CHNCXR_{number:04d}_{int(number > 326)}.png").touch()
    return tmp_path


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("shenzhen", tmp_path, num_studies=20)
    assert {study.labels["Tuberculosis"] for study in studies} == {0, 1}
    assert {study.sex for study in studies} == {"M", "F"}


def test_the_lists_of_refers_assign_every_picture_and_agree_with_the_names(shared, root):
    lists = shared / "published" / "splits" / "shenzhen"
    truth = {}
    for name in ("train.txt", "valid.txt", "test.txt"):
        for line in (lists / name).read_text().splitlines():
            file, _, disease = line.split()
            truth[file.removesuffix(".png")] = float(disease)
    reader = open_reader("shenzhen", root, split_lists=str(lists))
    studies = list(reader)
    assert len(reader) == len(studies) == 662
    assert Counter(study.split for study in studies) == {"train": 463, "validation": 67, "test": 132}
    assert {study.study_id: study.labels["Tuberculosis"] for study in studies} == truth


def test_without_lists_and_readings(root):
    studies = list(read("shenzhen", root))
    assert {study.split for study in studies} == {""} and {study.sex for study in studies} == {""}
    assert all(math.isnan(study.age) for study in studies)
    assert len({study.patient_id for study in studies}) == 662
    assert {study.views[0].position for study in studies} == {"FRONTAL"}


def test_a_reading_belongs_to_its_picture(root):
    (root / "ClinicalReadings").mkdir()
    (root / "ClinicalReadings" / "CHNCXR_0002_0.txt").write_bytes(b"Female, 31yrs\xa0\r\nnormal")
    studies = list(read("shenzhen", root))
    assert [(study.sex, study.age) for study in studies[1:2]] == [("F", 31)]
    assert [study.sex for study in studies[:3]] == ["", "F", ""]


@pytest.mark.parametrize(
    ("reading", "sex", "years"),
    [
        ("male 45yrs\nnormal", "M", 45),
        ("female, 31 yrs.\n1.fibrosis of the left upper lobe", "F", 31),
        ("Female37yr\n", "F", 37),
        ("femal 32yrs", "F", 32),
        ("male24yrs\n2 months later", "M", 24),
        ("male 16month\nnormal", "M", 16 / 12),
        ("female 64days", "F", 64 / 365.25),
        ("\n  male\n33yrs\n", "M", 33),
        ("male 50\nSTB", "M", 50),
        ("m, 7y", "M", 7),
        ("16m", "", 16 / 12),
        ("male 450yrs", "M", math.nan),
        ("female\n1.bilateral PTB", "F", math.nan),
        ("45yrs", "", 45),
        ("", "", math.nan),
        ("?", "", math.nan),
    ],
)
def test_sex_and_age_in_many_spellings(reading, sex, years):
    found = read_sex_and_age(reading)
    assert found[0] == sex and found[1] == pytest.approx(years, nan_ok=True)


def test_a_picture_of_another_name_is_refused_and_counted(root):
    (root / "CXR_png" / "CHNCXR_0001_7.png").touch()
    (root / "CXR_png" / "Thumbs.db").touch()
    studies = list(read("shenzhen", root))
    refused = [study for study in studies if study.views[0].refused]
    assert len(studies) == 663 and [study.study_id for study in refused] == ["CHNCXR_0001_7"]
    assert math.isnan(refused[0].labels["Tuberculosis"])


def test_lists_without_a_training_part(root, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "test.txt").write_text("CHNCXR_0001_0.png 1 0\n")
    studies = list(read("shenzhen", root, split_lists=str(lists)))
    assert Counter(study.split for study in studies) == {"test": 1, "train": 661}


def test_a_root_without_pictures_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"CXR_png holds no picture. Official layout"):
        open_reader("shenzhen", tmp_path)
