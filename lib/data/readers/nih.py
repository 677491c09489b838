"""Reader for NIH ChestX-ray14: frontal radiographs with text-mined labels and radiologists' boxes.

Official layout: `Data_Entry_2017_v2020.csv` (or the older `Data_Entry_2017.csv`), `BBox_List_2017.csv`,
`train_val_list.txt`, `test_list.txt`, and the pictures in `images_001/images` to `images_012/images` or
together in `images`.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from lib.data.readers.official import (
    check_lists,
    file_view,
    find_file,
    find_root,
    list_pictures,
    read_split_lists,
    read_text,
)
from lib.data.readers.tables import numbers, read_table, require_ids
from lib.data.study import Box, Study

NAME = "NIH ChestX-ray14"
ENTRIES = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
COLUMNS = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "Patient Gender", "View Position")
BOXES = "BBox_List_2017.csv"
OFFICIAL_LISTS = {"train_val_list.txt": "train", "test_list.txt": "test"}
FRAME = (1024.0, 1024.0)
"""All pictures were scaled to this size before they were marked."""

OLDEST = 120
"""Ages above are slips of the keyboard; the table has some."""

# In the order of the lists that the REFERS authors published.
LABELS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
NO_FINDING = "No Finding"
OTHER_NAMES = {"Infiltrate": "Infiltration"}
"""Names in the table of boxes -> names of the labels."""

_LAYOUT = (
    f"Official layout: {ENTRIES[0]}, {BOXES}, train_val_list.txt, test_list.txt and images_001/images to "
    "images_012/images (or images/), from nihcc.app.box.com/v/ChestXray-NIHCC"
)


class NIH:
    """NIH ChestX-ray14 as studies of one radiograph each, as the set links none of the views of a visit."""

    name = "nih"
    source = (
        "NIH Clinical Center, ChestX-ray14 (nihcc.app.box.com/v/ChestXray-NIHCC); Wang X, Peng Y, Lu L, "
        "et al. ChestX-ray8. CVPR 2017."
    )
    licence = "No restriction on use; name the NIH Clinical Center as the provider and cite the paper"
    label_names = LABELS
    has_reports = False
    label_noise = (
        "Labels were mined from reports by rules, above 90 % right by the publishers' own account and less "
        "so by others'; what a report leaves unsaid counts as absent. Boxes were drawn by one radiologist."
    )

    def __init__(self, root: Path | None, *, split_lists: str | None = None):
        """Read the tables.

        Args:
            root: the folder that holds the official files.
            split_lists: folder with `val.txt` and `test.txt` (and `train.txt`), such as the lists that REFERS
                used; None: the official test list where it is there.

        Raises:
            FileNotFoundError: the root or an official file is missing.
            ValueError: a table without a column it needs, or with a cell that makes no sense.
        """
        self._root = find_root(root, NAME, _LAYOUT)
        path = find_file(self._root, ENTRIES, NAME, _LAYOUT)
        self._table = read_table(path, COLUMNS, NAME)
        require_ids(self._table, ("Image Index", "Patient ID"), path, NAME)
        self._check_labels(path)
        self._boxes = _read_boxes(self._root / BOXES)
        folders = [self._root / f"images_{number:03d}" / "images" for number in range(1, 13)]
        self._pictures = list_pictures([self._root / "images", *folders])
        if split_lists is None:
            self._splits = _read_official_lists(self._root)
            self._otherwise = ""
        else:
            self._splits = read_split_lists(Path(split_lists), NAME)
            check_lists(self._splits, self._table["Image Index"], Path(split_lists), NAME)
            has_train = "train" in self._splits.values()
            self._otherwise = "" if has_train else "train"

    def __len__(self) -> int:
        """Return the number of pictures in the table."""
        return len(self._table)

    def __iter__(self) -> Iterator[Study]:
        """Yield the pictures in the order of the table."""
        table = self._table
        for name, findings, patient, age, sex, position in zip(*(table[key] for key in COLUMNS), strict=True):
            stem = name.rsplit(".", 1)[0]
            present = set(findings.split("|"))
            view = file_view(
                self._root,
                f"images/{name}",
                view_id=stem,
                found=self._pictures.get(stem),
                position=position if position in ("PA", "AP") else "FRONTAL",
                box_frame=FRAME,
            )
            yield Study(
                study_id=stem,
                patient_id=patient.strip().zfill(8),
                views=(view,),
                labels={label: float(label in present) for label in LABELS},
                boxes=self._boxes.get(name, ()),
                sex=sex if sex in ("M", "F") else "",
                age=_years(age),
                split=self._splits.get(name, self._otherwise),
            )

    def _check_labels(self, path: Path) -> None:
        known = {*LABELS, NO_FINDING}
        for row, findings in enumerate(self._table["Finding Labels"], start=1):
            if unknown := set(findings.split("|")) - known:
                raise ValueError(f"{NAME} table {path}, row {row}: unknown finding {sorted(unknown)[0]!r}.")


def _years(age: str) -> float:
    """Read `58` or the older `058Y`; months and days are a child's first years."""
    found = re.fullmatch(r"0*(\d+)([YMD]?)", age.strip())
    if found is None:
        return float("nan")
    years = int(found[1]) / {"": 1, "Y": 1, "M": 12, "D": 365.25}[found[2]]
    return years if years <= OLDEST else float("nan")


def _read_boxes(path: Path) -> dict[str, tuple[Box, ...]]:
    """Read the boxes of each picture; the header has commas inside a name, so that columns are split."""
    if not path.is_file():
        return {}
    corner = ("Bbox [x", "y", "w", "h]")
    table = read_table(path, ("Image Index", "Finding Label", *corner), NAME, may_be_empty=True)
    boxes: dict[str, tuple[Box, ...]] = {}
    places = numbers(table, corner, path, NAME).itertuples(index=False, name=None)
    for name, finding, (x, y, width, height) in zip(
        table["Image Index"], table["Finding Label"], places, strict=True
    ):
        box = Box(
            view_id=name.rsplit(".", 1)[0],
            finding=OTHER_NAMES.get(finding, finding),
            x0=x,
            y0=y,
            x1=x + width,
            y1=y + height,
        )
        boxes[name] = (*boxes.get(name, ()), box)
    return boxes


def _read_official_lists(root: Path) -> dict[str, str]:
    splits: dict[str, str] = {}
    for path, split in ((root / file, split) for file, split in OFFICIAL_LISTS.items()):
        names = read_text(path).split() if path.is_file() else None
        if names == []:
            raise ValueError(f"{NAME} list {path} is empty. Download it again.")
        splits |= dict.fromkeys(names or (), split)
    return splits
