import json
import math
from collections import Counter

import pytest
from reading_back import check_layout

from lib.data.covid_findings import COVID_LABELS, FINDINGS, labels_from_findings
from lib.data.ingest import ingest
from lib.data.readers import open_reader, read

HEADER = "patientid,offset,sex,age,finding,survival,view,modality,date,location,folder,filename,doi,url,\n"
FIRST = "Patientid,offset,sex,age,finding,survival,view,date,location,filename,doi, url,license,notes\n"


def row(patient="1", offset="0", finding="COVID-19", view="PA", file="a.jpg", modality="X-ray", age="55"):
    return f"{patient},{offset},F,{age},{finding},Y,{view},{modality},2020,,images,{file},,,\n"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a table of the given rows and reads it."""

    def write_rows(*rows, header=HEADER, **options):
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "metadata.csv").write_text(header + "".join(rows))
        return list(read("covid19", tmp_path, **options))

    return write_rows


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("covid19", tmp_path, num_studies=30)
    assert {box.finding for study in studies for box in study.boxes} == {"Right Lung", "Left Lung"}
    assert max(len(study.views) for study in studies) > 1
    assert any(view.refused == "modality CT" for study in studies for view in study.views)
    assert {study.labels["COVID-19"] for study in studies} > {0.0, 1.0}
    assert len(open_reader("covid19", tmp_path)) == len(studies) > 30  # some visits have no day


def test_the_real_pack_has_the_counts_of_its_description(shared):
    reader = open_reader("covid19", shared / "data" / "covid-chestxray")
    studies = list(reader)
    views = [view for study in studies for view in study.views]
    assert len(views) == len({view.view_id for view in views}) == 226
    assert len({study.patient_id for study in studies}) == 112 and len(reader) == len(studies)
    assert all(view.path.is_file() and not view.refused for view in views)
    assert Counter(view.position for view in views) == {"PA": 105, "AP": 72, "LATERAL": 25, "UNKNOWN": 24}
    assert sum(len(study.boxes) for study in studies) == 392
    assert sum(view.box_frame is not None for view in views) == 196
    pictures = {label: Counter() for label in COVID_LABELS}
    for study in studies:
        for label, value in study.labels.items():
            pictures[label][str(value)] += len(study.views)
    assert pictures["COVID-19"] == {"1.0": 110, "nan": 52, "0.0": 64}
    assert pictures["Viral Pneumonia"] == {"1.0": 117, "nan": 66, "0.0": 43}
    assert pictures["Bacterial Pneumonia"] == {"1.0": 21, "nan": 66, "0.0": 139}


def test_the_lists_of_refers_agree_with_the_findings(shared):
    lists = shared / "published" / "splits" / "covid19"
    truth = {}
    for name in ("train.txt", "val.txt", "test.txt"):
        for line in (lists / name).read_text().splitlines():
            file, _, covid = line.split()
            truth[file] = float(covid)
    studies = list(read("covid19", shared / "data" / "covid-chestxray", split_lists=str(lists)))
    splits = Counter()
    for study in studies:
        splits[study.split] += len(study.views)
        for view in study.views:
            assert (study.split != "") == (view.view_id in truth)
            if not math.isnan(study.labels["COVID-19"]) and view.view_id in truth:
                assert study.labels["COVID-19"] == truth[view.view_id], view.view_id
    assert splits == {"train": 150, "validation": 18, "test": 53, "": 5}


def test_lung_boxes_of_real_pictures_are_scaled_with_them(shared, tmp_path):
    reader = open_reader("covid19", shared / "data" / "covid-chestxray")
    store = ingest(reader, tmp_path / "store", image_size=64, limit=60, workers=0, progress=False)
    boxes = store.boxes
    assert len(boxes) > 60 and set(boxes["finding"]) == {"Right Lung", "Left Lung"}
    assert (boxes["x1"] - boxes["x0"]).min() > 8 and boxes["x1"].max() <= 64
    centres = (boxes["x0"] + boxes["x1"]).groupby(boxes["finding"]).median()
    assert centres["Right Lung"] < 64 < centres["Left Lung"]


def test_a_study_is_a_patient_on_a_day_or_a_picture(write):
    rows = [row(file="a.jpg"), row(file="b.jpg", view="L"), row(offset="3", file="c.jpg")]
    rows += [row(offset="?", file="d.jpg"), row(offset="", file="e.jpg"), row(offset="-2", file="f.jpg")]
    studies = write(*rows)
    assert [(study.study_id, len(study.views)) for study in studies] == [
        ("1_day0", 2), ("1_day3", 1), ("1_d.jpg", 1), ("1_e.jpg", 1), ("1_day-2", 1),
    ]  # fmt: skip
    assert {study.patient_id for study in studies} == {"1"}


@pytest.mark.parametrize(
    ("view", "position"),
    [
        ("PA", "PA"),
        ("AP", "AP"),
        ("AP Supine", "AP"),
        ("AP semi erect", "AP"),
        ("L", "LATERAL"),
        ("?", "UNKNOWN"),
    ],
)
def test_positions(write, view, position):
    assert write(row(view=view))[0].views[0].position == position


def test_the_first_table_has_other_columns(write):
    rows = [
        "17, ,M,54,COVID-19,Y,AP,2020,Korea,a.jpg,,https://a,,Small consolidation\n",
        "17,9,M,54,COVID-19,Y,CT,2020,Korea,d.jpg,,https://a,,Small consolidation\n",
    ]
    first, second = write(*rows, header=FIRST)
    assert (first.study_id, first.patient_id, first.age) == ("17_a.jpg", "17", 54)
    assert first.views[0].path.name == "a.jpg" and first.views[0].refused == ""
    assert second.views[0].refused == "modality CT"


def test_slices_are_refused_and_not_dropped(write):
    (study,) = write(row(), row(file="b.nii.gz", modality="CT", view="Axial"))
    assert [view.refused for view in study.views] == ["", "modality CT"]


@pytest.mark.parametrize(
    ("finding", "values"),
    [
        ("COVID-19", (1, 1, 0)),
        ("COVID-19, ARDS", (1, 1, 0)),
        ("Pneumonia/Viral/COVID-19", (1, 1, 0)),
        ("Pneumonia/Viral/Influenza/H1N1", (0, 1, 0)),
        ("Pneumonia/Bacterial/Staphylococcus/MRSA", (0, 0, 1)),
        ("Pneumonia/Bacterial", (0, 0, 1)),
        ("Pneumonia/Fungal/Pneumocystis", (0, 0, 0)),
        ("No finding", (0, 0, 0)),
        ("ARDS", (0, math.nan, math.nan)),
        ("Pneumonia", (0, math.nan, math.nan)),
        ("todo", (math.nan,) * 3),
        ("", (math.nan,) * 3),
    ],
)
def test_labels(finding, values):
    assert list(labels_from_findings([finding]).values()) == pytest.approx(values, nan_ok=True)


OFFICIAL_PATHS = """
Pneumonia/Viral/COVID-19 Pneumonia/Viral/SARS Pneumonia/Viral/MERS-CoV Pneumonia/Viral/Varicella
Pneumonia/Viral/Influenza Pneumonia/Viral/Influenza/H1N1 Pneumonia/Viral/Herpes Pneumonia/Viral
Pneumonia/Bacterial Pneumonia/Bacterial/Streptococcus Pneumonia/Bacterial/Klebsiella
Pneumonia/Bacterial/E.Coli
Pneumonia/Bacterial/Legionella Pneumonia/Bacterial/Chlamydophila Pneumonia/Bacterial/Mycoplasma
Pneumonia/Bacterial/Nocardia Pneumonia/Bacterial/Staphylococcus/MRSA Pneumonia/Fungal/Pneumocystis
Pneumonia/Fungal/Aspergillosis Pneumonia/Lipoid Pneumonia/Aspiration Tuberculosis
""".split()


@pytest.mark.parametrize("path", OFFICIAL_PATHS)
def test_labels_follow_the_paths_of_the_last_table(path):
    assert labels_from_findings([path]) == {
        "COVID-19": float(path.endswith("COVID-19")),
        "Viral Pneumonia": float("/Viral" in path),
        "Bacterial Pneumonia": float("/Bacterial" in path),
    }


def test_labels_of_several_pictures_and_of_the_whole_table():
    assert labels_from_findings(["todo", "COVID-19"])["COVID-19"] == 1
    assert labels_from_findings(["ARDS", "Klebsiella"]) == {
        "COVID-19": 0, "Viral Pneumonia": 0, "Bacterial Pneumonia": 1,
    }  # fmt: skip
    for values in FINDINGS.values():
        assert len(values) == len(COVID_LABELS)
        assert values[0] != 1 or values[1] == 1  # COVID-19 is viral
        assert not (values[1] == 1 and values[2] == 1)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"finding": "Pneumonia/Viral/COVID19"}, "row 2: unknown finding 'COVID19'"),
        ({"patient": ""}, "row 2: patientid is '', which is no id"),
        ({"file": ""}, "row 2: filename is '', which is no id"),
    ],
)
def test_a_cell_that_makes_no_sense_is_named(write, bad, told):
    with pytest.raises(ValueError, match=f"metadata.csv, {told}"):
        write(row(file="x.jpg"), row(**bad))


@pytest.mark.parametrize("column", ["patientid", "offset", "finding", "view", "filename"])
def test_a_renamed_column_is_named(write, column):
    with pytest.raises(ValueError, match=f"metadata.csv has no column '{column}'"):
        write(row(), header=HEADER.replace(column, f"my_{column}"))


@pytest.mark.parametrize(
    ("age", "years"), [("55", 55), ("0.5", 0.5), ("", math.nan), ("70s", math.nan), ("999", math.nan)]
)
def test_ages(write, age, years):
    assert write(row(age=age))[0].age == pytest.approx(years, nan_ok=True)


def test_pictures_under_another_ending_are_found_unless_they_are_another_row(write, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").touch()
    (tmp_path / "images" / "b.jpg").touch()
    (study,) = write(row(file="a.png"), row(file="b.png"), row(file="b.jpg"))
    assert [view.path.name for view in study.views] == ["a.jpg", "b.png", "b.jpg"]


def test_a_name_that_leads_out_of_the_root_is_refused(write):
    (study,) = write(row(file="../../secret.png"))
    assert study.views[0].path is None and "leads out" in study.views[0].refused


def test_lists_that_divide_a_study_divide_it_here(write, tmp_path):
    (tmp_path / "train.txt").write_text("a.jpg 0 1\r\n")
    (tmp_path / "test.txt").write_text("b.jpg 0 1\r\n")
    studies = write(row(), row(file="b.jpg"), row(offset="1", file="c.jpg"), split_lists=str(tmp_path))
    assert [(study.study_id, study.split) for study in studies] == [
        ("1_day0_train", "train"), ("1_day0_test", "test"), ("1_day1", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"width": 0}, "a.jpg is 0 x 10 pixels"),
        ({"id": 9}, "no 1"),
        ({"height": None}, "not COCO annotations"),
    ],
)
def test_boxes_that_make_no_sense_are_named(write, tmp_path, change, told):
    image = {"id": 1, "file_name": "a.jpg", "width": 20, "height": 10, **change}
    mark = {"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4]}
    content = {"categories": [{"id": 2, "name": "Left Lung"}], "images": [image], "annotations": [mark]}
    (tmp_path / "annotations").mkdir()
    path = tmp_path / "annotations" / "imageannotation_ai_lung_bounding_boxes.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"lung_bounding_boxes.json .*{told}"):
        write(row())
    image.update({"id": 1, "width": 20, "height": 10})
    path.write_text(json.dumps(content))
    (study,) = write(row())
    (box,) = study.boxes
    assert (box.x0, box.y0, box.x1, box.y1) == (1, 2, 4, 6) and study.views[0].box_frame == (20, 10)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"metadata.csv is missing. Official layout"):
        open_reader("covid19", tmp_path)
