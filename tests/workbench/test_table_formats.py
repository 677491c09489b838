"""One table in four formats, letters that mean something to LaTeX or Markdown among its names."""

import csv
import io

import pytest

from workbench.table_formats import TextTable, format_of, write_table

TABLE = TextTable("method", ("a, 1 %", "b"), {"R & D_2": ("**0.9** +- 0.1", ""), "x|y": ("0.8", "0.7")})


def test_text_has_columns_of_one_width():
    assert write_table(TABLE, "text").splitlines() == [
        "method           a, 1 %    b",
        "R & D_2  **0.9** +- 0.1",
        "x|y                 0.8  0.7",
    ]


def test_markdown_has_as_many_cells_in_every_line():
    lines = write_table(TABLE, "markdown").splitlines()
    assert lines[0] == "| method | a, 1 % | b |" and lines[1] == "| --- | --- | --- |"
    assert lines[2] == "| R & D_2 | **0.9** +- 0.1 |  |"
    assert {line.count("|") for line in lines} == {4}


def test_latex_escapes_its_signs_and_keeps_the_best_bold():
    lines = write_table(TABLE, "latex").splitlines()
    assert lines[0] == r"\begin{tabular}{lll}" and lines[-1] == r"\end{tabular}"
    assert r"method & a, 1 \% & b \\" in lines
    assert r"R \& D\_2 & \textbf{0.9} $\pm$ 0.1 &  \\" in lines
    assert write_table(TextTable("\\^~{}#$", (), {}), "latex").splitlines()[2] == (
        r"\textbackslash{}\textasciicircum{}\textasciitilde{}\{\}\#\$ \\"
    )


def test_csv_is_read_back_as_it_was():
    read = list(csv.reader(io.StringIO(write_table(TABLE, "csv"))))
    assert read[0] == ["method", "a, 1 %", "b"]
    assert {name: tuple(cells) for name, *cells in read[1:]} == TABLE.rows


def test_formats_are_known_by_their_names():
    assert [format_of(f"a.b.{end}") for end in ("TXT", "md", "tex", "csv")] == [
        "text",
        "markdown",
        "latex",
        "csv",
    ]
    with pytest.raises(ValueError, match="Unknown format 'html'"):
        write_table(TABLE, "html")
