import math
from collections import Counter

import pytest
from reading_back import check_layout

from lib.data.readers import open_reader, read

FILES = (
    "train/NORMAL/IM-0115-0001.jpeg",
    "train/NORMAL/NORMAL2-IM-0115-0001-0002.jpeg",
    "train/PNEUMONIA/person24_bacteria_111.jpeg",
    "val/PNEUMONIA/person24_virus_112.jpeg",
    "test/PNEUMONIA/person24_bacteria_111.jpeg",
    "test/PNEUMONIA/person24_virus_9.jpeg",
    "test/PNEUMONIA/odd name.jpeg",
)


def write(root, files):
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("kermany", tmp_path, num_studies=30)
    assert {study.split for study in studies} == {"train", "validation", "test"}
    kinds = {tuple(study.labels.values()) for study in studies}
    assert kinds == {(0, 0, 0), (1, 1, 0), (1, 0, 1)}


def test_the_real_pack_has_the_counts_of_its_description(shared):
    reader = open_reader("kermany", shared / "data" / "kermany-pneumonia")
    studies = list(reader)
    assert len(reader) == len(studies) == len({study.study_id for study in studies}) == 838
    assert len({study.patient_id for study in studies}) == 603
    assert Counter(tuple(study.labels.values()) for study in studies) == {
        (1, 1, 0): 304, (0, 0, 0): 294, (1, 0, 1): 240,
    }  # fmt: skip
    assert {study.split for study in studies} == {""}
    assert all(study.views[0].path.is_file() for study in studies)


def test_the_real_patients_are_those_of_its_table(shared):
    root = shared / "data" / "kermany-pneumonia"
    lines = (root / "labels.csv").read_text().splitlines()[1:]
    groups = {file.rsplit(".", 1)[0]: group for file, _, _, group in (line.split(",") for line in lines)}
    assert {study.study_id: study.patient_id for study in read("kermany", root)} == groups


@pytest.mark.parametrize("folder", ["", "chest_xray"])
def test_the_official_parts(tmp_path, folder):
    write(tmp_path / folder, FILES)
    studies = {study.study_id: study for study in read("kermany", tmp_path)}
    assert len(studies) == len(FILES)
    assert Counter(study.split for study in studies.values()) == {"train": 3, "validation": 1, "test": 3}
    assert {view.position for study in studies.values() for view in study.views} == {"AP"}


def test_persons_are_counted_anew_in_the_test_part(tmp_path):
    write(tmp_path, FILES)
    patients = {study.study_id: study.patient_id for study in read("kermany", tmp_path)}
    assert patients["train/PNEUMONIA/person24_bacteria_111"] == "train/person24"
    assert patients["val/PNEUMONIA/person24_virus_112"] == "train/person24"
    assert patients["test/PNEUMONIA/person24_bacteria_111"] == "test/person24"
    assert patients["test/PNEUMONIA/person24_virus_9"] == "test/person24"
    assert patients["train/NORMAL/NORMAL2-IM-0115-0001-0002"] == "train/IM-0115"
    assert patients["train/NORMAL/IM-0115-0001"] == "train/IM-0115"
    assert patients["test/PNEUMONIA/odd name"] == "test/odd name"


def test_a_name_without_a_kind_leaves_it_unknown(tmp_path):
    write(tmp_path, FILES)
    labels = {study.study_id: study.labels for study in read("kermany", tmp_path)}["test/PNEUMONIA/odd name"]
    assert labels["Pneumonia"] == 1 and math.isnan(labels["Viral Pneumonia"])


def test_the_names_of_the_newer_download(tmp_path):
    write(tmp_path, ["test/PNEUMONIA/BACTERIA-1008087-0001.jpeg", "test/PNEUMONIA/VIRUS-1008087-0002.jpeg"])
    bacteria, virus = read("kermany", tmp_path)
    assert bacteria.patient_id == virus.patient_id == "test/1008087"
    assert bacteria.labels["Bacterial Pneumonia"] == virus.labels["Viral Pneumonia"] == 1


def test_other_files_are_no_pictures(tmp_path):
    write(tmp_path, [*FILES, "train/NORMAL/.DS_Store", "train/NORMAL/Thumbs.db"])
    assert len(open_reader("kermany", tmp_path)) == len(FILES)


def test_an_empty_root_is_named(tmp_path):
    write(tmp_path, ["NORMAL/readme.txt", "elsewhere/IM-0001-0001.jpeg"])
    with pytest.raises(FileNotFoundError, match="holds no picture in train/NORMAL"):
        open_reader("kermany", tmp_path)
