import csv

import numpy as np
import pandas as pd
import pytest

from lib.metrics.report_exchange import (
    read_chexbert_csv,
    read_scores_csv,
    write_chexbert_csv,
    write_reports_csv,
)

IDS = ["s3", "s1", "0012"]
TRUE = ["No effusion.", 'Clear, "quoted" lungs.', "Line one\nline two."]
GENERATED = ["No effusion.", "", "NA"]


def test_reports_come_back_as_any_csv_reader_reads_them(tmp_path):
    path = tmp_path / "reports.csv"
    write_reports_csv(path, IDS, TRUE, GENERATED)
    with open(path, newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert [row["study_id"] for row in rows] == IDS
    assert [row["true"] for row in rows] == [TRUE[0], TRUE[1], "Line one line two."]
    assert [row["generated"] for row in rows] == GENERATED
    with pytest.raises(ValueError, match="2 reports in 'generated' for 3 studies"):
        write_reports_csv(path, IDS, TRUE, GENERATED[:2])
    with pytest.raises(ValueError, match="Study ids stand twice: 1: s3"):
        write_reports_csv(path, ["s3", "s1", "s3"], TRUE, GENERATED)


def scores(tmp_path, **changes):
    table = {"study_id": ["0012", "s3", "s1"], "green": [0.1, 0.5, 1], "radgraph": ["0", "0.25", "1e-1"]}
    path = tmp_path / "scores.csv"
    pd.DataFrame(table | changes).to_csv(path, index=False)
    return path


def test_scores_are_put_into_the_order_of_the_studies(tmp_path):
    read = read_scores_csv(scores(tmp_path), IDS)
    assert list(read) == ["green", "radgraph"]
    assert read["green"].tolist() == [0.5, 1, 0.1] and read["radgraph"].tolist() == [0.25, 0.1, 0]
    assert list(read_scores_csv(scores(tmp_path), IDS, ["radgraph"])) == ["radgraph"]
    with_texts = scores(tmp_path, true=["a", "b", "c"], generated=["a", "b", "c"])
    assert list(read_scores_csv(with_texts, IDS)) == ["green", "radgraph"]


@pytest.mark.parametrize(
    ("changes", "columns", "message"),
    [
        ({"study_id": ["0012", "s3", "s3"]}, None, "more than one row for 1: s3"),
        ({"study_id": ["0012", "s3", "s9"]}, None, "no row for 1: s1"),
        ({"study_id": ["12", "s3", "s1"]}, None, "no row for 1: 0012"),
        ({"green": [0.1, "", 1]}, None, "row 2: green is '', not a number"),
        ({"green": [0.1, 0.2, "high"]}, None, "row 3: green is 'high'"),
        ({}, ["chexbert"], "no column 'chexbert'.*found: study_id, green, radgraph"),
    ],
)
def test_bad_scores_are_named(tmp_path, changes, columns, message):
    with pytest.raises(ValueError, match=message):
        read_scores_csv(scores(tmp_path, **changes), IDS, columns)


def test_missing_file_id_column_scores_and_foreign_rows_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.csv does not exist"):
        read_scores_csv(tmp_path / "nothing.csv", IDS)
    with pytest.raises(ValueError, match="rows of other studies: 1: s3"):
        read_scores_csv(scores(tmp_path), ["0012", "s1"])
    path = tmp_path / "odd.csv"
    path.write_text("uid,green\ns3,1\n")
    with pytest.raises(ValueError, match="no column 'study_id'"):
        read_scores_csv(path, IDS)
    write_reports_csv(path, IDS, TRUE, GENERATED)
    with pytest.raises(ValueError, match="no column of scores"):
        read_scores_csv(path, IDS)


def as_chexbert(path, labels, names):
    """Lay labels beside the texts and drop all other columns, as CheXbert does."""
    table = pd.read_csv(path)
    assert not table["Report Impression"].isna().any()
    labelled = pd.DataFrame(labels, columns=names)
    labelled.insert(0, "Report Impression", table["Report Impression"])
    labelled.to_csv(path.parent / "labeled_reports.csv", index=False)
    return path.parent / "labeled_reports.csv"


def test_labels_of_chexbert_come_back_by_side(tmp_path):
    names = ["Edema", "Fracture"]
    labels = np.array([[1, 0], [np.nan, -1], [0, np.nan], [1, 1], [np.nan, np.nan], [-1, 0]])
    path = tmp_path / "reports.csv"
    texts = TRUE, ["No effusion.", "", "Nothing."]
    write_chexbert_csv(path, *texts)
    labelled = as_chexbert(path, labels, names)
    true, generated = read_chexbert_csv(labelled, *texts, names[::-1])
    np.testing.assert_array_equal(true, labels[:3, ::-1])
    np.testing.assert_array_equal(generated, labels[3:, ::-1])
    with pytest.raises(ValueError, match="no column 'Edema 2'"):
        read_chexbert_csv(labelled, *texts, ["Edema 2"])
    with pytest.raises(ValueError, match="row 4: the report is 'No effusion.', 'Effusion.' was written"):
        read_chexbert_csv(labelled, TRUE, ["Effusion.", "", "Nothing."], names)
    with pytest.raises(ValueError, match="6 rows, 4 were written"):
        read_chexbert_csv(labelled, TRUE[:2], GENERATED[:2], names)
    labelled = as_chexbert(path, labels + 2, names)
    with pytest.raises(ValueError, match=r"the label 3\.0; CheXbert writes 1, 0, -1"):
        read_chexbert_csv(labelled, *texts, names)
