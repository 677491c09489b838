import importlib.util
import json
import math
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reading_back import check_layout

from lib.data.ingest import ingest
from lib.data.layouts import write_layout
from lib.data.readers import open_reader, read
from lib.data.readers.rsna import MAPPINGS, NORMAL, NOT_NORMAL, OPACITY

BOXES = (
    "patientId,x,y,width,height,Target\n"
    "aa,,,,,0\n"
    "bb,264.0,152.0,213.0,379.0,1\n"
    "cc,,,,,0\n"
    "bb,562.0,152.0,256.0,453.0,1\n"
)
CLASSES = "patientId,class\naa,No Lung Opacity / Not Normal\nbb,Lung Opacity\nbb,Lung Opacity\ncc,Normal\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "stage_2_train_labels.csv").write_text(BOXES)
    (tmp_path / "stage_2_detailed_class_info.csv").write_text(CLASSES)
    return tmp_path


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("rsna", tmp_path, num_studies=40)
    counts = Counter(label for study in studies for label, value in study.labels.items() if value)
    assert min(counts[label] for label in (OPACITY, NOT_NORMAL, NORMAL)) > 1
    assert any(len(study.boxes) > 1 for study in studies)
    assert len({study.patient_id for study in studies}) < len(studies)  # some came twice


def test_an_ingest_of_the_layout_drops_nothing(tmp_path):
    write_layout("rsna", tmp_path / "root", num_studies=12, image_size=64)
    reader = open_reader("rsna", tmp_path / "root")
    store = ingest(reader, tmp_path / "store", image_size=32, workers=0, progress=False)
    assert len(store.studies) == len(reader)
    assert len(store.boxes) == sum(len(study.boxes) for study in reader) > 0


def test_the_official_tables(root):
    reader = open_reader("rsna", root)
    first, second, third = reader
    assert len(reader) == 3 and [study.study_id for study in reader] == ["aa", "bb", "cc"]
    for study, kind in ((first, NOT_NORMAL), (second, OPACITY), (third, NORMAL)):
        assert study.labels == {label: float(label == kind) for label in (OPACITY, NOT_NORMAL, NORMAL)}
        assert study.patient_id == study.study_id and study.split == ""
    assert first.boxes == third.boxes == ()
    assert [(box.x0, box.y0, box.x1, box.y1) for box in second.boxes] == [
        (264, 152, 477, 531), (562, 152, 818, 605),
    ]  # fmt: skip
    view = second.views[0]
    assert view.path == root / "stage_2_train_images" / "bb.dcm" and view.box_frame == (1024, 1024)


def test_the_public_table_of_boxes(tmp_path):
    package = importlib.util.find_spec("torchxrayvision")
    if package is None:
        pytest.skip("no public table here: it lies in torchxrayvision, which make env fetches for it")
    with zipfile.ZipFile(
        Path(package.origin).parent / "data" / "kaggle_stage_2_train_labels.csv.zip"
    ) as file:
        name = next(name for name in file.namelist() if name.endswith("stage_2_train_labels.csv"))
        (tmp_path / "stage_2_train_labels.csv").write_bytes(file.read(name))
    studies = list(read("rsna", tmp_path))
    assert len(studies) == 26_684
    assert sum(study.labels[OPACITY] for study in studies) == 6_012
    assert sum(len(study.boxes) for study in studies) == 9_555


def test_without_classes_what_is_not_opaque_is_not_known(root):
    (root / "stage_2_detailed_class_info.csv").unlink()
    first, second, _ = read("rsna", root)
    assert first.labels[OPACITY] == 0 and math.isnan(first.labels[NORMAL])
    assert second.labels == {OPACITY: 1.0, NOT_NORMAL: 0.0, NORMAL: 0.0}


def test_the_first_stage_is_named_otherwise(root):
    for path in list(root.iterdir()):
        path.rename(root / path.name.replace("stage_2", "stage_1"))
    studies = list(read("rsna", root))
    assert studies[1].labels[OPACITY] == 1 and studies[2].labels[NORMAL] == 1
    assert studies[0].views[0].path == root / "stage_1_train_images" / "aa.dcm"


def test_a_smaller_copy_keeps_its_boxes_in_place(root):
    (root / "stage_2_train_images_jpg").mkdir()
    for name in ("aa", "bb", "cc"):
        file = root / "stage_2_train_images_jpg" / f"{name}.jpg"
        Image.fromarray(np.full((64, 64), 99, np.uint8)).save(file)
    store = ingest(open_reader("rsna", root), root / "store", image_size=128, workers=0, progress=False)
    corners = store.boxes[["x0", "y0", "x1", "y1"]].iloc[0].tolist()
    assert len(store.views) == 3
    assert corners == pytest.approx([value / 8 for value in (264, 152, 477, 531)], abs=1e-3)


def test_the_mapping_tells_the_patients(root):
    rows = [
        {"subset_img_id": "aa", "img_id": "00000013_005.png"},
        {"subset_img_id": "bb", "img_id": "00000013_006.png"},
    ]
    (root / MAPPINGS).write_text(json.dumps(rows))
    assert [study.patient_id for study in read("rsna", root)] == ["00000013", "00000013", "cc"]
    for content in ("[", '{"a": 1}', '[{"img_id": "1_2.png"}]'):
        (root / MAPPINGS).write_text(content)
        with pytest.raises(ValueError, match="mappings_2018.json is no list of subset_img_id"):
            open_reader("rsna", root)


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("train_labels", "379.0,1", "379.0,2", "train_labels.csv, row 2: Target is neither 0 nor 1"),
        ("train_labels", "453.0,1", "453.0,0", "train_labels.csv, row 4: a box with Target 0"),
        ("train_labels", "aa,,,,,0", "bb,,,,,0", "bb has Target 0 and 1"),
        ("train_labels", "213.0", "wide", "row 2: width is 'wide', not a number"),
        ("train_labels", "patientId", "patient", "has no column 'patientId'"),
        ("detailed_class_info", "cc,Normal", "cc,normal", "row 4: unknown class 'normal'"),
        (
            "detailed_class_info",
            "bb,Lung Opacity\ncc",
            "bb,Normal\ncc",
            "row 3: bb is 'Lung Opacity' as",
        ),
        ("detailed_class_info", "cc,Normal", "cc,Lung Opacity", "picture cc has Target 0 .*two versions"),
    ],
)
def test_bad_tables_are_named(root, table, old, new, message):
    path = root / f"stage_2_{table}.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        open_reader("rsna", root)


def test_a_box_without_corners_reaches_the_ingest(root):
    path = root / "stage_2_train_labels.csv"
    path.write_text(BOXES + "bb,,,,,1\n")
    *_, box = list(read("rsna", root))[1].boxes
    assert math.isnan(box.x0)


def test_missing_tables_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"stage_2_train_labels.csv is missing \(or stage_1_train"):
        open_reader("rsna", tmp_path)
