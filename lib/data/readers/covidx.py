"""Reader for COVIDx: radiographs that are normal, or show COVID-19 or another pneumonia, by COVID-Net.

Official layout: lists `train_COVIDx4.txt` and `test_COVIDx4.txt` and the pictures in `train/` and `test/`. A
line is a patient, a file, a class and, since version 3, the collection that it comes from. Versions differ in
the name of the lists (`train_COVIDx8B.txt`, `train_COVIDx_CXR-3A.txt`, on Kaggle plain `train.txt`); those
called B have the classes positive and negative.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lib.data.readers.official import file_view, find_root, list_pictures, read_text, refuse_packed
from lib.data.study import Study

NAME = "COVIDx"
DEFAULT_VERSION = "4"
"""The version that ConVIRT fine-tunes on; taken where a root holds lists of several versions."""

SPLITS = {"train": "train", "val": "validation", "test": "test"}
"""Prefix of a list and name of its folder of pictures -> split."""

LABELS = ("Normal", "Pneumonia", "COVID-19")
CLASSES = {
    "normal": (1.0, 0.0, 0.0),
    "pneumonia": (0.0, 1.0, 0.0),
    "COVID-19": (0.0, 0.0, 1.0),
    "positive": (0.0, 0.0, 1.0),
    "negative": (math.nan, math.nan, 0.0),
}
"""Class -> values of `LABELS`."""

_LAYOUT = (
    "Official layout: train_COVIDx4.txt, test_COVIDx4.txt (or those of another version, or train.txt and "
    "test.txt), train/ and test/, as made by the scripts of github.com/lindawangg/COVID-Net"
)


class Line(NamedTuple):
    """One line of a list."""

    folder: str
    patient: str
    file: str
    label: str


class COVIDx:
    """COVIDx: one picture is one study."""

    name = "covidx"
    source = (
        "COVIDx, radiographs of several public collections; Wang L, Lin ZQ, Wong A. COVID-Net. Sci Rep "
        "2020;10:19549."
    )
    licence = "That of each collection in it; the lists are free for research (licence of COVID-Net)."
    label_names = LABELS
    has_reports = False
    label_noise = (
        "Classes come from separate collections, so a model can learn how pictures were made instead: nearly "
        "all without COVID-19 are of the RSNA challenge. Pneumonia means any other than COVID-19."
    )

    def __init__(self, root: Path | None, *, version: str | None = None):
        """Read the lists.

        Args:
            root: the folder that holds the lists and the pictures.
            version: of the lists, as in their names ("4", "8B", "_CXR-3A"; "" for `train.txt`). None: the
                only one that is there, of several version 4.

        Raises:
            FileNotFoundError: the root or a list is missing.
            ValueError: a line that makes no sense, or several versions to choose from.
        """
        self._root = find_root(root, NAME, _LAYOUT)
        self.version = _find_version(self._root) if version is None else version
        self._lines = _read_lists(self._root, self.version)
        self._pictures = {folder: list_pictures([self._root / folder]) for folder in SPLITS}

    def __len__(self) -> int:
        """Return the number of lines in the lists."""
        return len(self._lines)

    def __iter__(self) -> Iterator[Study]:
        """Yield the pictures in the order of the lists, training first."""
        for line in self._lines:
            path = self._root / line.folder / line.file
            twin = self._pictures[line.folder].get(path.stem)
            is_there = os.path.isfile(path)  # no error for a name that is too long
            view = file_view(
                self._root,
                f"{line.folder}/{line.file}",
                view_id=line.file,
                found=None if is_there else twin,
                position="FRONTAL",  # the authors' scripts leave out lateral views and CT
            )
            yield Study(
                study_id=line.file,
                patient_id=line.patient,
                views=(view,),
                labels=dict(zip(LABELS, CLASSES[line.label], strict=True)),
                split=SPLITS[line.folder],
            )


def list_name(folder: str, version: str) -> str:
    """Return the name of a list: `train_COVIDx4.txt`, or `train.txt` for version ""."""
    return f"{folder}_COVIDx{version}.txt" if version else f"{folder}.txt"


def _find_version(root: Path) -> str:
    stems = [path.stem.removeprefix("train") for place in _places(root) for path in place.glob("train*.txt")]
    versions = sorted({stem.removeprefix("_COVIDx") for stem in stems if not stem or "_COVIDx" in stem})
    if DEFAULT_VERSION in versions or len(versions) == 1:
        return DEFAULT_VERSION if DEFAULT_VERSION in versions else versions[0]
    if not versions:
        raise FileNotFoundError(
            f"{NAME} list {root / list_name('train', DEFAULT_VERSION)} is missing. {_LAYOUT}."
        )
    raise ValueError(
        f"{NAME} root {root} holds lists of several versions; give version as one of {versions}."
    )


def _places(root: Path) -> tuple[Path, ...]:
    """Return where lists may lie: the authors keep them in `labels/`."""
    return root, root / "labels"


def _read_lists(root: Path, version: str) -> list[Line]:
    lines: list[Line] = []
    for folder in SPLITS:
        name = list_name(folder, version)
        before = len(lines)
        path = next((place / name for place in _places(root) if (place / name).is_file()), None)
        if path is not None:
            lines += _read_list(path, folder)
            if len(lines) == before:
                raise ValueError(f"{NAME} list {path} is empty. Download it again.")
        elif folder != "val":  # only the newest versions have one
            refuse_packed(root, (name,), NAME)
            raise FileNotFoundError(f"{NAME} list {root / name} is missing. {_LAYOUT}.")
    return lines


def _read_list(path: Path, folder: str) -> Iterator[Line]:
    for number, text in enumerate(read_text(path).splitlines(), start=1):
        words = text.split()
        if not words:
            continue
        # Neither the class nor the source has a blank, a file name may have one.
        end = next((end for end in (-1, -2) if len(words) + end >= 2 and words[end] in CLASSES), None)
        if end is None:
            raise ValueError(
                f"{NAME} list {path}, line {number}: {text!r} is not 'patient file class source' with one of "
                f"the classes {', '.join(CLASSES)}. Download it again."
            )
        yield Line(folder, words[0], " ".join(words[1:end]), words[end])
