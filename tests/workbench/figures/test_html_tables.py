"""Tables as HTML: nothing of a data set becomes markup, and their numbers are those of the data."""

import numpy as np
import pandas as pd

from lib.data.chunk import RULES
from workbench.figures.drop_table import drop_table
from workbench.figures.html_table import html_table
from workbench.figures.split_table import balance_table, rare_labels, rare_table

DROPS = ["study_id", "view_id", "rule", "detail"]
SPLITS = {"train": [0, 1, 2], "test": [3, 4]}


def test_title_and_note_are_plain_text():
    table = html_table({"a": "50%", "b": "50%"}, [("1", "2")], title="<t>", note="<n>")
    assert "&lt;t&gt;" in table and "&lt;n&gt;" in table
    assert table.count("<td") == 2 and table.count("<th ") == 2
    assert "<table" not in html_table({"a": "100%"}, [], title="t")


def test_every_rule_of_ingest_has_a_sentence():
    assert all(sentence and sentence[0].islower() for sentence in RULES.values())


def test_drops_are_counted_explained_and_shown_as_plain_text():
    rows = [(f"s{number}", "", "report_too_short", "2 tokens") for number in range(5)]
    rows += [("<i>", "<v>", "bad_box", "<script>alert(1)</script>")]
    table = drop_table(pd.DataFrame(rows, columns=DROPS), examples=2, title="t")
    assert table.count("2 tokens") == 2 and "and 3 more" in table
    assert table.index("report too short") < table.index("bad box")
    assert RULES["report_too_short"] in table and RULES["bad_box"] in table
    assert "study &lt;i&gt;, view &lt;v&gt;:" in table
    assert not any(mark in table for mark in ("<script", "<i>", "<v>"))


def test_studies_and_patients_are_counted_per_split():
    studies = pd.DataFrame({"patient_id": ["a", "a", "b", "c", "d"]})
    table = balance_table(studies, SPLITS, title="t")
    cells = [part.partition("</td>")[0].rpartition(">")[2] for part in table.split("<td")[1:]]
    assert cells == ["train", "3", "2", "60.0 %", "test", "2", "2", "40.0 %"]


def test_the_rarest_labels_of_the_test_come_first():
    labels = np.array([[1, 0, 0], [1, 1, 0], [1, np.nan, 0], [1, 0, 0], [1, 0, 0]], np.float32)
    counts = rare_labels(labels, ["A", "<B>", "none"], SPLITS)
    assert counts.index.tolist() == ["<B>", "A"]
    assert counts.to_numpy().tolist() == [[1, 0], [3, 2]]
    table = rare_table(counts)
    assert "&lt;B&gt;" in table and "<B>" not in table
    assert "0 - few" in table and "2 of 2 labels" in table
    many = rare_table(pd.DataFrame({"train": [3], "test": [10]}, index=["A"]))
    assert "few" not in many.replace("fewer", "") and "every label has 10 or more" in many
