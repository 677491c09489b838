"""Reader for CheXpert: chest radiographs of Stanford with labels that a labeller read from the reports.

Official layouts: `CheXpert-v1.0` or `CheXpert-v1.0-small` with `train.csv`, `valid.csv`, `train/` and
`valid/`; or the four unpacked batches of the full download. The test set was published later, with
CheXlocalize, as `test_labels.csv` and `test/`: put both there. Its table has labels alone, no sex, age or
projection.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.readers.official import check_valid_as, file_view, find_file, find_root, list_pictures
from lib.data.readers.rows import find_folder, group_rows, split_paths
from lib.data.readers.tables import numbers, read_table
from lib.data.readers.uncertainty import LabelPolicy
from lib.data.study import Study

NAME = "CheXpert"
BATCH_OF_TABLES = "CheXpert-v1.0 batch 1 (validate & csv)"
BATCHES = tuple(f"CheXpert-v1.0 batch {number + 1} (train {number})" for number in (1, 2, 3))
"""Folders of the full download; patients lie in them without a folder `train` between."""

FOLDERS = ("CheXpert-v1.0", "CheXpert-v1.0-small", BATCH_OF_TABLES)
TABLES = {"train": ("train.csv",), "validation": ("valid.csv",), "test": ("test.csv", "test_labels.csv")}
ABOUT = ("Sex", "Age", "Frontal/Lateral", "AP/PA")
SEXES = {"Female": "F", "Male": "M"}
OLDEST = 120
"""Ages above are none. Nor is 0, for the patients are adults: it stands where the age is unknown."""

_PATH = re.compile(
    r"(?:.*/)?(?P<folder>train|valid|test)/(?P<patient>patient\d+)/(?P<study>study\d+)/"
    r"(?P<file>view\d+_(?P<plane>frontal|lateral)\.\w+)"
)
_SHAPE = "CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg"
_LAYOUT = (
    "Official layout: CheXpert-v1.0 (or CheXpert-v1.0-small) with train.csv, valid.csv, train/ and valid/, "
    "from stanfordaimi.azurewebsites.net; give that folder or the one that holds it"
)


class CheXpert:
    """CheXpert as studies with all their views; the tables repeat the labels of a study for each view.

    Where rows of a study differ, a finding that one of them has is present.
    """

    name = "chexpert"
    source = (
        "Stanford University, CheXpert v1.0 (stanfordmlgroup.github.io/competitions/chexpert); Irvin J, "
        "Rajpurkar P, Ko M, et al. CheXpert. AAAI 2019."
    )
    licence = "Stanford University Dataset Research Use Agreement: non-commercial research, no passing on"
    label_names = CHEXPERT_LABELS
    has_reports = False
    label_noise = (
        "Training labels were read from reports by rules, never from the pictures; validation labels are the "
        "majority of three radiologists, test labels of five."
    )

    def __init__(
        self,
        root: Path | None,
        *,
        uncertain: str = "ignore",
        blank: str = "ignore",
        valid_as: str = "validation",
    ):
        """Read the tables.

        Args:
            root: the folder that holds `train.csv`, or the folder around it.
            uncertain: the label where a report is unsure: "ignore" (NaN), "zeros" or "ones".
            blank: the label where a report does not say: "ignore" (NaN) or "zeros".
            valid_as: what the official validation set is here: "validation", or "test", as in ConVIRT; then
                a validation set is drawn from the training patients, and the official test set, which is
                younger, is left out.

        Raises:
            FileNotFoundError: the root or a table is missing.
            ValueError: an unknown policy, or a table without a column it needs or with a cell that makes no
                sense.
        """
        check_valid_as(valid_as, NAME)
        policy = LabelPolicy(uncertain=uncertain, blank=blank)
        self.label_noise = f"{type(self).label_noise} {policy.describe()}"
        root = find_root(root, NAME, _LAYOUT)
        self._root = find_folder(root, FOLDERS, TABLES["train"][0], NAME, _LAYOUT)
        beside = (self._root.parent / name for name in BATCHES if self._root.name == BATCH_OF_TABLES)
        self._batches = [folder for folder in beside if folder.is_dir()]
        splits = self._splits() if valid_as == "validation" else ["train", "validation"]
        read = [_read_split(self._root, policy, split) for split in splits]
        tables, labels = zip(*read, strict=True)
        table = pd.concat(tables, ignore_index=True).replace({"split": {"validation": valid_as}})
        self._labels = np.concatenate(labels)  # float32 [rows, 14]
        self._studies = group_rows(table["patient"] + "/" + table["study"])
        # Columns as arrays of objects: an element of them costs far less than one of a table.
        self._columns = {name: table[name].to_numpy(object) for name in table.columns}

    def __len__(self) -> int:
        """Return the number of studies in the tables."""
        return len(self._studies)

    def __iter__(self) -> Iterator[Study]:
        """Yield the studies in the order of the tables: train, validation, test."""
        about = self._columns
        for study_id, rows in self._studies:
            first = rows[0]
            folder = f"{about['folder'][first]}/{study_id}"
            found = list_pictures([self._root / folder, *(batch / study_id for batch in self._batches)])
            views = []
            for file, position in zip(about["file"][rows], about["position"][rows], strict=True):
                stem = file.rsplit(".", 1)[0]
                view_id = f"{study_id}/{stem}"
                views.append(
                    file_view(
                        self._root,
                        f"{folder}/{file}",
                        view_id=view_id,
                        found=found.get(stem),
                        position=position,
                    )
                )
            labels = np.fmax.reduce(self._labels[rows]).tolist()  # NaN only where every row is
            yield Study(
                study_id=study_id,
                patient_id=about["patient"][first],
                views=tuple(views),
                labels=dict(zip(CHEXPERT_LABELS, labels, strict=True)),
                sex=about["sex"][first],
                age=float(about["age"][first]),
                split=about["split"][first],
            )

    def _splits(self) -> list[str]:
        """Return the splits to read: the test set is not part of the download, so it may be missing."""
        has_test = any((self._root / name).is_file() for name in TABLES["test"])
        return [split for split in TABLES if split != "test" or has_test]


def _read_split(root: Path, policy: LabelPolicy, split: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Return what the rows of a table say about pictures and patients, and their labels `[rows, 14]`."""
    path = find_file(root, TABLES[split], NAME, _LAYOUT)
    needed = () if split == "test" else ABOUT
    columns = ("Path", *needed, *CHEXPERT_LABELS)
    table = read_table(path, columns, NAME, may_be_empty=split != "train")
    parts = split_paths(table["Path"], _PATH, _SHAPE, path, NAME)
    planes = table["Frontal/Lateral"] if "Frontal/Lateral" in table else parts["plane"].str.capitalize()
    projections = table["AP/PA"] if "AP/PA" in table else [""] * len(table)
    parts["position"] = [_position(*pair) for pair in zip(planes, projections, strict=True)]
    parts["sex"] = [SEXES.get(sex, "") for sex in table["Sex"]] if "Sex" in table else ""
    parts["age"] = float("nan")
    if "Age" in table:
        ages = numbers(table, ("Age",), path, NAME)["Age"]
        parts["age"] = ages.where((ages > 0) & (ages <= OLDEST))
    parts["split"] = split
    return parts, policy.read(table, path, NAME)


def _position(plane: str, projection: str) -> str:
    """Join the two columns; LL and RL on a frontal radiograph contradict it, so nothing is known."""
    if plane == "Lateral":
        return "LATERAL"
    if plane != "Frontal" or projection not in ("AP", "PA", ""):
        return "UNKNOWN"
    return projection or "FRONTAL"
