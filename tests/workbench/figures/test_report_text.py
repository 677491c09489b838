"""Sides are visible in report text; nothing of a report becomes markup."""

import re

import pandas as pd
import pytest

from workbench.figures.report_text import highlight_sides, report_html, report_table


def plain(html):
    return re.sub(r"<[^>]*>", "", html)


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("Left-sided effusion, RLL opacity", ["Left"], ["RLL"]),
        ("leftward shift; the right lung is clear", ["leftward"], ["right"]),
        ("bright cleft, upright, all", [], []),
        ("LUL LLL RUL RML", ["LUL", "LLL"], ["RUL", "RML"]),
    ],
)
def test_words_for_sides_are_marked(text, left, right):
    html = highlight_sides(text)
    assert re.findall(r"<u>(.*?)</u>", html) == left
    assert re.findall(r"<b>(.*?)</b>", html) == right
    assert plain(html) == text


def test_report_text_never_becomes_markup():
    assert "<script>" not in highlight_sides("<script>alert(1)</script> left")
    table = report_table(
        pd.DataFrame({"study_id": ["<b>"], "true": ["a < b"], "generated": ["<i>x"]}), title="<t>"
    )
    assert "a &lt; b" in table
    assert "<i>x" not in table


def test_lines_are_wrapped_and_words_stay_whole():
    html = report_html("one two three " * 20, "", width=30)
    lines = [plain(line) for line in html.split("<br>")[1:]]
    assert max(map(len, lines)) <= 30
    assert " ".join(lines).split() == ["one", "two", "three"] * 20
    assert "Impression" not in html


def test_an_absent_report_is_named():
    assert plain(report_html("", "  ", width=30)) == "no report"


def test_the_table_has_one_row_a_study_and_names_empty_reports():
    reports = pd.DataFrame(
        {"study_id": ["s1", "s2"], "true": ["left effusion", "clear"], "generated": ["", "clear"]}
    )
    table = report_table(reports, title="Reports", note="phantom")
    assert table.count("<tr>") == 3
    assert "<i>nothing</i>" in table


def test_words_that_were_looked_for_are_marked_and_sides_stay():
    html = highlight_sides("No left-sided effusion <b>", "LEFT-sided  effusion")
    marked = re.findall(r'<span style="paint-order.*?">(.*?)</span>', html)
    assert "".join(marked) != "" and "<u>left</u>" in html and "&lt;b&gt;" in html
    assert plain(html) == "No left-sided effusion &lt;b&gt;"
    assert highlight_sides("clear", "   ") == highlight_sides("clear", "effusion") == "clear"


def test_marked_words_go_on_in_the_next_line():
    html = report_html("aaaa bbbb cccc dddd", "", width=9, words="bbbb cccc")
    lines = html.split("<br>")[1:]
    assert [plain(line) for line in lines] == ["aaaa bbbb", "cccc dddd"]
    assert re.findall(r"stroke[^>]*>(\w+)</span>", html) == ["bbbb", "cccc"]
