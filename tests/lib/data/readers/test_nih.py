import math
from collections import Counter

import pytest
from reading_back import check_layout

from lib.data.ingest import ingest
from lib.data.readers import open_reader, read
from lib.data.readers.nih import LABELS, _years

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n"
)
ROWS = (
    "00000001_000.png,Cardiomegaly|Effusion,0,1,058Y,M,PA,2682,2749,0.14,0.14\n"
    "00000002_000.png,No Finding,0,2,414,F,AP,2500,2048,0.17,0.17\n"
)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "Data_Entry_2017.csv").write_text(HEADER + ROWS)
    return tmp_path


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("nih", tmp_path, num_studies=20)
    assert {study.split for study in studies} == {"train", "test"}
    assert any(study.boxes for study in studies) and any(1 in study.labels.values() for study in studies)


def test_the_real_pack_has_the_counts_of_its_description(shared):
    studies = list(read("nih", shared / "data" / "nih-chestxray14"))
    assert len(studies) == 1527 and len({study.patient_id for study in studies}) == 1097
    assert Counter(box.finding for study in studies for box in study.boxes) == {
        "Atelectasis": 120, "Cardiomegaly": 113, "Effusion": 104, "Infiltration": 94,
        "Pneumonia": 94, "Pneumothorax": 82, "Mass": 60, "Nodule": 60,
    }  # fmt: skip
    assert sum(bool(study.boxes) for study in studies) == 655
    labels = Counter(label for study in studies for label, value in study.labels.items() if value)
    assert labels["Pneumonia"] == 485 and labels["Infiltration"] == 387 and labels["Hernia"] == 12
    assert sum(not any(study.labels.values()) for study in studies) == 432
    assert Counter(study.views[0].position for study in studies) == {"AP": 772, "PA": 755}


def test_boxes_of_real_pictures_are_scaled_with_them(shared, tmp_path):
    reader = open_reader("nih", shared / "data" / "nih-chestxray14")
    store = ingest(reader, tmp_path / "store", image_size=320, limit=200, workers=0, progress=False)
    boxes = {(box.view_id, box.finding): box for study in reader for box in study.boxes}
    names = store.views["view_id"].iloc[store.boxes["view_row"]]
    assert len(store.boxes) > 30
    for name, row in zip(names, store.boxes.itertuples(), strict=True):
        box = boxes[name, row.finding]
        corners = [value * 320 / 1024 for value in (box.x0, box.y0, box.x1, box.y1)]
        assert [row.x0, row.y0, row.x1, row.y1] == pytest.approx(corners, abs=1e-3)


def test_the_lists_of_refers_assign_every_picture(shared):
    lists = shared / "published" / "splits" / "nih"
    studies = list(read("nih", shared / "data" / "nih-chestxray14", split_lists=str(lists)))
    splits = Counter(study.split for study in studies)
    assert splits == {"train": 1099, "test": 298, "validation": 130}
    of_patient = {(study.patient_id, study.split) for study in studies}
    assert len(of_patient) == len({patient for patient, _ in of_patient})  # no patient on two sides


def test_an_older_table_and_impossible_ages(root):
    first, second = read("nih", root)
    assert first.age == 58 and math.isnan(second.age)
    assert [label for label in LABELS if first.labels[label]] == ["Cardiomegaly", "Effusion"]
    assert first.split == "" and first.boxes == ()  # no list, no table of boxes


@pytest.mark.parametrize(("text", "years"), {"7": 7, "012M": 1, "": math.nan, "x": math.nan}.items())
def test_ages(text, years):
    assert _years(text) == years or (math.isnan(years) and math.isnan(_years(text)))


def test_a_finding_that_is_none_is_named(root):
    table = root / "Data_Entry_2017.csv"
    table.write_text(table.read_text().replace("Effusion", "Efusion"))
    with pytest.raises(ValueError, match="row 1: unknown finding 'Efusion'"):
        open_reader("nih", root)


def test_a_box_that_is_no_number_is_named(root):
    (root / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Mass,10,ten,20,20\n"
    )
    with pytest.raises(ValueError, match="BBox_List_2017.csv, row 1: y is 'ten', not a number"):
        open_reader("nih", root)
