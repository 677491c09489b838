"""Tables, lists and reports that are not as they should be: an error that names the place, or a drop."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny_download import (
    cut,
    edit_table,
    ingest_root,
    listed_drops,
    picture,
    rehearse,
    replace_table,
    set_cell,
    table_text,
    write_own_table,
)

from lib.data.readers import open_reader

MIMIC_LABELS = "mimic-cxr-2.0.0-chexpert.csv.gz"
MIMIC_PICTURES = "mimic-cxr-2.0.0-metadata.csv.gz"


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("chexpert", ["CheXpert-v1.0-small/train.csv", "CheXpert-v1.0-small/test_labels.csv"]),
        ("covid19", ["metadata.csv"]),
        ("covidx", ["train_COVIDx4.txt"]),
        ("csv", ["studies.csv", "boxes.csv", "dataset.yaml"]),
        ("hannover", ["data.csv"]),
        ("mimic_cxr", [MIMIC_PICTURES, MIMIC_LABELS, "mimic-cxr-2.0.0-split.csv.gz"]),
        ("mura", ["MURA-v1.1/train_image_paths.csv", "MURA-v1.1/valid_labeled_studies.csv"]),
        ("nih", ["Data_Entry_2017_v2020.csv", "BBox_List_2017.csv", "test_list.txt"]),
        ("rsna", ["stage_2_train_labels.csv", "stage_2_detailed_class_info.csv"]),
        ("vinbigdata", ["train.csv"]),
    ],
)
def test_crlf_and_a_byte_order_mark_change_nothing(tmp_path, name, tables):
    root = rehearse(name, tmp_path)
    expected = ingest_root(name, root).id
    shutil.rmtree(tmp_path / "root-store")
    for file in tables:
        text = table_text(root / file)
        assert "\r" not in text and "\n" in text
        replace_table(root / file, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert ingest_root(name, root).id == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_umlauts_survive_the_encodings_of_spreadsheets(tmp_path, encoding):
    root = write_own_table(tmp_path / "root", [], description=(
        "table: studies.csv\ncolumns: {image: file, patient: pid, findings: text}\n"
    ))  # fmt: skip
    text = "file,pid,text\r\ngood.png,M\u00fcller,Gro\u00dfe Lungen beidseits.\r\n"
    (root / "studies.csv").write_bytes(text.encode(encoding))
    study = ingest_root("csv", root).studies.iloc[0]
    assert (study.patient_id, study.findings) == ("M\u00fcller", "Gro\u00dfe Lungen beidseits.")


def test_a_missing_column_is_named(tmp_path):
    root = rehearse("nih", tmp_path)
    edit_table(root / "Data_Entry_2017_v2020.csv", lambda rows: [row.pop(3) for row in rows])
    with pytest.raises(
        ValueError, match=r"2017_v2020.csv has no column 'Patient ID' \(found: Image Index, Find"
    ):
        open_reader("nih", root)


@pytest.mark.parametrize("report", [b"", b" \n\n", b"FINAL REPORT\n EXAMINATION: CHEST\n", None])
def test_a_report_without_text_is_a_drop(tmp_path, report):
    root = rehearse("mimic_cxr", tmp_path)
    path = sorted(root.rglob("s5*.txt"))[4]
    path.unlink() if report is None else path.write_bytes(report)
    store = ingest_root("mimic_cxr", root)
    assert store.drops.to_numpy().tolist() == [
        [path.stem[1:], "", "report_too_short", "0 tokens in findings and impression together"]
    ]


def test_a_report_in_latin_1_keeps_its_words(tmp_path):
    root = rehearse("mimic_cxr", tmp_path)
    path = sorted(root.rglob("s5*.txt"))[0]
    path.write_bytes("FINDINGS: Clear, seen by M\u00fcller.\n".encode("latin-1"))
    studies = ingest_root("mimic_cxr", root).studies.set_index("study_id")
    assert studies.findings[path.stem[1:]] == "Clear, seen by M\u00fcller."


@pytest.mark.parametrize(
    ("name", "file", "column", "value", "message"),
    [
        (
            "chexpert",
            "CheXpert-v1.0-small/train.csv",
            "Edema",
            "2",
            "row 1: Edema is 2, not 1, 0, -1 or empty",
        ),
        ("chexpert", "CheXpert-v1.0-small/train.csv", "Edema", "yes", "row 1: Edema is 'yes', not a number"),
        ("covid19", "metadata.csv", "finding", "Pneumonia/Vrial", "row 1: unknown finding"),
        ("csv", "studies.csv", "has Edema", "0.5", "labels.Edema: row 1: '0.5' is none of 1"),
        ("mimic_cxr", MIMIC_LABELS, "Edema", "-2", "row 1: Edema is -2, not 1, 0, -1 or empty"),
        ("mimic_cxr", MIMIC_LABELS, "Edema", "inf", "row 1: Edema is inf, not 1, 0, -1 or empty"),
        ("nih", "Data_Entry_2017_v2020.csv", "Finding Labels", "Edema|Efusion", "row 1: .*'Efusion'"),
        ("nih", "Data_Entry_2017_v2020.csv", "Finding Labels", "", "row 1: unknown finding ''"),
        ("rsna", "stage_2_train_labels.csv", "Target", "3", "row 1: Target is neither 0 nor 1"),
        ("vinbigdata", "train.csv", "class_name", "Edem", "row 1: unknown class 'Edem'"),
    ],
)
def test_a_label_outside_its_range_is_named(tmp_path, name, file, column, value, message):
    root = rehearse(name, tmp_path)

    def fill(rows):
        place = rows[0].index(column)
        for row in rows[1:]:
            row[place] = value

    edit_table(root / file, fill)
    with pytest.raises(ValueError, match=message) as caught:
        open_reader(name, root)
    assert Path(file).name in str(caught.value) or "dataset.yaml" in str(caught.value)


@pytest.mark.parametrize("missing", ["", "nan", " "])
@pytest.mark.parametrize(
    ("name", "file", "column"),
    [
        ("covid19", "metadata.csv", "patientid"),
        ("csv", "studies.csv", "patient_number"),
        ("hannover", "data.csv", "patient_id"),
        ("mimic_cxr", MIMIC_PICTURES, "subject_id"),
        ("nih", "Data_Entry_2017_v2020.csv", "Patient ID"),
        ("rsna", "stage_2_train_labels.csv", "patientId"),
        ("vinbigdata", "train.csv", "image_id"),
        ("vinbigdata", "train.csv", "rad_id"),
    ],
)
def test_a_missing_patient_id_is_named(tmp_path, name, file, column, missing):
    root = rehearse(name, tmp_path)

    def empty_all_rows_of_the_first_study(rows):
        key = rows[0].index("visit" if name == "csv" else column)
        place, first = rows[0].index(column), rows[1][key]
        for row in rows[1:]:
            if row[key] == first:
                row[place] = missing

    edit_table(root / file, empty_all_rows_of_the_first_study)
    with pytest.raises(ValueError, match=f"row 1: .*{missing.strip()}'.*(is no id|is empty|eight digits)"):
        open_reader(name, root)


@pytest.mark.parametrize("what", ["cut", "changed"])
def test_a_damaged_gzip_table_is_named(tmp_path, what):
    root = rehearse("mimic_cxr", tmp_path)
    if what == "cut":
        cut(root / MIMIC_LABELS)
    else:
        content = bytearray((root / MIMIC_LABELS).read_bytes())
        content[40:44] = b"\xff\0\xff\0"
        (root / MIMIC_LABELS).write_bytes(content)
    with pytest.raises(ValueError, match="chexpert.csv.gz is not readable CSV .*Download it again"):
        open_reader("mimic_cxr", root)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["good.png,1,Clear", "b.png,2"], "row 2 has 2 cells instead of 3"),
        (["good.png,1,Clear,", "b.png,2,Clear, no effusion"], "row 2 has 4 cells instead of 3"),
        (["good.png,1,Clear, no effusion"], "row 1 has 4 cells instead of 3"),
        (['good.png,1,"Clear', "b.png,2,Clear"], "unexpected end of data"),
        (['good.png,1,"Clear', 'b.png,2,"Clear'], "expected after"),
        (["good.png,1,Clear\0"], "bytes of zero"),
        ([], "has no rows below its header"),
    ],
)
def test_rows_that_are_not_whole_are_named(tmp_path, rows, words):
    root = write_own_table(tmp_path / "root", rows, "file,pid,text")
    with pytest.raises(ValueError, match=f"dataset.yaml, key table: .*studies.csv.*{words}"):
        open_reader("csv", root)


@pytest.mark.parametrize("header", ["file,pid,pid", "file,pid, pid"])
def test_a_column_that_stands_twice_is_named(tmp_path, header):
    root = write_own_table(tmp_path / "root", ["good.png,1,2"], header)
    with pytest.raises(ValueError, match="key columns.patient: .*studies.csv has 2 columns 'pid'"):
        open_reader("csv", root)


def test_an_official_column_that_stands_twice_is_named(tmp_path):
    root = rehearse("hannover", tmp_path)
    edit_table(root / "data.csv", lambda rows: [row.append(row[0]) for row in rows])
    with pytest.raises(ValueError, match="data.csv has 2 columns 'patient_id'"):
        open_reader("hannover", root)


def test_a_key_that_stands_twice_in_a_description_is_named(tmp_path):
    description = "table: studies.csv\ncolumns: {image: file, patient: pid}\nlabels:\n  A: x\n  A: y\n"
    root = write_own_table(tmp_path / "root", ["good.png,1,0,1"], "file,pid,x,y", description)
    with pytest.raises(ValueError, match="(?s)dataset.yaml is not readable YAML: 'A' stands twice.*line 5"):
        open_reader("csv", root)


@pytest.mark.parametrize(
    "name",
    ["none.png", "n" * 300 + ".png", "good.png/x.png", '"a\nb.png"', "日本 é.png", "x" * 5000],
)
def test_a_name_that_no_file_has_is_a_drop(tmp_path, name):
    root = write_own_table(tmp_path / "root", ["good.png,1", f"{name},2"])
    plain = name.strip('"')
    assert listed_drops(ingest_root("csv", root))[0] == (
        plain,
        "missing_image",
        f"{Path(plain).name} is listed and not there",
    )


def test_a_very_long_name_in_a_list_is_a_drop(tmp_path):
    root = rehearse("covidx", tmp_path)
    with open(root / "train_COVIDx4.txt", "a") as file:
        file.write(f"999 {'n' * 300}.png normal phantom\n")
    assert listed_drops(ingest_root("covidx", root))[0][:2] == ("n" * 300 + ".png", "missing_image")


def test_ids_of_any_writing_are_kept(tmp_path):
    ids = ["日本", "a/b", "Müller, José", "p" * 2000, "..", "0012"]
    rows = [f'{number}.png,"{patient}"' for number, patient in enumerate(ids)]
    root = write_own_table(tmp_path / "root", rows)
    for number in range(len(ids)):
        picture(number).save(root / f"{number}.png")
    assert ingest_root("csv", root).studies.patient_id.tolist() == ids


@pytest.mark.parametrize(
    ("age", "years"), [("045Y", 45), ("45", 45), ("006M", 0.5), ("old", None), ("-3", None), ("414", None)]
)
def test_ages_of_nih_are_read_or_unknown(tmp_path, age, years):
    root = rehearse("nih", tmp_path)
    set_cell(root / "Data_Entry_2017_v2020.csv", "Patient Age", age)
    found = ingest_root("nih", root).studies.age[0]
    assert np.isnan(found) if years is None else found == years


@pytest.mark.parametrize(("age", "is_named"), [("045Y", True), ("old", True), ("200", False), ("0", False)])
def test_ages_of_chexpert_are_named_or_unknown(tmp_path, age, is_named):
    root = rehearse("chexpert", tmp_path)
    set_cell(root / "CheXpert-v1.0-small" / "train.csv", "Age", age)
    if is_named:
        with pytest.raises(ValueError, match=f"train.csv, row 1: Age is '{age}', not a number"):
            open_reader("chexpert", root)
    else:
        assert np.isnan(ingest_root("chexpert", root).studies.age[0])


@pytest.mark.parametrize("name", ["covid19", "nih", "shenzhen", "vinbigdata"])
def test_split_lists_of_another_data_set_are_refused(tmp_path, name):
    root = rehearse(name, tmp_path)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "test.txt").write_text("MONTGOMERY_0001.png 1\n")
    with pytest.raises(ValueError, match="lists name none of the pictures, for example 'MONTGOMERY_0001"):
        open_reader(name, root, split_lists=str(tmp_path / "lists"))


@pytest.mark.parametrize(("name", "file"), [("nih", "test_list.txt"), ("covidx", "test_COVIDx4.txt")])
def test_an_empty_list_is_named(tmp_path, name, file):
    root = rehearse(name, tmp_path)
    (root / file).write_bytes(b"")
    with pytest.raises(ValueError, match=f"{file} is empty. Download it again"):
        open_reader(name, root)


def test_a_patient_without_a_name_in_the_mappings_of_rsna_is_named(tmp_path):
    root = rehearse("rsna", tmp_path)
    path = root / "pneumonia-challenge-dataset-mappings_2018.json"
    rows = json.loads(path.read_text())
    rows[0]["img_id"] = ""
    path.write_text(json.dumps(rows))
    with pytest.raises(ValueError, match="mappings_2018.json .*has no patient"):
        open_reader("rsna", root)
