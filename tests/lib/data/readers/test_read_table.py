import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data.readers.tables import list_columns, numbers, read_table, require_ids


@pytest.mark.parametrize(
    "content",
    [
        b"id,name\r\n007,M\xc3\xbcller\r\n",
        b"\xef\xbb\xbfid,name\n007,M\xc3\xbcller\n",
        b" id ,name\n007,M\xfcller\n",
    ],
    ids=["crlf", "bom", "latin-1"],
)
def test_tables_of_any_program_read_the_same(tmp_path, content):
    (tmp_path / "table.csv").write_bytes(content)
    table = read_table(tmp_path / "table.csv", ["id", "name"], "Set")
    assert table.to_dict("list") == {"id": ["007"], "name": ["Müller"]}


def test_a_missing_column_and_an_empty_file_are_named(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("id,nmae\n1,a\n")
    with pytest.raises(ValueError, match=r"table.csv has no column 'name' \(found: id, nmae\)"):
        read_table(path, ["id", "name"], "Set")
    path.write_text("")
    with pytest.raises(ValueError, match="table.csv is not readable CSV"):
        read_table(path, ["id"], "Set")


@pytest.mark.parametrize("rows", ["1,2\n3,4\n", "1,2,\n3,4,\n", "1,2,,\n\n  \n3,4\n"])
def test_cells_of_columns_without_a_name_may_be_absent_or_empty(tmp_path, rows):
    (tmp_path / "table.csv").write_text("a,b,,\n" + rows)
    table = read_table(tmp_path / "table.csv", ("a", "b"), "Set")
    assert table[["a", "b"]].to_numpy().tolist() == [["1", "2"], ["3", "4"]]


def test_a_first_column_is_never_taken_for_row_names(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,2,\n3,4,\n")
    assert read_table(tmp_path / "table.csv", ("a", "b"), "Set")["a"].tolist() == ["1", "3"]
    (tmp_path / "table.csv").write_text("a,b\n1,2,5\n3,4,5\n")
    with pytest.raises(ValueError, match="table.csv is not readable CSV .row 1 has 3 cells instead of 2"):
        read_table(tmp_path / "table.csv", ("a", "b"), "Set")


def test_columns_that_nobody_needs_may_share_a_name(tmp_path):
    (tmp_path / "table.csv").write_text("a,b,b\n1,2,3\n")
    assert read_table(tmp_path / "table.csv", ("a",), "Set")["a"].tolist() == ["1"]
    with pytest.raises(ValueError, match="has 2 columns 'b'"):
        read_table(tmp_path / "table.csv", ("b",), "Set")


def test_a_table_without_rows_may_make_sense(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n")
    with pytest.raises(ValueError, match="table.csv has no rows"):
        read_table(tmp_path / "table.csv", ("a",), "Set")
    assert len(read_table(tmp_path / "table.csv", ("a",), "Set", may_be_empty=True)) == 0


def test_a_file_that_cannot_be_opened_is_no_damaged_table(tmp_path):
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(IsADirectoryError, match="table.csv"):
        read_table(tmp_path / "table.csv", ("a",), "Set")


CELLS = st.text(st.characters(exclude_categories=("C",), exclude_characters="\x85\u2028\u2029"), max_size=5)


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_every_cell_comes_back(tmp_path_factory, rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    path = tmp_path_factory.mktemp("cells") / "table.csv"
    path.write_bytes(text.getvalue().encode())
    assert read_table(path, ("a", "b", "c"), "Set").to_numpy().tolist() == rows


def test_long_lists_of_columns_are_cut():
    found = list_columns(pd.DataFrame(columns=["", *(f"column{number}" for number in range(100))]))
    assert found.startswith("column0, column1") and found.endswith(" ...") and len(found) < 310


@pytest.mark.parametrize("missing", ["", "  ", "NaN", "none", "N/A"])
def test_what_is_no_id_is_named(tmp_path, missing):
    table = pd.DataFrame({"patient": ["7", missing, ""]})
    with pytest.raises(ValueError, match=f"t.csv, row 2: patient is '{missing}', which is no id"):
        require_ids(table, ("patient",), tmp_path / "t.csv", "Set")
    require_ids(table[:1], ("patient",), tmp_path / "t.csv", "Set")


def test_numbers_and_empty_cells(tmp_path):
    table = pd.DataFrame({"a": ["1", " 2.5", "", "nan"], "b": ["-1", "1e3", "0", "0"]})
    values = numbers(table, ("a", "b"), tmp_path, "Set").to_numpy()
    np.testing.assert_array_equal(values, [[1, -1], [2.5, 1000], [np.nan, 0], [np.nan, 0]])
    table.loc[2, "b"] = "045Y"
    with pytest.raises(ValueError, match="t.csv, row 3: b is '045Y', not a number"):
        numbers(table, ("a", "b"), tmp_path / "t.csv", "Set")
