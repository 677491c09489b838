"""The tables of VinBigData: what each radiologist said of each picture, and how large the originals are."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.data.readers.official import find_file
from lib.data.readers.tables import numbers, read_table, require_ids

NAME = "VinBigData"
TABLE = "train.csv"
SIZES = ("train_meta.csv", "test_meta.csv")
BOXES = "annotations_{split}.csv"
IMAGE_LABELS = "image_labels_{split}.csv"
CORNERS = ("x_min", "y_min", "x_max", "y_max")
NO_FINDING = "No finding"
CONSENSUS = "consensus"
"""The reader of PhysioNet's test pictures: five radiologists who agreed."""

# In the order of the lists that the REFERS authors published.
LABELS = (
    "Aortic enlargement",
    "Atelectasis",
    "Pneumothorax",
    "Lung Opacity",
    "Pleural thickening",
    "ILD",
    "Pulmonary fibrosis",
    "Calcification",
    "Pleural effusion",
    "Consolidation",
    "Cardiomegaly",
    "Other lesion",
    "Nodule/Mass",
    "Infiltration",
)
# Of PhysioNet alone; the last five are judged on the whole picture and have no boxes.
FURTHER_LABELS = (
    "Clavicle fracture",
    "Edema",
    "Emphysema",
    "Enlarged PA",
    "Lung cavity",
    "Lung cyst",
    "Mediastinal shift",
    "Rib fracture",
    "COPD",
    "Lung tumor",
    "Pneumonia",
    "Tuberculosis",
    "Other diseases",
)
OTHER_NAMES = {"Other disease": "Other diseases"}
"""Names in the table of PhysioNet's test pictures -> names in that of its training pictures."""

LAYOUT = (
    f"Official layouts: {TABLE} and train/*.dicom (kaggle.com/c/vinbigdata-chest-xray-abnormalities-detection"
    "; copies as PNG may need its table), or annotations/, train/ and test/ (physionet.org/content/vindr-cxr)"
)


class Mark(NamedTuple):
    """What one reader said of one picture; corners in pixels of the original, NaN where there is no box."""

    image: str
    split: str
    reader: str
    finding: str
    is_box: bool
    x0: float
    y0: float
    x1: float
    y1: float


def read_boxes(path: Path, split: str, names: Sequence[str], reader: str | None = None) -> pd.DataFrame:
    """Read a row per box into a table with the columns of `Mark`.

    Args:
        path: the table.
        split: of its pictures.
        names: of the findings that may occur.
        reader: of all rows; None: the table says.

    Raises:
        ValueError: no such table, an unknown finding or a corner that is no number.
    """
    columns = ("image_id", "class_name", *CORNERS, *(() if reader else ("rad_id",)))
    # The test pictures of PhysioNet may all be normal.
    table = read_table(path, columns, NAME, may_be_empty=bool(split))
    require_ids(table, ("image_id", *(() if reader else ("rad_id",))), path, NAME)
    findings = table["class_name"].replace(OTHER_NAMES)
    unknown = (~findings.isin([*names, NO_FINDING])).to_numpy()
    if unknown.any():
        row = int(unknown.argmax())
        raise ValueError(f"{NAME} table {path}, row {row + 1}: unknown class {findings[row]!r}.")
    corners = numbers(table, CORNERS, path, NAME)
    return _marks(
        table["image_id"], split, reader or table["rad_id"], findings, findings != NO_FINDING, corners
    )


def read_physionet(folder: Path, split: str) -> pd.DataFrame:
    """Read the labels of whole pictures, then the boxes, into a table with the columns of `Mark`.

    Test pictures have one reader, the consensus.

    Raises:
        FileNotFoundError: a table is missing.
        ValueError: a table without a column it needs, or with a cell that makes no sense.
    """
    names = (*LABELS, *FURTHER_LABELS)
    reader = CONSENSUS if split == "test" else None
    path = find_file(folder, (IMAGE_LABELS.format(split=split),), NAME, LAYOUT)
    table = read_table(path, ("image_id", *LABELS, *(() if reader else ("rad_id",))), NAME)
    require_ids(table, ("image_id", *(() if reader else ("rad_id",))), path, NAME)
    table = table.rename(columns=OTHER_NAMES)
    absent = [name for name in names if name not in table.columns]
    if absent:
        raise ValueError(f"{NAME} table {path} has no column {absent[0]!r}. Download it again.")
    values = numbers(table, names, path, NAME).fillna(0.0).to_numpy()
    if wrong := np.argwhere((values != 0) & (values != 1)).tolist():
        row, column = wrong[0]
        raise ValueError(
            f"{NAME} table {path}, row {row + 1}: {names[column]} is {values[row, column]:g}, not 0 or 1."
        )
    rows, columns = values.nonzero()
    findings = [NO_FINDING] * len(table) + [names[column] for column in columns]
    # Each row also says that its reader saw the picture, which counts for a majority.
    rows = np.append(np.arange(len(table)), rows)
    seen = table.iloc[rows].reset_index(drop=True)
    labels = _marks(seen["image_id"], split, reader or seen["rad_id"], findings, False, None)
    path = find_file(folder, (BOXES.format(split=split),), NAME, LAYOUT)
    return pd.concat([labels, read_boxes(path, split, names, reader)])


def read_sizes(root: Path, table: Path | None) -> dict[str, tuple[float, float]]:
    """Return image id -> width and height of the original, where a table knows them.

    Args:
        root: the folder that may hold `train_meta.csv` and `test_meta.csv` (dim0 is the height).
        table: the table of boxes that may have columns width and height.

    Raises:
        ValueError: a size that is no number above 0.
    """
    sources = [(root / name, ("dim1", "dim0")) for name in SIZES if (root / name).is_file()]
    if table is not None:
        sources.append((table, ("width", "height")))
    found: dict[str, tuple[float, float]] = {}
    for path, columns in sources:
        text = read_table(path, ("image_id", *(() if path == table else columns)), NAME)
        if not {*columns} <= {*text.columns}:
            continue  # the table of boxes has sizes in some copies alone
        sizes = numbers(text, columns, path, NAME)
        wrong = (~((sizes > 0) & np.isfinite(sizes)).all(axis=1)).to_numpy()
        if wrong.any():
            raise ValueError(f"{NAME} table {path}, row {int(wrong.argmax()) + 1}: a size is missing or 0.")
        found.update(zip(text["image_id"], sizes.itertuples(index=False, name=None), strict=True))
    return found


def _marks(images, split, readers, findings, is_box, corners: pd.DataFrame | None) -> pd.DataFrame:
    marks = pd.DataFrame({"image": images, "split": split, "reader": readers, "finding": findings})
    marks["is_box"] = is_box
    for name, column in zip(("x0", "y0", "x1", "y1"), CORNERS, strict=True):
        marks[name] = np.nan if corners is None else corners[column]
    return marks
