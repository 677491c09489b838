import csv
import math
from collections import Counter

import pytest
from reading_back import check_layout

from lib.data.readers import open_reader, read

HEADER = "patient_id,image_id,sex,age,icu_admission_offset,death_offset,modality,projection\n"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a table and reads it."""

    def write_rows(text, header=HEADER):
        (tmp_path / "data.csv").write_text(header + text)
        return list(read("hannover", tmp_path))

    return write_rows


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("hannover", tmp_path, num_studies=40)
    assert {study.labels["COVID-19"] for study in studies} == {1}
    for label in ("Intensive Care", "Death"):
        assert {study.labels[label] for study in studies} == {0, 1}
    assert Counter(study.views[0].refused for study in studies).keys() == {"", "modality CT"}


def test_the_real_pack_has_the_counts_of_its_description(shared):
    reader = open_reader("hannover", shared / "data" / "hannover-covid")
    studies = list(reader)
    assert len(reader) == len(studies) == len({study.study_id for study in studies}) == 162
    assert len({study.patient_id for study in studies}) == 53
    views = [study.views[0] for study in studies]
    assert Counter(view.position for view in views) == {"AP": 123, "PA": 39}
    assert all(view.path.is_file() and not view.refused for view in views)
    assert sum(study.labels["Intensive Care"] for study in studies) == 118
    assert sum(study.labels["Death"] for study in studies) == 23
    assert Counter(study.sex for study in studies) == {"M": 130, "F": 32}
    assert all(math.isnan(study.age) for study in studies)


def test_the_real_sexes_are_those_of_the_table(shared):
    root = shared / "data" / "hannover-covid"
    with open(root / "data.csv", newline="") as handle:
        expected = {row["image_id"]: row["sex"].upper() for row in csv.DictReader(handle)}
    assert {study.study_id: study.sex for study in read("hannover", root)} == expected


def test_the_folder_of_the_publishers_and_an_absent_picture(write, tmp_path):
    (tmp_path / "png").mkdir()
    (tmp_path / "png" / "a1.png").touch()
    first, second = write("p1,a1,m,50,,,CR,ap\np1,a2,x,,0,,DX,ll\n")
    assert first.views[0].path == tmp_path / "png" / "a1.png" and first.age == 50
    assert second.views[0].path == tmp_path / "png" / "a2.png" and not second.views[0].path.exists()
    assert (second.sex, second.views[0].position) == ("", "UNKNOWN")
    assert list(second.labels.values()) == [1, 1, 0]


@pytest.mark.parametrize(
    ("modality", "told"), [("CT", "modality CT"), ("", "modality not given"), ("DX", "")]
)
def test_only_radiographs_are_taken(write, modality, told):
    (study,) = write(f"p1,a1,m,,,,{modality},ap\n")
    assert study.views[0].refused == told


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (",a2,m,,,,CR,ap\n", "row 2: patient_id is '', which is no id"),
        ("p2,,m,,,,CR,ap\n", "row 2: image_id is '', which is no id"),
        ("p2,a2,m,,soon,,CR,ap\n", "row 2: icu_admission_offset is 'soon', not a number"),
    ],
)
def test_a_cell_that_makes_no_sense_is_named(write, row, told):
    with pytest.raises(ValueError, match=f"data.csv, {told}"):
        write("p1,a1,m,,,,CR,ap\n" + row)


def test_a_renamed_column_is_named(write):
    with pytest.raises(ValueError, match="data.csv has no column 'projection'"):
        write("", header=HEADER.replace("projection", "view"))


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data.csv is missing. Official layout"):
        open_reader("hannover", tmp_path)
