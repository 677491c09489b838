import math

import pytest
from reading_back import check_layout

from lib.data.ingest import ingest
from lib.data.readers import open_reader, read

DESCRIPTION = """
table: studies.csv
columns:
  {image: file, patient: pid, study: visit, position: view, findings: text, sex: sex, age: age, split: part}
positions: {L: LATERAL}
labels: {Cardiomegaly: heart}
"""
HEADER = "file,pid,visit,view,text,sex,age,part,heart\n"
ROWS = (
    "a.png,007,v1,PA,Large heart.,F,58,train,1\n"
    "b.png,007,v1,L,,,,,\n"
    'c.png,008,v2,ap,"Clear, no effusion.",male,,val,0.0\n'
)
MINIMAL = "table: studies.csv\ncolumns: {image: file, patient: pid}\n"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a description with its table and reads it."""

    def write_files(description=DESCRIPTION, table=HEADER + ROWS, boxes=None, **options):
        (tmp_path / "dataset.yaml").write_text(description)
        (tmp_path / "studies.csv").write_text(table)
        if boxes is not None:
            (tmp_path / "boxes.csv").write_text(boxes)
        return list(read("csv", tmp_path, **options))

    return write_files


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("csv", tmp_path, num_studies=20)
    assert {study.split for study in studies} == {"train", "validation", "test"}
    assert any(study.boxes for study in studies) and all(study.impression for study in studies)
    assert {view.position for study in studies for view in study.views} == {"PA", "AP", "LATERAL"}


def test_the_phantom_in_this_layout_is_ingested_with_its_description(tmp_path):
    check_layout("csv", tmp_path / "root", num_studies=12)
    reader = open_reader("csv", tmp_path / "root")
    store = ingest(reader, tmp_path / "store", image_size=64, workers=0, progress=False)
    assert len(store.studies) == len(reader) == 12 and len(store.drops) == 0 and len(store.boxes) > 0
    assert reader.has_reports and "Cardiomegaly" in reader.label_names and "Phantom" in reader.source


def test_rows_of_a_visit_are_one_study(write, tmp_path):
    first, second = write()
    assert (first.study_id, first.patient_id, first.sex, first.age) == ("v1", "007", "F", 58)
    assert [(view.view_id, view.position) for view in first.views] == [("a.png", "PA"), ("b.png", "LATERAL")]
    assert first.views[0].path == tmp_path / "a.png" and not first.views[0].path.exists()
    assert first.findings == "Large heart." and first.labels == {"Cardiomegaly": 1}
    assert second.findings == "Clear, no effusion." and second.labels == {"Cardiomegaly": 0}
    assert (second.sex, second.split, second.views[0].position) == ("M", "validation", "AP")
    assert math.isnan(second.age)


def test_two_columns_are_enough(write):
    studies = write(MINIMAL)
    assert [study.study_id for study in studies] == ["a.png", "b.png", "c.png"]
    assert [study.patient_id for study in studies] == ["007", "007", "008"]
    assert {view.position for study in studies for view in study.views} == {"UNKNOWN"}


def test_names_of_labels_and_reports_belong_to_the_description(write, tmp_path):
    write()
    reader = open_reader("csv", tmp_path)
    assert reader.label_names == ("Cardiomegaly",) and reader.has_reports and len(reader) == 2
    write(MINIMAL + "labels: [heart]\n")
    other = open_reader("csv", tmp_path)
    assert other.label_names == ("heart",) and not other.has_reports
    assert reader.label_names == ("Cardiomegaly",)


def test_the_root_may_be_the_description_or_hold_another(write, tmp_path):
    write()
    (tmp_path / "dataset.yaml").rename(tmp_path / "mine.yml")
    for options in ({"root": tmp_path / "mine.yml"}, {"root": tmp_path, "description": "mine.yml"}):
        assert len(list(read("csv", **options))) == 2
    assert len(list(read("csv", description=str(tmp_path / "mine.yml")))) == 2
    with pytest.raises(ValueError, match="not both"):
        open_reader("csv", tmp_path / "mine.yml", description="mine.yml")
    with pytest.raises(FileNotFoundError, match=r"dataset.yaml is missing. The root is a folder"):
        open_reader("csv", tmp_path)
    with pytest.raises(FileNotFoundError, match="--root"):
        open_reader("csv")
    with pytest.raises(ValueError, match="studies.csv is a file"):
        open_reader("csv", tmp_path / "studies.csv")


def test_a_study_without_a_picture_and_a_bad_name_are_left_to_ingest(write):
    first, second = write(table=HEADER + "../a.png,1,v1,PA,Clear.,F,1,,0\n,2,v2,,Clear lungs.,M,2,,\n")
    assert "leads out" in first.views[0].refused and second.views == ()


@pytest.mark.parametrize(
    ("boxes", "columns"),
    [
        ("file,what,x,y,w,h\nb.png,Mass,10,20,30,40\n", "x: x, y: y, width: w, height: h"),
        ("file,what,a,b,c,d\nb.png,Mass,10,20,40,60\n", "x0: a, y0: b, x1: c, y1: d"),
    ],
)
def test_boxes_of_either_form(write, boxes, columns):
    text = f"boxes: {{table: boxes.csv, image: file, finding: what, {columns}}}\n"
    (box,) = write(DESCRIPTION + text, boxes=boxes)[0].boxes
    assert (box.view_id, box.finding, box.reader) == ("b.png", "Mass", "R1")
    assert (box.x0, box.y0, box.x1, box.y1) == (10, 20, 40, 60)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("table:", "tabel:", "unknown key tabel. Did you mean 'table'"),
        ("patient:", "patiens:", "unknown key columns.patiens. Did you mean 'patient'"),
        ("image: file, ", "", "key columns.image: is missing"),
        ("patient: pid, ", "", "key columns.patient: is missing.*the same as columns.study"),
        ("table: studies.csv", "", "key table: is missing"),
        ("patient: pid", "patient: pidd", "key columns.patient: .*no column 'pidd'.*Did you mean 'pid'?"),
        ("Cardiomegaly: heart", "Cardiomegaly: lung", "key labels.Cardiomegaly: .*no column 'lung'"),
        ("L: LATERAL", "L: SIDE", "key positions.L: 'SIDE' is not one of PA"),
        ("sex: sex", "sex: yes", "key columns.sex: expected a text, got True"),
        ("{Cardiomegaly: heart}", "heart", "key labels: expected `name: column` lines"),
        ("{Cardiomegaly: heart}", "{Cardiomegaly: heart", "not readable YAML"),
    ],
)
def test_a_description_that_makes_no_sense_is_named(write, before, after, told):
    assert before in DESCRIPTION
    with pytest.raises(ValueError, match=f"(?s)dataset.yaml.*{told}"):
        write(DESCRIPTION.replace(before, after))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "word"])
def test_a_description_without_keys(write, text):
    with pytest.raises(ValueError, match="dataset.yaml must hold `key: value` lines"):
        write(text)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("F,58,train,1", "F,58,train,-1",
         "labels.Cardiomegaly: row 1: '-1' is none of 1"),
        ("c.png,008", "c.png,", "columns.patient: row 3: '' is empty"),
        ("b.png,007,v1", "b.png,008,v1", "columns.patient: row 2: '008' differs from '007' in row 1"),
        ("b.png,007,v1,L,,,,,", "b.png,007,v1,L,,,59,,", "columns.age: row 2: '59' differs from '58'"),
        ("c.png,008,v2", "c.png,008,", "columns.study: row 3: '' is empty"),
        (",L,", ",lateral-ish,", "columns.position: row 2: 'lateral-ish' is none of PA"),
        ("F,58", "2,58", "columns.sex: row 1: '2' is none of m, male"),
        ("F,58", "F,058Y", "columns.age: row 1: '058Y' is not in years"),
        ("F,58", "F,999", "columns.age: row 1: '999' is not in years"),
        ("F,58", "F,nan", "columns.age: row 1: 'nan' is not in years"),
        (",val,", ",dev,", "columns.split: row 3: 'dev' is none of"),
    ],
)  # fmt: skip
def test_a_cell_that_makes_no_sense_is_named_with_its_key(write, before, after, told):
    assert before in HEADER + ROWS
    with pytest.raises(ValueError, match=f"dataset.yaml, key {told}"):
        write(table=(HEADER + ROWS).replace(before, after))


@pytest.mark.parametrize(
    ("columns", "boxes", "told"),
    [
        ("image: file, finding: what, x: x", "", "boxes: give either x, y, width, height or x0, .*found x"),
        ("finding: what", "", "boxes.image: is missing"),
        ("image: file, finding: what, x: x, y: y, width: w, height: h", "z.png,Mass,1,2,3,4",
         "boxes.image: row 1: 'z.png' is no picture of the table"),
        ("image: file, finding: what, x: x, y: y, width: w, height: h", "a.png,Mass,1,two,3,4",
         "boxes.y: row 1: 'two' is not a number"),
        ("image: file, finding: what, x: x, y: y, width: w, height: hh", "a.png,Mass,1,2,3,4",
         "boxes.height: .*no column 'hh'"),
    ],
)  # fmt: skip
def test_boxes_that_make_no_sense_are_named_with_their_key(write, columns, boxes, told):
    text = f"boxes: {{table: boxes.csv, {columns}}}\n"
    with pytest.raises(ValueError, match=f"dataset.yaml, key {told}"):
        write(DESCRIPTION + text, boxes=f"file,what,x,y,w,h\n{boxes}\n")


@pytest.mark.parametrize("key", ["table", "boxes.table"])
def test_a_missing_table_is_named(write, tmp_path, key):
    text = "boxes: {table: none.csv, image: file, finding: what, x0: a, y0: b, x1: c, y1: d}\n"
    with pytest.raises(FileNotFoundError, match=f"key {key}: .*none.csv does not exist"):
        write(DESCRIPTION.replace("studies.csv", "none.csv") if key == "table" else DESCRIPTION + text)


def test_a_tab_separated_table(write, tmp_path):
    table = (HEADER + ROWS.replace("Clear, no", "Clear no")).replace(",", "\t")
    (tmp_path / "studies.tsv").write_text(table)
    studies = write(DESCRIPTION.replace("studies.csv", "studies.tsv"))
    assert [study.study_id for study in studies] == ["v1", "v2"]


@pytest.mark.parametrize("row", [0, 1])
def test_a_text_with_a_comma_and_no_quotes_is_named_and_not_cut(write, row):
    rows = ["a.png,1,Clear\n", "b.png,2,Clear\n"]
    rows[row] = rows[row].replace("Clear", "Clear, no effusion")
    description = "table: studies.csv\ncolumns: {image: file, patient: pid, findings: text}\n"
    with pytest.raises(ValueError, match="dataset.yaml, key table: .*studies.csv is no table.*in quotes"):
        write(description, table="file,pid,text\n" + "".join(rows))
