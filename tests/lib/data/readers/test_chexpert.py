import csv
import math
from collections import Counter

import pytest
from reading_back import check_layout

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.layouts import write_layout
from lib.data.readers import open_reader, read
from lib.data.readers.chexpert import BATCH_OF_TABLES, BATCHES

HEADER = ",".join(("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *CHEXPERT_LABELS)) + "\n"
# The first two rows as they stand in descriptions of the set.
ROWS = (
    "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,"
    "1.0,,,,,,,,,0.0,,,,1.0\n"
    "CheXpert-v1.0-small/train/patient00002/study2/view1_frontal.jpg,Male,87,Frontal,AP,"
    ",,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\n"
    "CheXpert-v1.0-small/train/patient00002/study2/view2_lateral.jpg,Male,87,Lateral,,"
    ",,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\n"
)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "train.csv").write_text(HEADER + ROWS)
    (tmp_path / "valid.csv").write_text(
        HEADER + "CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,PA,"
        "0.0,1.0,1.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    )
    return tmp_path


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("chexpert", tmp_path, num_studies=24)
    assert {study.split for study in studies} == {"train", "validation", "test"}
    positions = {study.split: set() for study in studies}
    for study in studies:
        positions[study.split] |= {view.position for view in study.views}
    assert positions["train"] == {"PA", "AP", "LATERAL"} and "FRONTAL" in positions["test"]
    known = [study for study in studies if study.split != "train"]
    assert not any(math.isnan(value) for study in known for value in study.labels.values())
    values = Counter(str(value) for study in studies for value in study.labels.values())
    assert values["1.0"] and values["0.0"] and values["nan"]
    folder = tmp_path / "CheXpert-v1.0-small"
    assert [study.study_id for study in read("chexpert", folder)] == [study.study_id for study in studies]


def test_rows_of_the_official_table(root):
    first, second, third = read("chexpert", root)
    assert (first.study_id, first.patient_id, first.sex, first.age) == (
        "patient00001/study1", "patient00001", "F", 68,
    )  # fmt: skip
    known = {label: value for label, value in first.labels.items() if not math.isnan(value)}
    assert known == {"No Finding": 1, "Pneumothorax": 0, "Support Devices": 1}
    assert [view.position for view in second.views] == ["AP", "LATERAL"]
    assert second.views[1].view_id == "patient00002/study2/view2_lateral"
    assert second.views[1].path == root / "train/patient00002/study2/view2_lateral.jpg"  # missing, yet named
    assert (second.split, third.split) == ("train", "validation")
    assert len(open_reader("chexpert", root)) == 3  # the test set may be missing


def test_the_official_validation_set_may_be_the_test(root):
    (root / "test_labels.csv").write_text(
        (root / "valid.csv").read_text().replace("valid/patient64541", "test/patient70000")
    )
    assert [study.split for study in read("chexpert", root)] == ["train", "train", "validation", "test"]
    studies = list(read("chexpert", root, valid_as="test"))
    assert [study.split for study in studies] == ["train", "train", "test"]
    assert studies[2].views[0].path.parts[-4] == "valid"
    with pytest.raises(ValueError, match="CheXpert: valid_as is 'train'; take validation, or test"):
        open_reader("chexpert", root, valid_as="train")


@pytest.mark.parametrize(("uncertain", "value"), {"ignore": math.nan, "zeros": 0.0, "ones": 1.0}.items())
def test_policies_for_unsure_labels(root, uncertain, value):
    reader = open_reader("chexpert", root, uncertain=uncertain, blank="zeros")
    _, second, third = reader
    unsure = ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")
    for label in CHEXPERT_LABELS:
        expected = value if label in unsure else float(label in ("Lung Opacity", "Fracture"))
        assert second.labels[label] == pytest.approx(expected, nan_ok=True), label
    assert sum(third.labels.values()) == 3  # radiologists were sure
    with pytest.raises(ValueError, match="uncertain='one'"):
        open_reader("chexpert", root, uncertain="one")


def test_a_finding_of_one_row_is_one_of_the_study(root):
    path = root / "train.csv"
    lateral = ROWS.splitlines()[2]
    cells = lateral.split(",")
    cells[5 + CHEXPERT_LABELS.index("Cardiomegaly")] = "1.0"
    path.write_text(HEADER + ROWS.replace(lateral, ",".join(cells)))
    labels = list(read("chexpert", root, uncertain="zeros"))[1].labels
    assert labels["Cardiomegaly"] == 1 and labels["Edema"] == 0 and math.isnan(labels["Pneumonia"])


@pytest.mark.parametrize(
    ("plane", "projection", "position"),
    [
        ("Frontal", "PA", "PA"),
        ("Frontal", "", "FRONTAL"),
        ("Frontal", "LL", "UNKNOWN"),
        ("Frontal", "RL", "UNKNOWN"),
        ("Lateral", "", "LATERAL"),
    ],
)
def test_positions(root, plane, projection, position):
    (root / "train.csv").write_text(HEADER + ROWS.replace("68,Frontal,AP", f"68,{plane},{projection}"))
    assert next(read("chexpert", root)).views[0].position == position


@pytest.mark.parametrize(("age", "years"), {"0": math.nan, "90": 90, "200": math.nan, "": math.nan}.items())
def test_ages_and_an_unknown_sex(root, age, years):
    (root / "train.csv").write_text(HEADER + ROWS.replace("Female,68", f"Unknown,{age}"))
    study = next(read("chexpert", root))
    assert study.sex == "" and study.age == pytest.approx(years, nan_ok=True)


@pytest.mark.parametrize("inside", [True, False], ids=["parent", "batch"])
def test_the_batches_of_the_full_download(tmp_path, inside):
    write_layout("chexpert", tmp_path / "all", num_studies=12, image_size=64)
    small, full = tmp_path / "all" / "CheXpert-v1.0-small", tmp_path / "full"
    expected = {study.study_id: study for study in read("chexpert", small) if study.split != "test"}
    tables = full / BATCH_OF_TABLES
    tables.mkdir(parents=True)
    for name in ("train.csv", "valid.csv", "valid"):
        (small / name).rename(tables / name)
    for number, patient in enumerate(sorted((small / "train").iterdir())):
        batch = full / BATCHES[number % 3]
        batch.mkdir(exist_ok=True)
        patient.rename(batch / patient.name)
    studies = list(read("chexpert", full if inside else tables))
    assert {study.study_id for study in studies} == expected.keys()
    assert all(view.path.is_file() for study in studies for view in study.views)
    assert len({view.path.relative_to(full).parts[0] for study in studies for view in study.views}) == 4


def test_a_test_table_with_all_columns(root):
    row = "test/patient64741/study1/view1_frontal.jpg,Female,50,Frontal,PA" + ",0.0" * 13 + ",1.0\n"
    (root / "test.csv").write_text(HEADER + row)
    *_, last = read("chexpert", root)
    assert (last.split, last.sex, last.age, last.views[0].position) == ("test", "F", 50, "PA")
    assert last.views[0].path == root / "test/patient64741/study1/view1_frontal.jpg"
    assert last.labels["Support Devices"] == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Frontal/Lateral", "View", "has no column 'Frontal/Lateral'"),
        ("Pleural Other", "Other", "has no column 'Pleural Other'"),
        ("Female,68", "Female,old", "row 1: Age is 'old', not a number"),
        (",1.0,,,,,,,,,0.0", ",4.0,,,,,,,,,0.0", "row 1: No Finding is 4, not 1, 0, -1 or empty"),
        ("patient00001/", "", "row 1: Path 'CheXpert-v1.0-small/train/study1/.*official shape"),
        ("train/patient00001", "../patient00001", "row 1: Path .*official shape"),
        ("view1_frontal.jpg", "../../view1_frontal.jpg", "row 1: Path .*official shape"),
    ],
)
def test_bad_tables_are_named(root, old, new, message):
    path = root / "train.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=f"train.csv.*{message}"):
        open_reader("chexpert", root)


@pytest.mark.parametrize("name", ["train.csv", "valid.csv"])
def test_a_missing_table_is_named(root, name):
    (root / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing.*CheXpert-v1.0"):
        open_reader("chexpert", root)


def test_paths_of_the_published_retrieval_lists_have_the_shape(shared, tmp_path):
    lists = shared / "published" / "chexpert_8x200"
    candidates = (lists / "image-retrieval-candidate.csv").read_text().splitlines()
    (tmp_path / "train.csv").write_text("\n".join(candidates) + "\n")
    (tmp_path / "valid.csv").write_text(HEADER)
    studies = list(read("chexpert", tmp_path))
    assert sum(len(study.views) for study in studies) == len(candidates) - 1 == 1600
    rows = list(csv.DictReader(candidates))
    positives = Counter(label for row in rows for label in CHEXPERT_LABELS if float(row[label]) == 1)
    labels = Counter(label for study in studies for label in CHEXPERT_LABELS if study.labels[label] == 1)
    assert labels.keys() == positives.keys() and len(labels) == 8
    assert {view.position for study in studies for view in study.views} <= {"PA", "AP"}
