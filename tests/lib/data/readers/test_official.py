import gzip
import zipfile

import pytest

from lib.data.readers.official import (
    file_view,
    find_file,
    find_root,
    is_outside,
    list_pictures,
    read_split_lists,
)
from lib.data.readers.tables import read_table


def test_a_root_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Set needs a root folder \(--root DIR\). Layout."):
        find_root(None, "Set", "Layout")
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        find_root(tmp_path / "nowhere", "Set", "Layout")
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "a")
    with pytest.raises(ValueError, match="set.zip is a zip archive; unpack it"):
        find_root(archive, "Set", "Layout")


def test_a_table_may_be_packed_and_is_named_when_it_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"table.csv is missing \(or other.csv\)"):
        find_file(tmp_path, ("table.csv", "other.csv"), "Set", "Layout")
    packed = tmp_path / "other.csv.gz"
    packed.write_bytes(gzip.compress(b"id\n1\n"))
    assert find_file(tmp_path, ("table.csv", "other.csv"), "Set", "Layout") == packed
    assert read_table(packed, ["id"], "Set")["id"].tolist() == ["1"]


@pytest.mark.parametrize(
    "name", ["../a.png", "/etc/passwd", "a/../../b", "..\\a.png", "C:\\a.png", "", "a\0b"]
)
def test_a_name_that_leads_out_of_the_root_is_refused(tmp_path, name):
    assert is_outside(name)
    view = file_view(tmp_path, name, view_id="1")
    assert view.path is None and "leads out of the root" in view.refused


def test_names_inside_the_root(tmp_path):
    assert not is_outside("a/b.c/d..png")
    view = file_view(tmp_path, "a/b.png", view_id="1", position="PA")
    assert view.path == tmp_path / "a" / "b.png" and view.refused == ""


def test_of_several_copies_of_a_picture_the_original_counts(tmp_path):
    for name in ("1.jpg", "1.png", "2.JPG", "3.txt"):
        (tmp_path / name).touch()
    found = list_pictures([tmp_path / "nowhere", tmp_path])
    assert {stem: path.name for stem, path in found.items()} == {"1": "1.png", "2": "2.JPG"}


def test_split_lists(tmp_path):
    (tmp_path / "valid.txt").write_bytes(b"images_001/1.png 0 1\r\n")
    (tmp_path / "test.txt").write_text("2.png 1 0\n\n")
    assert read_split_lists(tmp_path, "Set") == {"1.png": "validation", "2.png": "test"}
    (tmp_path / "train.txt").write_text("2.png\n")
    with pytest.raises(ValueError, match="2.png is for train as well"):
        read_split_lists(tmp_path, "Set")
    with pytest.raises(FileNotFoundError, match="holds no train.txt"):
        read_split_lists(tmp_path / "nowhere", "Set")
