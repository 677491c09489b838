import re

import pandas as pd
import pytest

from lib.data.readers.rows import find_folder, find_rows, group_rows, split_paths


def members(groups):
    return {name: rows.tolist() for name, rows in groups}


def test_rows_of_a_group_need_not_be_neighbours():
    groups = group_rows(pd.Series(["b", "a", "b", "c", "a"]))
    assert members(groups) == {"b": [0, 2], "a": [1, 4], "c": [3]} and len(groups) == 3
    assert [name for name, _ in groups] == ["b", "a", "c"]


def test_given_groups_may_be_empty():
    groups = group_rows(pd.Series(["b", "a", "b"]), pd.Index(["none", "a", "b", "last"]))
    assert members(groups) == {"none": [], "a": [1], "b": [0, 2], "last": []}


def test_no_rows():
    assert members(group_rows(pd.Series([], dtype=str))) == {}


def test_rows_of_keys(tmp_path):
    keys = pd.Series(["x", "y", "z"], name="id")
    assert find_rows(keys, ["z", "w", "x", "z"], tmp_path, "Set").tolist() == [2, -1, 0, 2]
    with pytest.raises(ValueError, match="row 3: id 'x' stands in an earlier row"):
        find_rows(pd.Series(["x", "y", "x"], name="id"), ["y"], tmp_path / "t.csv", "Set")


def test_parts_of_paths(tmp_path):
    pattern = re.compile(r"(?P<patient>p\d)/(?P<file>\w+\.png)")
    paths = pd.Series(["p1/a.png", " p2/b.png\t"], name="Path")
    parts = split_paths(paths, pattern, "p1/a.png", tmp_path, "Set")
    assert parts.to_dict("list") == {"patient": ["p1", "p2"], "file": ["a.png", "b.png"]}
    paths = pd.Series(["p1/a.png", "../p2/b.png"], name="Path")
    with pytest.raises(ValueError, match=r"row 2: Path '../p2/b.png' is not of the official shape p1/a.png"):
        split_paths(paths, pattern, "p1/a.png", tmp_path / "t.csv", "Set")


def test_the_folder_of_a_table(tmp_path):
    with pytest.raises(FileNotFoundError, match="t.csv is missing. Layout."):
        find_folder(tmp_path, ("inner",), "t.csv", "Set", "Layout")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "t.csv.gz").touch()
    assert find_folder(tmp_path, ("inner",), "t.csv", "Set", "Layout") == tmp_path / "inner"
    (tmp_path / "t.csv").touch()
    assert find_folder(tmp_path, ("inner",), "t.csv", "Set", "Layout") == tmp_path
