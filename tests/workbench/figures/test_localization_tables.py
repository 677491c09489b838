"""The table of judged maps: every number of the summary, unwrapped, bold where a difference is clear."""

import re

import numpy as np
import pandas as pd
import pytest

from lib.explain.frame import Frame
from lib.protocols.case_maps import COLUMNS, CaseMaps
from workbench.figures.localization_table import ALONE, WITH_INTERVAL, localization_tables
from workbench.locating import Located

KEYS = [key for key, _ in (*WITH_INTERVAL.values(), *ALONE.values())]


def row(**values):
    numbers = {key: {"estimate": 0.25, "low": 0.2, "high": 0.3} for key in KEYS}
    return {"num_cases": 1200, "num_patients": 30} | numbers | values


@pytest.fixture
def located():
    none = {"estimate": None, "low": None, "high": None}
    summary = {
        "store": "nih",
        "synthetic": False,
        "split": "test",
        "leak": "",
        "method": "cam",
        "thresholds": {"": 0.3},
        "localised": ["Mass"],
        "numbers": {
            "findings": {
                "Mass": row(**{"iou - center": {"estimate": 0.1, "low": -0.02, "high": 0.2}}),
                "<i>": row(reader_iou=none, iou=none),
            },
            "all cases": row(),
        },
    }
    cases = pd.DataFrame({name: [] for name in COLUMNS})
    maps = CaseMaps(cases, np.empty((0, 2, 2), np.float16), Frame(8, 8), {})
    return Located(maps, cases, summary)


def cells(table):
    rows = re.findall("<tr>(.*?)</tr>", table)[1:]
    return [re.findall("<td[^>]*>(.*?)</td>", one) for one in rows]


def test_numbers_stand_on_one_line_with_their_interval_below(located):
    (table,) = localization_tables({"A <b>": located})
    mass, other, mean = cells(table)
    assert mass[0] == "Mass *" and other[0] == "&lt;i&gt;" and ">all cases</b>" in mean[0]
    assert all(len(one) == 2 + len(KEYS) for one in (mass, other, mean))
    assert "1,200" in mass[1] and "0.25<br>" in mass[2] and ">0.20, 0.30<" in mass[2]
    assert other[2] == "" and all("white-space:nowrap" in one for one in mass[1:])
    assert table.count("<th ") == 2 + len(KEYS) and "A &lt;b&gt;" in table
    for part in ("nih | test split", "1,200 cases of 30 patients", "cam, threshold 0.3", "* localised"):
        assert part in table


def test_differences_are_bold_where_the_interval_leaves_0_out(located):
    (table,) = localization_tables({"A": located})
    mass = cells(table)[0]
    assert "+0.10<br>" in mass[3] and "<b>" not in mass[3]  # -0.02 to 0.20
    assert "<b>+0.25</b>" in mass[4]
    assert "<b>" not in mass[2]  # an IoU is no difference


def test_a_model_that_cannot_be_judged_says_why(located):
    table, why = localization_tables({"A": located, "B": "No picture has a box."})
    assert "wb-localization" in table and "No picture has a box." in why.layout.title.text
