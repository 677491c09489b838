"""Reader for MURA: radiographs of the upper limb, each study normal or abnormal.

Official layout, `MURA-v1.1`: `train_image_paths.csv`, `train_labeled_studies.csv`, both for `valid` too, all
without a header, and `train/XR_WRIST/patient00001/study1_positive/image1.png`. The test set is not public.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from lib.data.readers.official import (
    check_valid_as,
    file_view,
    find_file,
    find_root,
    list_pictures,
)
from lib.data.readers.rows import find_folder, find_rows, group_rows, split_paths
from lib.data.readers.tables import numbers, read_table
from lib.data.study import Study

NAME = "MURA"
FOLDERS = ("MURA-v1.1", "MURA-v1.1/MURA-v1.1")
PICTURES = "{}_image_paths.csv"
STUDIES = "{}_labeled_studies.csv"
SPLITS = {"train": "train", "valid": "validation"}
"""Folder, and first word of the tables, -> split."""

PARTS = ("XR_ELBOW", "XR_FINGER", "XR_FOREARM", "XR_HAND", "XR_HUMERUS", "XR_SHOULDER", "XR_WRIST")
LABEL = "Abnormal"

_STUDY = (
    r"(?:.*/)?(?P<folder>train|valid)/"
    rf"(?P<part>{'|'.join(PARTS)})/(?P<patient>patient\d+)/(?P<study>study\w+)/"
)
_STUDY_PATH = re.compile(_STUDY + "?")
_PICTURE_PATH = re.compile(_STUDY + r"(?P<file>[^/\\]+\.\w+)")
_STUDY_SHAPE = "MURA-v1.1/train/XR_WRIST/patient00001/study1_positive/"
_LAYOUT = (
    f"Official layout: MURA-v1.1 with {PICTURES.format('train')}, {STUDIES.format('train')}, "
    f"{PICTURES.format('valid')}, {STUDIES.format('valid')}, train/ and valid/, from "
    "stanfordmlgroup.github.io/competitions/mura; give that folder or the one that holds it"
)


class MURA:
    """MURA as studies of one body part with all their views; the study id starts with the part.

    The projections are not published, so positions are unknown.
    """

    name = "mura"
    source = (
        "Stanford University, MURA v1.1 (stanfordmlgroup.github.io/competitions/mura); Rajpurkar P, Irvin J, "
        "Bagul A, et al. MURA. MIDL 2018, arXiv 1712.06957."
    )
    licence = "Stanford University MURA Research Use Agreement: non-commercial research, no passing on"
    label_names = (LABEL,)
    has_reports = False
    label_noise = (
        "One radiologist per study, in the course of clinical work; a label is of the study, so single views "
        "of an abnormal one may show nothing."
    )

    def __init__(self, root: Path | None, *, valid_as: str = "validation"):
        """Read the tables.

        Args:
            root: the folder that holds the tables, or the folder around it.
            valid_as: what the official validation set is here: "validation", or "test", as in ConVIRT; then
                a validation set is drawn from the training patients.

        Raises:
            FileNotFoundError: the root or a table is missing.
            ValueError: a path or a label that makes no sense, or a study with two labels.
        """
        check_valid_as(valid_as, NAME)
        self._splits = {**SPLITS, "valid": valid_as}
        root = find_root(root, NAME, _LAYOUT)
        self._root = find_folder(root, FOLDERS, PICTURES.format("train"), NAME, _LAYOUT)
        studies = [_read_studies(self._root, folder) for folder in SPLITS]
        pictures = pd.concat([_read_pictures(self._root, folder) for folder in SPLITS], ignore_index=True)
        labelled = pd.concat(studies, ignore_index=True)
        # A study of one table alone counts too: ingest drops one without pictures, a label may be unknown.
        names = pd.Index(pd.concat([labelled["key"], pictures["key"]]).drop_duplicates())
        self._studies = group_rows(pictures["key"], names)
        self._files = pictures["file"].to_numpy(object)
        self._labels = np.full(len(names), np.nan)
        self._labels[: len(labelled)] = labelled["label"]

    def __len__(self) -> int:
        """Return the number of studies in the tables."""
        return len(self._studies)

    def __iter__(self) -> Iterator[Study]:
        """Yield the studies in the order of the tables: train, then validation."""
        for (key, rows), label in zip(self._studies, self._labels.tolist(), strict=True):
            folder, study_id = key.split("/", 1)
            found = list_pictures([self._root / key]) if len(rows) else {}
            stems = [file.rsplit(".", 1)[0] for file in self._files[rows]]
            yield Study(
                study_id=study_id,
                patient_id=study_id.split("/")[1],
                views=tuple(
                    file_view(
                        self._root, f"{key}/{file}", view_id=f"{study_id}/{stem}", found=found.get(stem)
                    )
                    for file, stem in zip(self._files[rows], stems, strict=True)
                ),
                labels={LABEL: label},
                split=self._splits[folder],
            )


def _read_pictures(root: Path, folder: str) -> pd.DataFrame:
    """Return `key` (the folder of the study) and `file` of each picture."""
    path = find_file(root, (PICTURES.format(folder),), NAME, _LAYOUT)
    table = read_table(path, ("path",), NAME, names=["path"])
    parts = split_paths(table["path"], _PICTURE_PATH, f"{_STUDY_SHAPE}image1.png", path, NAME)
    return pd.DataFrame({"key": _keys(parts), "file": parts["file"]})


def _read_studies(root: Path, folder: str) -> pd.DataFrame:
    """Return `key` and `label` (1 or 0) of each study."""
    path = find_file(root, (STUDIES.format(folder),), NAME, _LAYOUT)
    table = read_table(path, ("study", "label"), NAME, names=["study", "label"])
    keys = _keys(split_paths(table["study"], _STUDY_PATH, _STUDY_SHAPE, path, NAME))
    find_rows(keys.rename("study"), (), path, NAME)  # a study stands there once
    labels = numbers(table, ("label",), path, NAME)["label"]
    wrong = ~labels.isin([0, 1]).to_numpy(bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"{NAME} table {path}, row {row + 1}: label is {table['label'].iloc[row]!r}, not 0 or 1. "
            "Download it again."
        )
    return pd.DataFrame({"key": keys, "label": labels})


def _keys(parts: pd.DataFrame) -> pd.Series:
    return parts["folder"] + "/" + parts["part"] + "/" + parts["patient"] + "/" + parts["study"]
