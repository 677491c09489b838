"""Boxes that mark nothing: a drop that is counted and listed, and the picture is kept."""

import numpy as np
import pytest
from tiny_download import (
    edit_table,
    ingest_root,
    listed_drops,
    rehearse,
    table_text,
    write_own_table,
)

from lib.data.readers import open_reader


@pytest.mark.parametrize(
    ("corner", "said"),
    [
        (("2000", "10", "40", "40"), "(2000, 10, 2040, 50)"),
        (("-90", "10", "40", "40"), "(-90, 10, -50, 50)"),
        (("10", "10", "0", "40"), "(10, 10, 10, 50)"),
        (("10", "10", "-5", "40"), "(10, 10, 5, 50)"),
        (("nan", "10", "5", "40"), "(nan, 10, nan, 50)"),
        (("", "", "", ""), "(nan, nan, nan, nan)"),
        (("10", "10", "inf", "40"), "(10, 10, inf, 50)"),
    ],
)
def test_a_box_outside_the_picture_or_without_area_is_a_drop(tmp_path, corner, said):
    root = rehearse("nih", tmp_path)
    image = table_text(root / "Data_Entry_2017_v2020.csv").splitlines()[1].split(",")[0]
    header = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
    rows = [f"{image},Mass,100,200,300,400", f"{image},Nodule,{','.join(corner)}"]
    (root / "BBox_List_2017.csv").write_text(header + "\n".join(rows) + "\n")
    store = ingest_root("nih", root)
    assert store.boxes.finding.tolist() == ["Mass"]
    detail = f"Nodule: no area inside the picture {said}"
    assert listed_drops(store) == [(image.removesuffix(".png"), "bad_box", detail)]
    np.testing.assert_allclose(
        store.boxes[["x0", "y0", "x1", "y1"]].to_numpy() * (1024 / 32), [[100, 200, 400, 600]]
    )


@pytest.mark.parametrize("corners", ["20,4,4,20", "4,20,20,4", "9,9,9,9", "-8,-8,-1,-1", "4,4,nan,20"])
def test_swapped_and_negative_corners_are_drops(tmp_path, corners):
    root = write_own_table(tmp_path / "root", ["good.png,1"], description=BOXED)
    (root / "boxes.csv").write_text(f"file,what,a,b,c,d\ngood.png,Mass,{corners}\ngood.png,Nodule,2,2,9,9\n")
    store = ingest_root("csv", root)
    assert store.boxes.finding.tolist() == ["Nodule"]
    said = ", ".join(corners.split(","))
    assert listed_drops(store) == [("good.png", "bad_box", f"Mass: no area inside the picture ({said})")]


BOXED = (
    "table: studies.csv\ncolumns: {image: file, patient: pid}\n"
    "boxes: {table: boxes.csv, image: file, finding: what, x0: a, y0: b, x1: c, y1: d}\n"
)


def test_a_picture_that_is_listed_twice_has_its_boxes_once(tmp_path):
    root = write_own_table(tmp_path / "root", ["good.png,1", "good.png,1"], description=BOXED)
    (root / "boxes.csv").write_text("file,what,a,b,c,d\ngood.png,Mass,2,2,9,9\n")
    store = ingest_root("csv", root)
    assert len(store.boxes) == 1
    assert listed_drops(store) == [("good.png", "duplicate_view", "the id was read before")]


def test_a_box_of_nothing_is_named(tmp_path):
    root = write_own_table(tmp_path / "root", ["good.png,1"], description=BOXED)
    (root / "boxes.csv").write_text("file,what,a,b,c,d\ngood.png,,2,2,9,9\n")
    with pytest.raises(ValueError, match="key boxes.finding: row 1: '' is empty"):
        open_reader("csv", root)


def test_a_corner_that_is_no_number_is_named(tmp_path):
    root = rehearse("vinbigdata", tmp_path)
    edit_table(root / "train.csv", lambda rows: [row.__setitem__(4, "left") for row in rows[1:]])
    with pytest.raises(ValueError, match="train.csv, row 1: x_min is 'left', not a number"):
        open_reader("vinbigdata", root)
