"""Reader for the Shenzhen chest X-ray set: radiographs with and without tuberculosis.

Official layout: `CXR_png/CHNCXR_nnnn_k.png`, where k is 1 for tuberculosis, and for each picture a text in
`ClinicalReadings/` whose first line tells sex and age (`male 45yrs`, spelled in many ways).
"""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

from lib.data.readers.official import (
    check_lists,
    file_view,
    find_root,
    list_pictures,
    read_split_lists,
    read_text,
)
from lib.data.study import Study

NAME = "Shenzhen"
PICTURES = "CXR_png"
READINGS = "ClinicalReadings"
ARCHIVE = "ChinaSet_AllFiles"
"""Folder that the official archive unpacks to."""

LABEL = "Tuberculosis"
OLDEST = 120  # years; what is above is a slip of the keyboard

_UNITS = {"y": 1.0, "m": 12.0, "w": 365.25 / 7, "d": 365.25}
"""First letter of years, months, weeks and days -> how many make a year."""

_LAYOUT = (
    f"Official layout: {PICTURES}/CHNCXR_nnnn_k.png and {READINGS}/CHNCXR_nnnn_k.txt, unpacked from "
    f"{ARCHIVE}.zip of the National Library of Medicine (data.lhncbc.nlm.nih.gov)"
)


class Shenzhen:
    """The Shenzhen set: one picture is one study of one patient.

    The readings are not given as reports: they name the diagnosis, and many say no more than `normal`.
    """

    name = "shenzhen"
    source = (
        "Shenzhen chest X-ray set, Shenzhen No.3 People's Hospital, National Library of Medicine; Jaeger S, "
        "Candemir S, Antani S, et al. Quant Imaging Med Surg 2014;4(6):475-477."
    )
    licence = "Free for research; the National Library of Medicine asks to be named with hospital and paper."
    label_names = (LABEL,)
    has_reports = False
    label_noise = "Clinical diagnosis, as the last digit of a picture's name; no error rate is known."

    def __init__(self, root: Path | None, *, split_lists: str | None = None):
        """List the pictures.

        Args:
            root: the folder that holds `CXR_png`, or the one that holds `ChinaSet_AllFiles`.
            split_lists: folder with `train.txt`, `valid.txt` (or `val.txt`) and `test.txt`, such as the lists
                that REFERS used; None: no split.

        Raises:
            FileNotFoundError: the root or all its pictures are missing.
            ValueError: a picture stands in two lists.
        """
        root = find_root(root, NAME, _LAYOUT)
        self._root = root / ARCHIVE if (root / ARCHIVE).is_dir() else root
        self._pictures = list_pictures([self._root / PICTURES])
        if not self._pictures:
            raise FileNotFoundError(f"{NAME} folder {self._root / PICTURES} holds no picture. {_LAYOUT}.")
        splits = {} if split_lists is None else read_split_lists(Path(split_lists), NAME)
        self._splits = {os.path.splitext(name)[0]: split for name, split in splits.items()}
        check_lists(self._splits, self._pictures, Path(split_lists or "."), NAME)
        has_train = not splits or "train" in splits.values()
        self._otherwise = "" if has_train else "train"

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._pictures)

    def __iter__(self) -> Iterator[Study]:
        """Yield the pictures by name."""
        for stem, path in self._pictures.items():
            found = re.fullmatch(r"CHNCXR_\d+_([01])", stem)
            view = file_view(
                self._root,
                f"{PICTURES}/{path.name}",
                view_id=stem,
                position="FRONTAL",
                refused="" if found else "the name is not CHNCXR_nnnn_0 or CHNCXR_nnnn_1",
            )
            sex, age = read_sex_and_age(self._reading(stem))
            yield Study(
                study_id=stem,
                patient_id=stem,
                views=(view,),
                labels={LABEL: float(found[1]) if found else math.nan},
                sex=sex,
                age=age,
                split=self._splits.get(stem, self._otherwise),
            )

    def _reading(self, stem: str) -> str:
        path = self._root / READINGS / f"{stem}.txt"
        return read_text(path) if path.is_file() else ""


def read_sex_and_age(reading: str) -> tuple[str, float]:
    """Return sex ("M", "F" or "") and age (years or NaN) from the head of a clinical reading.

    Args:
        reading: such as `male 45yrs`, `Female, 31 yrs.`, `femal 32yr`, `male16month`, then the findings.
    """
    lines = [line.strip().lower() for line in reading.splitlines() if line.strip()]
    head = lines[0] if lines else ""
    word = re.search(r"(?<![a-z0-9])(f[a-z]*|ma?l[a-z]*|m(?![a-z]))", head)
    sex = "" if word is None else "F" if word[0].startswith("f") else "M"
    # Findings are numbered too: on the second line only an age alone counts.
    found = re.search(r"(\d+)\s*-?\s*([ymwd]?)", head)
    if found is None and len(lines) > 1:
        found = re.fullmatch(r"(\d+)\s*-?\s*([ymwd])[a-z]*\.?", lines[1])
    if found is None:
        return sex, math.nan
    years = int(found[1]) / _UNITS[found[2] or "y"]
    return sex, years if years <= OLDEST else math.nan
