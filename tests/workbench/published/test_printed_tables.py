"""The printed tables equal the text of the papers, cell by cell."""

import re

import numpy as np
import pytest

from workbench.published import printed_table, printed_tables

PAPERS = {"refers": ("refers.txt", 3), "convirt": ("convirt.txt", 5)}


def seed_rows(text):
    """Return the rows of numbers in the tables of a paper's text: name, cells as they are."""
    rows = []
    for line in text.splitlines():
        cells = [re.sub(r"</?\w+>", "", cell).strip() for cell in line.split("\t")]
        if len(cells) > 3 and any(re.fullmatch(r"\d+\.\d(\de-\d)?", cell) for cell in cells[1:]):
            rows.append((cells[0].replace("$", "").replace("\\", ""), cells[1:]))
    return rows


def ours(name):
    """Return the rows of our tables of a paper in the form of `seed_rows`."""
    for key, table in printed_tables().items():
        if not key.startswith(name):
            continue
        for row, has, values in zip(table.names, table.has, table.values, strict=True):
            parts = ["\u2713" if part in has else "" for part in table.parts]
            yield row, parts + ["\u2013" if np.isnan(value) else f"{value:.1f}" for value in values]
        if table.p_values:
            yield "p-value", [f"{value:.2e}".replace("e-0", "e-") for value in table.p_values]


@pytest.mark.parametrize("paper", PAPERS)
def test_every_row_of_every_result_table_is_there_as_printed(shared, paper):
    rows = seed_rows((shared / "seeds" / PAPERS[paper][0]).read_text())
    assert len(rows) > 15
    assert list(ours(paper)) == rows  # in the order of the paper, none left out, none invented


def test_tables_say_what_their_columns_are():
    tables = printed_tables()
    assert list(tables) == [
        *(f"refers_table_{number}" for number in (1, 2, 3)),
        *(f"convirt_table_{number}" for number in ("1a", "1b", "2", "3", "4")),
    ]
    table = printed_table("refers_table_1")
    cells = table.cells()
    assert len(cells) == 6 * 9
    (cell,) = cells.query("method == 'c2l' and target == 'vinbigdata' and label_ratio == 0.1")["value"]
    assert cell == 83.3
    assert table.column(target="shenzhen") == 6 and table.column(target="mars") is None
    (value,) = (
        printed_table("convirt_table_2").cells().query("method == 'convirt' and k == 50")["value"].iloc[:1]
    )
    assert value == 35.7


def test_an_unknown_table_is_refused_with_the_closest():
    with pytest.raises(ValueError, match=r"Did you mean 'refers_table_1'\?"):
        printed_table("refers_tabel_1")
