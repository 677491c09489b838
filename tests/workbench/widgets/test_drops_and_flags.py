"""What was left out and what looks odd: both forms of both views."""

import shutil

import pandas as pd
import pytest

from lib.data.store import Store
from workbench.widgets.display import PLOTLY
from workbench.widgets.drop_reasons import DropReasons
from workbench.widgets.flag_sheets import FlagSheets


@pytest.fixture
def dropped(phantom_store, tmp_path):
    """Return a store that left out nine studies and one view."""
    path = tmp_path / "phantom"
    shutil.copytree(phantom_store.path, path)
    rows = [(f"s{number}", "", "report_too_short", f"{number} tokens") for number in range(9)]
    rows.append(("s9", "v9", "unreadable_image", "v9.png: <b>truncated"))
    place = path / "drops.parquet"
    place.chmod(0o644)
    pd.DataFrame(rows, columns=["study_id", "view_id", "rule", "detail"]).to_parquet(place)
    return Store(path)


def test_every_rule_has_three_cases_and_the_one_looked_at_all(dropped):
    menu, table = DropReasons(dropped).live().children
    assert "12 studies kept, 10 entries left out" in table.value
    assert table.value.count("tokens</div>") == 3 and "and 6 more" in table.value
    assert "<b>truncated" not in table.value
    menu.value = "report_too_short"
    assert table.value.count("tokens</div>") == 9
    assert "unreadable image" not in table.value
    assert DropReasons(dropped).static().count("<tr>") == 1 + 2


def test_where_nothing_was_left_out_there_is_no_menu(phantom_store):
    (table,) = DropReasons(phantom_store).live().children
    assert "12 studies kept, none left out" in table.value and "<table" not in table.value


def test_each_flag_has_its_sheet(flagged_store):
    view = FlagSheets(flagged_store)
    assert view.counts == {"identical": 1, "inverted": 2, "blank": 1}
    titles = [figure.layout.title.text for figure in view.static()]
    assert [title.partition(":")[0] for title in titles] == ["Identical", "Inverted", "Blank"]
    menu, sheet = view.live().children
    menu.value = "blank"
    assert sheet.outputs[0]["data"][PLOTLY]["layout"]["title"]["text"].startswith("Blank: ")


def test_where_nothing_is_odd_it_is_said(phantom_store):
    view = FlagSheets(phantom_store)
    (figure,) = view.static()
    assert "No picture has a flag" in figure.layout.title.text
    assert "No picture has a flag" in view.live().layout.title.text
