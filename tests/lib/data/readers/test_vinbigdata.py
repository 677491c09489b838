import importlib.util
import math
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reading_back import check_layout

from lib.data.ingest import ingest
from lib.data.layouts import write_layout
from lib.data.layouts.dicom import write_dicom
from lib.data.readers import open_reader, read
from lib.data.readers.vinbigdata_marks import FURTHER_LABELS, LABELS

HEADER = "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
ROWS = (
    "aa,Cardiomegaly,3,R8,691.0,1375.0,1653.0,1831.0\n"
    "bb,No finding,14,R11,,,,\n"
    "aa,Cardiomegaly,3,R9,690.0,1370.0,1650.0,1830.0\n"
    "aa,Nodule/Mass,8,R9,10.0,20.0,30.0,40.0\n"
    "bb,No finding,14,R7,,,,\n"
    "aa,No finding,14,R10,,,,\n"
    "bb,ILD,5,R10,5.0,5.0,9.0,9.0\n"
)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "train.csv").write_text(HEADER + ROWS)
    return tmp_path


def present(study):
    return {label for label, value in study.labels.items() if value}


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("vinbigdata", tmp_path, num_studies=24)
    assert {box.reader for study in studies for box in study.boxes} == {"R8", "R9", "R10"}
    assert any(study.boxes for study in studies) and any(not study.boxes for study in studies)
    assert {view.path.suffix for study in studies for view in study.views} == {".dicom"}
    majority = {study.study_id: present(study) for study in read("vinbigdata", tmp_path, labels="majority")}
    assert all(majority[study.study_id] <= present(study) for study in studies)
    assert any(majority[study.study_id] < present(study) for study in studies)


def test_an_ingest_of_the_layout_drops_nothing(tmp_path):
    write_layout("vinbigdata", tmp_path / "root", num_studies=12, image_size=64)
    reader = open_reader("vinbigdata", tmp_path / "root")
    store = ingest(reader, tmp_path / "store", image_size=32, workers=0, progress=False)
    assert len(store.studies) == len(reader) and len(store.boxes) > 0
    assert len(store.boxes) == sum(len(study.boxes) for study in reader)


def test_rows_of_a_picture_are_gathered_and_readers_counted(root):
    first, second = read("vinbigdata", root)
    assert (first.study_id, second.study_id, len(open_reader("vinbigdata", root))) == ("aa", "bb", 2)
    assert present(first) == {"Cardiomegaly", "Nodule/Mass"} and present(second) == {"ILD"}
    assert list(first.labels) == list(LABELS) and first.split == ""
    assert [(box.finding, box.reader, box.x0, box.y1) for box in first.boxes] == [
        ("Cardiomegaly", "R8", 691, 1831), ("Cardiomegaly", "R9", 690, 1830), ("Nodule/Mass", "R9", 10, 40),
    ]  # fmt: skip
    assert first.views[0].path == root / "train" / "aa.dicom"  # missing: kept where it should be
    first, second = read("vinbigdata", root, labels="majority")
    assert present(first) == {"Cardiomegaly"} and present(second) == set()


def test_labels_are_counted_by_reader_not_by_box(root):
    (root / "train.csv").write_text(HEADER + ROWS + "bb,ILD,5,R10,1.0,1.0,2.0,2.0\n")
    assert present(list(read("vinbigdata", root, labels="majority"))[1]) == set()


def save(path, width, height):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((height, width), 99, np.uint8)).save(path)


def test_squeezed_copies_get_the_frame_and_aspect_of_the_originals(root):
    for name in ("aa", "bb"):
        save(root / "train" / f"{name}.png", 64, 64)
    (root / "train_meta.csv").write_text("image_id,dim0,dim1\naa,2000,1800\nbb,100,100\n")
    view = next(read("vinbigdata", root)).views[0]
    assert view.box_frame == (1800, 2000) and view.aspect == 0.9
    store = ingest(open_reader("vinbigdata", root), root / "store", image_size=100, workers=0, progress=False)
    box = store.boxes[store.boxes["finding"] == "Cardiomegaly"].iloc[0]
    corners = [5 + 691 / 20, 1375 / 20, 5 + 1653 / 20, 1831 / 20]
    assert [box.x0, box.y0, box.x1, box.y1] == pytest.approx(corners, abs=1e-3)


def test_copies_with_sizes_in_the_table_of_boxes(root):
    lines = (HEADER + ROWS).splitlines()
    sized = [lines[0] + ",width,height"] + [line + ",2304,2880" for line in lines[1:]]
    (root / "train.csv").write_text("\n".join(sized))
    save(root / "train" / "aa.jpg", 64, 64)
    view = next(read("vinbigdata", root)).views[0]
    assert view.box_frame == (2304, 2880) and view.path.name == "aa.jpg"


def test_boxes_on_copies_of_unknown_scale_are_refused(root):
    save(root / "train" / "aa.png", 64, 64)
    with pytest.raises(ValueError, match=r"aa.png is a copy.*Put train_meta.csv .* full_size=True"):
        open_reader("vinbigdata", root)
    view = next(read("vinbigdata", root, full_size=True)).views[0]
    assert view.box_frame is None and view.aspect is None


def test_an_original_counts_before_its_copy(root):
    save(root / "train" / "aa.png", 64, 64)
    write_dicom(root / "train" / "aa.dicom", np.full((8, 8), 7, np.uint8), bits=8)
    (root / "train_meta.csv").write_text("image_id,dim0,dim1\naa,8,8\n")
    view = next(read("vinbigdata", root)).views[0]
    assert view.path.name == "aa.dicom" and view.box_frame is None


@pytest.fixture
def physionet(tmp_path):
    names = [*sorted(LABELS), *FURTHER_LABELS]
    folder = tmp_path / "annotations"
    folder.mkdir()

    def labels(*found):
        return ",".join(str(int(name in found)) for name in [*names, "No finding"])

    (folder / "image_labels_train.csv").write_text(
        f"image_id,rad_id,{','.join(names)},No finding\n"
        f"aa,R1,{labels('ILD', 'Tuberculosis')}\naa,R2,{labels('Tuberculosis')}\n"
        f"aa,R3,{labels('No finding')}\n"
    )
    (folder / "annotations_train.csv").write_text(
        "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\naa,R1,ILD,1,2,3,4\naa,R3,No finding,,,,\n"
    )
    header = ",".join(names).replace("Other diseases", "Other disease")  # as in the official table
    (folder / "image_labels_test.csv").write_text(
        f"image_id,{header},No finding\ncc,{labels('Other diseases', 'Rib fracture')}\n"
    )
    (folder / "annotations_test.csv").write_text(
        "image_id,class_name,x_min,y_min,x_max,y_max\ncc,Rib fracture,1,2,3,4\n"
    )
    return tmp_path


def test_the_layout_of_physionet(physionet):
    reader = open_reader("vinbigdata", physionet)
    train, test = reader
    assert len(reader) == 2 and (train.split, test.split) == ("train", "test")
    assert reader.label_names == tuple(train.labels) == (*LABELS, *FURTHER_LABELS)
    assert present(train) == {"ILD", "Tuberculosis"} and present(test) == {"Other diseases", "Rib fracture"}
    assert [(box.finding, box.reader) for box in train.boxes] == [("ILD", "R1")]
    assert [(box.finding, box.reader) for box in test.boxes] == [("Rib fracture", "consensus")]
    assert test.views[0].path == physionet / "test" / "cc.dicom"
    train, test = read("vinbigdata", physionet, labels="majority")
    assert present(train) == {"Tuberculosis"} and present(test) == {"Other diseases", "Rib fracture"}


def test_a_label_that_is_neither_0_nor_1_is_named(physionet):
    path = physionet / "annotations" / "image_labels_train.csv"
    path.write_text(path.read_text().replace("aa,R2,0", "aa,R2,2"))
    with pytest.raises(ValueError, match="train.csv, row 2: Aortic enlargement is 2, not 0 or 1"):
        open_reader("vinbigdata", physionet)


def test_a_missing_table_and_column_are_named(physionet, tmp_path):
    path = physionet / "annotations" / "image_labels_test.csv"
    path.write_text(path.read_text().replace("Lung cyst", "Cyst"))
    with pytest.raises(ValueError, match="image_labels_test.csv has no column 'Lung cyst'"):
        open_reader("vinbigdata", physionet)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="image_labels_test.csv is missing"):
        open_reader("vinbigdata", physionet)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="train.csv is missing.*kaggle.com"):
        open_reader("vinbigdata", tmp_path / "empty")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Nodule/Mass", "Nodule", "row 4: unknown class 'Nodule'"),
        ("691.0", "left", "row 1: x_min is 'left', not a number"),
        ("rad_id", "radiologist", "has no column 'rad_id'"),
    ],
)
def test_bad_tables_are_named(root, old, new, message):
    (root / "train.csv").write_text((HEADER + ROWS).replace(old, new))
    with pytest.raises(ValueError, match=f"train.csv.*{message}"):
        open_reader("vinbigdata", root)


def test_bad_sizes_and_options_are_named(root):
    with pytest.raises(ValueError, match="labels 'any' is not one of union, majority"):
        open_reader("vinbigdata", root, labels="any")
    (root / "train_meta.csv").write_text("image_id,dim0,dim1\naa,2000,0\n")
    with pytest.raises(ValueError, match="train_meta.csv, row 1: a size is missing or 0"):
        open_reader("vinbigdata", root)


def test_a_box_without_corners_reaches_the_ingest(root):
    (root / "train.csv").write_text(HEADER + ROWS + "bb,ILD,5,R7,,,,\n")
    *_, box = list(read("vinbigdata", root))[1].boxes
    assert math.isnan(box.x0) and box.reader == "R7"


def test_a_picture_outside_of_the_root_is_refused(root):
    (root / "train.csv").write_text(HEADER + "../aa,No finding,14,R1,,,,\n")
    (study,) = read("vinbigdata", root)
    assert "leads out of the root" in study.views[0].refused


def test_union_labels_of_the_public_table_are_those_of_the_refers_lists(shared, tmp_path):
    package = importlib.util.find_spec("torchxrayvision")
    if package is None:
        pytest.skip("no public table here: it lies in torchxrayvision, which make env fetches for it")
    table = Path(package.origin).parent / "data" / "vinbigdata-train.csv.gz"
    shutil.copy(table, tmp_path / "train.csv.gz")
    lists = shared / "published" / "splits" / "vinbigdata"
    expected = {}
    for name, split in {"train": "train", "val": "validation", "test": "test"}.items():
        for line in (lists / f"{name}.txt").read_text().splitlines():
            file, *values = line.split()
            expected[file.removesuffix(".png")] = split, dict(zip(LABELS, map(float, values), strict=True))
    union = list(read("vinbigdata", tmp_path, split_lists=str(lists)))
    assert len(union) == len(expected) == 15_000
    assert {study.study_id: (study.split, dict(study.labels)) for study in union} == expected
    assert Counter(study.split for study in union) == {"train": 10_500, "validation": 1_500, "test": 3_000}
    assert sum(study.labels["Nodule/Mass"] for study in union) == 826
    majority = read("vinbigdata", tmp_path, labels="majority")
    assert sum(study.labels["Nodule/Mass"] for study in majority) == 405
    assert sum(len(study.boxes) for study in union) == 36_096
