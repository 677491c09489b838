"""What readers of files share: the root, its files and lists, and pictures that never lie outside of it.

Only names that a table holds are distrusted. A link in the root that leads elsewhere was laid there by the
person who gave the root, often because the pictures are on another disk, and is followed.
"""

import os
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from lib.data.readers.tables import ENCODINGS
from lib.data.study import View

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm", ".dicom")
"""Kinds of files that a picture may have become in a copy; of several the first counts."""


def find_root(root: Path | None, data_set: str, layout: str) -> Path:
    """Return the root folder of a download.

    Args:
        root: as given by a person.
        data_set: its name in errors.
        layout: what lies in the root, for errors: one sentence without its full stop.

    Raises:
        FileNotFoundError: none given, or no folder there.
        ValueError: an archive instead of a folder.
    """
    if root is None:
        raise FileNotFoundError(f"{data_set} needs a root folder (--root DIR). {layout}.")
    if root.is_file():
        kind = "a zip archive" if zipfile.is_zipfile(root) else "a file"
        raise ValueError(f"{data_set} root {root} is {kind}; unpack it and give the folder. {layout}.")
    if not root.is_dir():
        raise FileNotFoundError(f"{data_set} root {root} does not exist. {layout}.")
    return root


def find_file(root: Path, names: Sequence[str], data_set: str, layout: str) -> Path:
    """Return the first of several files that is there, plain or as `.gz`.

    Raises:
        FileNotFoundError: none is; names the first.
    """
    for name in names:
        for path in (root / name, root / f"{name}.gz"):
            if path.is_file():
                return path
    refuse_packed(root, names, data_set)
    others = f" (or {', '.join(names[1:])})" if len(names) > 1 else ""
    raise FileNotFoundError(f"{data_set} file {root / names[0]} is missing{others}. {layout}.")


def refuse_packed(root: Path, names: Iterable[str], data_set: str) -> None:
    """Say so where a missing file lies there as a zip, as some sites give single files out.

    Raises:
        FileNotFoundError: it does.
    """
    for name in names:
        path = root / f"{name}.zip"
        if path.is_file():
            raise FileNotFoundError(f"{data_set} file {root / name} is still packed; unpack {path} there.")


def read_text(path: Path) -> str:
    """Read a small text file: UTF-8, or else Latin-1, in which every byte means something."""
    content = path.read_bytes()
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError("Latin-1 decodes everything")


def file_view(
    root: Path, name: str, *, view_id: str, found: Path | None = None, refused: str = "", **about
) -> View:
    """Return the view of a file that a table names; a name that leads out of the root is refused.

    Args:
        root: the folder that the name is relative to.
        name: as the table has it, with `/` between folders.
        view_id: unique inside the data set.
        found: the file itself, where a listing found it under another ending or folder.
        refused: why the picture is none of this data set's radiographs, "" where it is one.
        about: the other fields of a view.
    """
    leads_out = is_outside(name)
    return View(
        view_id=view_id,
        path=None if leads_out else (found or root / name),
        refused=f"the name {name!r} leads out of the root folder" if leads_out else refused,
        **about,
    )


def is_outside(name: str) -> bool:
    """Say whether a relative name in a table would lead out of its folder, on any system."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not parts or ".." in parts or parts[0] == "/" or bool(re.match(r"[A-Za-z]:", name)) or "\0" in name


def list_pictures(folders: Iterable[Path], suffixes: Sequence[str] = PICTURE_SUFFIXES) -> dict[str, Path]:
    """Return stem -> file for the pictures that lie directly in some folders; missing folders hold none.

    `._1.png` is no picture: another system keeps there what it knows of `1.png`. The odd bytes of a stem that
    is no text in UTF-8, as in old archives, are spelled out, so that it can be stored.
    """
    found: dict[str, Path] = {}
    ranks = {suffix: rank for rank, suffix in enumerate(suffixes)}
    for folder in folders:
        if not os.path.isdir(folder):  # no error for a name that is too long
            continue
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            stem, suffix = os.path.splitext(name)
            rank = ranks.get(suffix.lower())
            if rank is None or name.startswith("._"):
                continue
            stem = stem.encode("utf-8", "backslashreplace").decode()
            before = found.get(stem)
            if before is None or rank < ranks[before.suffix.lower()]:
                found[stem] = folder / name
    return found


def read_split_lists(folder: Path, data_set: str) -> dict[str, str]:
    """Read the lists of a published split: file name (without folders) -> split.

    `train.txt`, `val.txt` or `valid.txt`, and `test.txt`, whitespace separated without a header: a file
    name, then whatever else. Where `train.txt` is missing, everything that no list names is for training.

    Raises:
        FileNotFoundError: no list there.
        ValueError: a file stands in two lists.
    """
    files = {"train": ("train.txt",), "validation": ("val.txt", "valid.txt"), "test": ("test.txt",)}
    splits: dict[str, str] = {}
    for split, names in files.items():
        for path in (folder / name for name in names):
            if not path.is_file():
                continue
            for line in read_text(path).splitlines():
                if not line.strip():
                    continue
                name = PurePosixPath(line.split()[0]).name
                if splits.setdefault(name, split) != split:
                    raise ValueError(f"{data_set} split list {path}: {name} is for {splits[name]} as well.")
    if not splits:
        raise FileNotFoundError(
            f"{data_set} split lists {folder} holds no train.txt, val.txt (or valid.txt) or test.txt."
        )
    return splits


def check_lists(splits: Mapping[str, str], names: Iterable[str], folder: Path, data_set: str) -> None:
    """Check that lists are about a data set at all: of others no name fits, and all would be for training.

    Args:
        splits: name -> split, as `read_split_lists` gives it.
        names: of the pictures, spelled alike.
        folder: of the lists, for errors.
        data_set: its name in errors.

    Raises:
        ValueError: no list names any of the pictures.
    """
    if splits and splits.keys().isdisjoint(names):
        raise ValueError(
            f"{data_set} split lists {folder} name none of the pictures, for example {next(iter(splits))!r}: "
            "they are of another data set, or their names have another form."
        )


def check_valid_as(valid_as: str, data_set: str) -> None:
    """Refuse a part that an official validation set cannot be: it is that, or as in ConVIRT the test set.

    Raises:
        ValueError: names the value.
    """
    if valid_as not in ("validation", "test"):
        raise ValueError(
            f"{data_set}: valid_as is {valid_as!r}; take validation, or test to be judged on it."
        )
