"""Reader for the paediatric pneumonia radiographs of Kermany et al.: children aged one to five, Guangzhou.

Official layout: `chest_xray/{train,val,test}/{NORMAL,PNEUMONIA}/*.jpeg` (the Mendeley download has no `val`).
Copies that lost the parts have the two class folders alone. Everything else stands in the file names:
`person90_virus_170.jpeg`, `IM-0446-0001.jpeg`, `NORMAL2-IM-0035-0001.jpeg`, and in a newer download
`BACTERIA-1008087-0001.jpeg`.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path

from lib.data.readers.official import file_view, find_root, list_pictures
from lib.data.study import Study

NAME = "Kermany pneumonia"
SPLITS = {"train": "train", "val": "validation", "test": "test", "": ""}
"""Folder of a part -> split; "" for the class folders alone."""

CLASS_FOLDERS = ("NORMAL", "PNEUMONIA")
LABELS = ("Pneumonia", "Bacterial Pneumonia", "Viral Pneumonia")
_KINDS = {"bacteria": (1.0, 1.0, 0.0), "virus": (1.0, 0.0, 1.0), "": (1.0, math.nan, math.nan)}
_NORMAL = (0.0, 0.0, 0.0)

_LAYOUT = (
    "Official layout: chest_xray/ with train/, val/, test/, each with NORMAL/ and PNEUMONIA/ (or those two "
    "alone), from data.mendeley.com/datasets/rscbjbr9sj"
)


class Kermany:
    """The Kermany radiographs: one picture is one study.

    Persons are counted anew in the test part, and so the part is a piece of their ids. `val` was taken from
    the training part and shares its numbers.
    """

    name = "kermany"
    source = (
        "Labeled Optical Coherence Tomography and Chest X-Ray Images. Mendeley Data doi 10.17632/rscbjbr9sj; "
        "Kermany DS, Goldbaum M, Cai W, et al. Cell 2018;172(5):1122-1131."
    )
    licence = "CC BY 4.0"
    label_names = LABELS
    has_reports = False
    label_noise = (
        "Two physicians graded each picture, a third those of the test part. Normal pictures are larger and "
        "better than the others, which a model can learn instead of the disease."
    )

    def __init__(self, root: Path | None):
        """List the pictures.

        Args:
            root: the folder `chest_xray`, the one that holds it, or the one with the two class folders.

        Raises:
            FileNotFoundError: the root or all its pictures are missing.
            ValueError: a folder of a part is none of the classes.
        """
        root = find_root(root, NAME, _LAYOUT)
        self._root = root / "chest_xray" if (root / "chest_xray").is_dir() else root
        self._pictures = {
            f"{part}/{folder}".lstrip("/"): list_pictures([self._root / part / folder])
            for part in SPLITS
            for folder in CLASS_FOLDERS
        }
        if not any(self._pictures.values()):
            raise FileNotFoundError(
                f"{NAME} root {self._root} holds no picture in train/NORMAL or the like. {_LAYOUT}."
            )
        for part in filter(None, SPLITS):
            _check_class_folders(self._root / part)

    def __len__(self) -> int:
        """Return the number of pictures."""
        return sum(map(len, self._pictures.values()))

    def __iter__(self) -> Iterator[Study]:
        """Yield the pictures by part, class and name."""
        for folder, pictures in self._pictures.items():
            part, _, class_folder = folder.rpartition("/")
            for stem, path in pictures.items():
                name = f"{folder}/{stem}"
                view = file_view(self._root, f"{folder}/{path.name}", view_id=name, position="AP")
                yield Study(
                    study_id=name,
                    patient_id=_patient(stem, part),
                    views=(view,),
                    labels=_labels(stem, class_folder),
                    split=SPLITS[part],
                )


def _check_class_folders(part: Path) -> None:
    """Refuse a class folder under another name: without it all pictures would be of the other class."""
    if not part.is_dir():
        return
    for folder in sorted(path for path in part.iterdir() if path.is_dir() and path.name[0] not in "._"):
        if folder.name not in CLASS_FOLDERS:
            raise ValueError(
                f"{NAME} folder {folder} is not {' or '.join(CLASS_FOLDERS)}. Give it its official name, or "
                "move it away."
            )


def _patient(stem: str, part: str) -> str:
    """Return the person or the examination number in a name; where there is none, the name itself.

    Pictures of one `IM` number are kept together, with or without a `NORMAL2`: this may join two children and
    never parts one.
    """
    found = re.search(r"(person\d+)_|(IM-\d+)-|^[A-Za-z]+-(\d+)-\d+$", stem)
    number = next(group for group in found.groups() if group) if found else stem
    side = "train" if part == "val" else part
    return f"{side}/{number}".lstrip("/")


def _labels(stem: str, class_folder: str) -> dict[str, float]:
    kind = next((kind for kind in ("bacteria", "virus") if kind in stem.lower()), "")
    return dict(zip(LABELS, _NORMAL if class_folder == "NORMAL" else _KINDS[kind], strict=True))
