"""Which cases there are, what readers marked, which are chosen, and in which order."""

import numpy as np
import pandas as pd
import pytest

from tests.tiny_boxes import with_boxes
from workbench.box_reading.map_table import MapTable, Reading
from workbench.box_reading.marked_cases import SIZES, MarkedCases, Wanted
from workbench.box_reading.orders import ORDERS, in_order


@pytest.fixture
def cases(boxed_store, planted):
    return MarkedCases(boxed_store, [planted().maps("cam").cases])


def test_cases_of_two_models_are_joined(boxed_store, planted):
    first = planted(targets=("Mass", "Cardiomegaly")).maps("cam")
    second = planted(targets=("Cardiomegaly", "Pleural Effusion")).maps("cam")
    joined = MarkedCases(boxed_store, [first.cases, second.cases])
    assert len(joined) == len(first) + (second.cases["finding"] == "Pleural Effusion").sum()
    rows = joined.rows_in(second)
    assert (rows[(joined.table["finding"] == "Mass").to_numpy()] == -1).all()
    known = rows >= 0
    assert joined.table["view_id"][known].tolist() == second.cases["view_id"].iloc[rows[known]].tolist()


def test_what_readers_marked_is_that_of_the_store(boxed_store, cases):
    for case in (0, len(cases) - 1):
        row = cases.table.iloc[case]
        boxes = boxed_store.boxes
        mine = boxes[(boxes["view_row"] == row["view_row"]) & (boxes["finding"] == row["finding"])]
        assert set(cases.of_reader(case, "")) == set(mine["reader"])
        own = mine[mine["reader"] == "R2"][["x0", "y0", "x1", "y1"]].clip(0, boxed_store.image_size)
        np.testing.assert_allclose(cases.of_reader(case, "R2")["R2"], own)
    assert cases.readers == ["R1", "R2", "R3"]
    assert ((0 < cases.area) & (cases.area <= 1)).all()
    assert ((0 < cases.agreement) & (cases.agreement <= 1)).all()


def test_a_choice_meets_all_conditions(cases):
    masses = cases.choose(Wanted(finding="Mass"))
    assert set(cases.table["finding"].iloc[masses]) == {"Mass"}
    by_size = [cases.choose(Wanted(size=size)) for size in SIZES]
    assert sorted(np.concatenate(by_size)) == list(range(len(cases)))
    assert (cases.area[by_size[0]] < 0.02).all()
    assert len(cases.choose(Wanted(reader="R3"))) <= len(cases)
    assert cases.choose(Wanted(reader="nobody")).tolist() == []


def test_a_box_beside_the_picture_is_counted_and_left_out(boxed_store, planted, tmp_path):
    view = int(boxed_store.boxes["view_row"].iloc[0])
    name = boxed_store.views["view_id"].iloc[view]
    rows = [
        (view, name, "Mass", 10.0, 10.0, 20.0, 20.0, "R1"),
        (view, name, "Mass", 90.0, 10.0, 99.0, 20.0, "R2"),  # beside
        (view, name, "Mass", -10.0, 40.0, 10.0, 200.0, "R3"),  # over two edges
        (view, name, "Cardiomegaly", 70.0, 70.0, 80.0, 80.0, "R1"),
    ]
    boxes = pd.DataFrame(rows, columns=boxed_store.boxes.columns)
    store = with_boxes(boxed_store, tmp_path, boxes)
    table = MapTable([planted(store=store, targets=("Mass", "Cardiomegaly"))], "cam")
    cases = table.cases
    mass, heart = (int(np.flatnonzero(cases.table["finding"] == one)[0]) for one in ("Mass", "Cardiomegaly"))
    assert cases.marked[mass]["R3"].tolist() == [[0, 40, 10, 64]]
    assert "R2" not in cases.marked[mass] and cases.outside[mass] == 1
    assert cases.marked[heart] == {} and cases.outside[heart] == 1 and cases.area[heart] == 0
    assert np.isnan(table.quick_iou(0, np.array([heart]), Reading())).all()


def test_orders_sort_and_put_the_unknown_last():
    ious = [np.array([0.2, np.nan, 0.9, 0.5]), np.array([0.1, 0.3, 0.1, 0.5])]
    numbers = {
        "agreement": lambda: np.array([0.4, 0.2, np.nan, 0.3]),
        "area": np.array([0.1, 0.4, 0.2, 0.3]),
        "probability": np.array([0.5, 0.6, np.nan, 0.9]),
    }
    expected = {
        "best": [2, 3, 0, 1],
        "worst": [0, 3, 2, 1],
        "models disagree": [2, 0, 3, 1],
        "readers disagree": [1, 3, 0, 2],
        "largest": [1, 3, 2, 0],
        "smallest": [0, 2, 3, 1],
        "sure": [3, 1, 0, 2],
        "stored": [0, 1, 2, 3],
    }
    assert set(expected) == set(ORDERS)
    for order, places in expected.items():
        assert in_order(order, ious, **numbers).tolist() == places, order
    with pytest.raises(ValueError, match="no order 'odd'"):
        in_order("odd", ious, **numbers)
    with pytest.raises(ValueError, match="One model cannot disagree"):
        in_order("models disagree", ious[:1], **numbers)
