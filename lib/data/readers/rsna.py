"""Reader for the RSNA Pneumonia Detection Challenge: NIH radiographs with radiologists' boxes of opacities.

Official layout: `stage_2_train_labels.csv` (a row per box), `stage_2_detailed_class_info.csv` and
`stage_2_train_images/<patientId>.dcm`; the files of the first stage are named `stage_1_*`. The test pictures
of the challenge have no published labels. With `pneumonia-challenge-dataset-mappings_2018.json` (from the
pages of the RSNA) beside them, pictures of one patient are known as such.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.data.readers.official import file_view, find_file, find_root, list_pictures
from lib.data.readers.tables import numbers, read_table, require_ids
from lib.data.study import Box, Study

NAME = "RSNA Pneumonia"
STAGES = ("stage_2", "stage_1")
BOXES = "train_labels.csv"
CLASSES = "detailed_class_info.csv"
IMAGE_FOLDERS = ("train_images", "train_images_jpg")
"""The second is a well-known copy as JPEG."""
MAPPINGS = "pneumonia-challenge-dataset-mappings_2018.json"
FRAME = (1024.0, 1024.0)
"""Size of all pictures when they were marked."""
READER = "consensus"

OPACITY, NOT_NORMAL, NORMAL = LABELS = ("Lung Opacity", "No Lung Opacity / Not Normal", "Normal")

_LAYOUT = (
    f"Official layout: stage_2_{BOXES}, stage_2_{CLASSES} and stage_2_{IMAGE_FOLDERS[0]}/*.dcm "
    "(kaggle.com/c/rsna-pneumonia-detection-challenge)"
)


class _Row(NamedTuple):
    image: str
    is_opaque: bool
    x: float
    y: float
    width: float
    height: float


class RSNA:
    """The challenge as studies of one radiograph each; what its tables call a patient is a picture."""

    name = "rsna"
    source = (
        "RSNA Pneumonia Detection Challenge 2018 (kaggle.com/c/rsna-pneumonia-detection-challenge), pictures "
        "of NIH ChestX-ray14; Shih G, Wu CC, Halabi SS, et al. Radiol Artif Intell 2019;1(1):e180041."
    )
    licence = (
        "Pictures: no restriction on use, name the NIH Clinical Center; annotations: terms of the RSNA, "
        "non-commercial research and education"
    )
    label_names = LABELS
    has_reports = False
    label_noise = (
        "Radiologists marked opacities that may be pneumonia on the picture alone, without history or "
        "laboratory; an opacity of another cause is marked as well. Boxes of several readers were merged."
    )

    def __init__(self, root: Path | None):
        """Read the tables.

        Args:
            root: the folder that holds the official files.

        Raises:
            FileNotFoundError: the root or the table of boxes is missing.
            ValueError: a table without a column it needs or with a cell that makes no sense, or two tables
                that contradict each other.
        """
        self._root = find_root(root, NAME, _LAYOUT)
        path = find_file(self._root, [f"{stage}_{BOXES}" for stage in STAGES], NAME, _LAYOUT)
        self._stage = path.name[: len(STAGES[0])]
        rows = _read_boxes(path)
        self._rows = rows.iloc[np.argsort(pd.factorize(rows["image"])[0], kind="stable")]
        self._classes = _read_classes(self._root / f"{self._stage}_{CLASSES}")
        self._check_classes()
        self._patients = _read_patients(self._root / MAPPINGS)
        self._pictures = list_pictures(
            [self._root / f"{self._stage}_{folder}" for folder in IMAGE_FOLDERS],
            (".dcm", ".png", ".jpg", ".jpeg"),
        )

    def __len__(self) -> int:
        """Return the number of pictures in the table of boxes."""
        return self._rows["image"].nunique()

    def __iter__(self) -> Iterator[Study]:
        """Yield the pictures in the order of the table of boxes."""
        rows = map(_Row._make, self._rows.itertuples(index=False, name=None))
        for image, group in itertools.groupby(rows, key=lambda row: row.image):
            yield self._study(image, list(group))

    def _study(self, image: str, rows: Sequence[_Row]) -> Study:
        view = file_view(
            self._root,
            f"{self._stage}_{IMAGE_FOLDERS[0]}/{image}.dcm",
            view_id=image,
            found=self._pictures.get(image),
            position="FRONTAL",  # PA or AP stands in the files alone
            box_frame=FRAME,
        )
        boxes = (
            Box(
                view_id=image,
                finding=OPACITY,
                x0=row.x,
                y0=row.y,
                x1=row.x + row.width,
                y1=row.y + row.height,
                reader=READER,
            )
            for row in rows
            if row.is_opaque
        )
        return Study(
            study_id=image,
            patient_id=self._patients.get(image, image),
            views=(view,),
            labels=self._labels(image, rows[0].is_opaque),
            boxes=tuple(boxes),
        )

    def _labels(self, image: str, is_opaque: bool) -> dict[str, float]:
        """Return the three labels, of which exactly one is present; without a class some are not known."""
        kind = OPACITY if is_opaque else self._classes.get(image)
        if kind is None:
            return {OPACITY: 0.0, NOT_NORMAL: float("nan"), NORMAL: float("nan")}
        return {label: float(label == kind) for label in LABELS}

    def _check_classes(self) -> None:
        for image, is_opaque in zip(self._rows["image"], self._rows["is_opaque"], strict=True):
            kind = self._classes.get(image)
            if kind is not None and (kind == OPACITY) != is_opaque:
                raise ValueError(
                    f"{NAME} picture {image} has Target {int(is_opaque)} in {self._stage}_{BOXES} and is "
                    f"{kind!r} in {self._stage}_{CLASSES}: these are two versions. Download both again."
                )


def _read_boxes(path: Path) -> pd.DataFrame:
    """Read a row per box, or per picture without one, into a table with the columns of `_Row`."""
    corners = ("x", "y", "width", "height")
    table = read_table(path, ("patientId", *corners, "Target"), NAME)
    require_ids(table, ("patientId",), path, NAME)
    values = numbers(table, (*corners, "Target"), path, NAME)
    target = values["Target"]
    for wrong, what in (
        (~target.isin([0, 1]), "Target is neither 0 nor 1"),
        ((target == 0) & values[list(corners)].notna().any(axis=1), "a box with Target 0"),
    ):
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise ValueError(f"{NAME} table {path}, row {row + 1}: {what}. Download it again.")
    rows = pd.DataFrame({"image": table["patientId"], "is_opaque": target == 1})
    mixed = rows.groupby("image")["is_opaque"].nunique()
    if (mixed > 1).any():
        raise ValueError(f"{NAME} table {path}: {mixed.idxmax()} has Target 0 and 1. Download it again.")
    return rows.join(values[list(corners)])


def _read_classes(path: Path) -> dict[str, str]:
    """Return picture -> class; the table repeats a row for each box, and an absent table has none."""
    if not path.is_file():
        return {}
    table = read_table(path, ("patientId", "class"), NAME)
    classes: dict[str, str] = {}
    for row, (image, kind) in enumerate(zip(table["patientId"], table["class"], strict=True), start=1):
        if kind not in LABELS:
            raise ValueError(f"{NAME} table {path}, row {row}: unknown class {kind!r}.")
        if classes.setdefault(image, kind) != kind:
            raise ValueError(f"{NAME} table {path}, row {row}: {image} is {classes[image]!r} as well.")
    return classes


def _read_patients(path: Path) -> dict[str, str]:
    """Return picture -> patient as NIH ChestX-ray14 numbers them, where the mapping is there."""
    if not path.is_file():
        return {}
    try:
        rows = json.loads(path.read_text("utf-8-sig"))
        pairs = [(row["subset_img_id"], row["img_id"].split("_")[0]) for row in rows]
        if nameless := [image for image, patient in pairs if not patient]:
            raise ValueError(f"{nameless[0]} has no patient")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{NAME} file {path} is no list of subset_img_id and img_id ({error!r}). Download it again."
        ) from error
    return dict(pairs)
