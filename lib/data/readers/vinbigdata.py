"""Reader for VinBigData (VinDr-CXR): frontal radiographs, each marked by three radiologists.

Layouts:

- Kaggle: `train.csv` (a row per box, or "No finding" per reader) and `train/<image_id>.dicom`;
- PNG or JPEG copies of it: `train.csv`, `train/<image_id>.png`, and the sizes of the originals, to which the
  boxes refer, as `train_meta.csv` (image_id, dim0 = height, dim1 = width) or as columns of `train.csv`;
- PhysioNet: `annotations/annotations_*.csv`, `annotations/image_labels_*.csv`, `train/` and `test/`.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lib.data.dicom import DICOM_SUFFIXES
from lib.data.readers.official import (
    PICTURE_SUFFIXES,
    check_lists,
    file_view,
    find_file,
    find_root,
    list_pictures,
    read_split_lists,
)
from lib.data.readers.vinbigdata_marks import (
    FURTHER_LABELS,
    IMAGE_LABELS,
    LABELS,
    LAYOUT,
    NAME,
    SIZES,
    TABLE,
    Mark,
    read_boxes,
    read_physionet,
    read_sizes,
)
from lib.data.study import Box, Study, View

RULES = ("union", "majority")
ORIGINALS_FIRST = tuple(sorted(PICTURE_SUFFIXES, key=lambda suffix: suffix not in DICOM_SUFFIXES))


class VinBigData:
    """VinBigData as studies of one radiograph each; which of them share a patient was not published.

    The label names are the 14 of the Kaggle table, and 13 more where the layout is PhysioNet's.
    """

    name = "vinbigdata"
    source = (
        "Vingroup Big Data Institute, VinDr-CXR (kaggle.com/c/vinbigdata-chest-xray-abnormalities-detection, "
        "physionet.org/content/vindr-cxr); Nguyen HQ, Lam K, Le LT, et al. VinDr-CXR: An open dataset of "
        "chest X-rays with radiologist's annotations. Sci Data 2022;9:429."
    )
    licence = (
        "Kaggle: rules of the competition, non-commercial research and education; PhysioNet: Credentialed "
        "Health Data License 1.5.0"
    )
    label_names = LABELS
    has_reports = False
    label_noise = (
        "Each picture was read by three radiologists apart, who often disagree: nodules or masses that one "
        "of them names (union, as REFERS took it) are twice as frequent as those that two name (majority)."
    )

    def __init__(
        self,
        root: Path | None,
        *,
        labels: str = "union",
        split_lists: str | None = None,
        full_size: bool = False,
    ):
        """Read the tables.

        Args:
            root: the folder that holds the official files.
            labels: "union": present where any reader of the picture names it; "majority": more than half.
            split_lists: folder with `train.txt`, `val.txt` and `test.txt`, such as the lists of REFERS;
                None: PhysioNet's own split, or none.
            full_size: PNG or JPEG copies have the size of the originals, so that boxes need no sizes.

        Raises:
            FileNotFoundError: the root or an official file is missing.
            ValueError: an unknown option, a table without a column it needs or with a cell that makes no
                sense, or copies of unknown scale.
        """
        if labels not in RULES:
            raise ValueError(f"{NAME} labels {labels!r} is not one of {', '.join(RULES)}.")
        self._is_union = labels == "union"
        self._root = find_root(root, NAME, LAYOUT)
        folders = [self._root / "annotations", self._root]
        physionet = next((f for f in folders if (f / IMAGE_LABELS.format(split="train")).is_file()), None)
        if physionet is None:
            table = find_file(self._root, (TABLE,), NAME, LAYOUT)
            marks = read_boxes(table, "", LABELS)
        else:
            table = None
            marks = pd.concat([read_physionet(physionet, split) for split in ("train", "test")])
            self.label_names = (*LABELS, *FURTHER_LABELS)
        # The rows of a picture are scattered over the table.
        self._marks = marks.iloc[np.argsort(pd.factorize(marks["image"])[0], kind="stable")]
        self._pictures = list_pictures([self._root / "train", self._root / "test"], ORIGINALS_FIRST)
        self._sizes = read_sizes(self._root, table)
        if not full_size:
            self._check_scales()
        lists = {} if split_lists is None else read_split_lists(Path(split_lists), NAME)
        self._splits = {name.rsplit(".", 1)[0]: split for name, split in lists.items()}
        check_lists(self._splits, self._marks["image"], Path(split_lists or "."), NAME)
        self._otherwise = "" if "train" in lists.values() else "train"

    def __len__(self) -> int:
        """Return the number of pictures in the tables."""
        return self._marks["image"].nunique()

    def __iter__(self) -> Iterator[Study]:
        """Yield the pictures in the order of the table."""
        marks = map(Mark._make, self._marks.itertuples(index=False, name=None))
        for image, group in itertools.groupby(marks, key=lambda mark: mark.image):
            yield self._study(image, list(group))

    def _study(self, image: str, marks: Sequence[Mark]) -> Study:
        num_readers = len({mark.reader for mark in marks})
        least = 1 if self._is_union else num_readers // 2 + 1
        votes = Counter(finding for finding, _ in {(mark.finding, mark.reader) for mark in marks})
        boxes = (
            Box(
                view_id=image,
                finding=mark.finding,
                x0=mark.x0,
                y0=mark.y0,
                x1=mark.x1,
                y1=mark.y1,
                reader=mark.reader,
            )
            for mark in marks
            if mark.is_box
        )
        return Study(
            study_id=image,
            patient_id=image,
            views=(self._view(image, marks[0].split or "train"),),
            labels={label: float(votes[label] >= least) for label in self.label_names},
            boxes=tuple(boxes),
            split=self._splits.get(image, self._otherwise) if self._splits else marks[0].split,
        )

    def _view(self, image: str, folder: str) -> View:
        size = self._sizes.get(image) if self._is_copy(image) else None
        return file_view(
            self._root,
            f"{folder}/{image}.dicom",
            view_id=image,
            found=self._pictures.get(image),
            position="PA",
            box_frame=size,
            aspect=None if size is None else size[0] / size[1],  # many copies were squeezed to squares
        )

    def _is_copy(self, image: str) -> bool:
        found = self._pictures.get(image)
        return found is not None and found.suffix.lower() not in DICOM_SUFFIXES

    def _check_scales(self) -> None:
        """Boxes refer to the originals: on a copy of unknown scale they would mark another place."""
        for image in self._marks.loc[self._marks["is_box"], "image"]:
            if self._is_copy(image) and image not in self._sizes:
                raise ValueError(
                    f"{NAME} picture {self._pictures[image]} is a copy, scaled nobody knows how, so its "
                    f"boxes have no place. Put {SIZES[0]} (image_id, dim0, dim1) into {self._root}, or "
                    "give full_size=True where the copies have the size of the originals."
                )
