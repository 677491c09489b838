"""Reader for the COVID-19 Image Data Collection (ieee8023/covid-chestxray-dataset).

Official layout: `metadata.csv`, `images/` (`volumes/` holds CT) and, where somebody fetched them, boxes of
the lungs in `annotations/`. The table changed over time: it began with `Patientid` and neither `modality` nor
`folder`, got both, and later turned findings into paths (`Pneumonia/Viral/COVID-19`).
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from lib.data.covid_findings import COVID_LABELS, labels_from_findings, unknown_finding
from lib.data.readers.official import (
    check_lists,
    file_view,
    find_file,
    find_root,
    list_pictures,
    read_split_lists,
)
from lib.data.readers.tables import list_columns, read_table, require_ids
from lib.data.study import Box, Study, View

NAME = "COVID-19 Image Data Collection"
METADATA = "metadata.csv"
BOXES = (
    "annotations/lung_bounding_boxes.json",
    "annotations/imageannotation_ai_lung_bounding_boxes.json",
)
LUNGS = ("Right Lung", "Left Lung")
OLDEST = 120  # years; what is above is a slip of the keyboard


_CT_VIEWS = ("ct", "axial", "coronal", "sagittal")
_LAYOUT = (
    f"Official layout: {METADATA} and images/, from github.com/ieee8023/covid-chestxray-dataset; optional "
    f"{BOXES[0]}"
)


class COVID19:
    """The COVID-19 Image Data Collection: a study is a patient on a day, or one picture of an unknown day.

    The notes of the table are not read as reports: most of them name the diagnosis.
    """

    name = "covid19"
    source = (
        "COVID-19 Image Data Collection, radiographs of COVID-19 and other pneumonias from papers; Cohen "
        "JP, Morrison P, Dao L, et al. arXiv 2006.11988."
    )
    licence = (
        "Each picture has its own, in the column license of metadata.csv; together: non-commercial research."
    )
    label_names = COVID_LABELS
    has_reports = False
    label_noise = (
        "Diagnoses as the source papers give them, for the patient rather than for the picture; no error "
        "rate is known. Viral and bacterial stay unknown where the cause is not told."
    )

    def __init__(self, root: Path | None, *, split_lists: str | None = None):
        """Read the table and the boxes.

        Args:
            root: the folder that holds the official files.
            split_lists: folder with `train.txt`, `val.txt`, `test.txt`, such as the lists that REFERS used;
                a study whose pictures they divide becomes one study for each split. They list CT slices too,
                which are refused here.

        Raises:
            FileNotFoundError: the root or an official file is missing.
            ValueError: a table without a column it needs, or with a cell that makes no sense.
        """
        self._root = find_root(root, NAME, _LAYOUT)
        path = find_file(self._root, (METADATA,), NAME, _LAYOUT)
        self._table = _read_metadata(path)
        self._check(path)
        self._frames, self._boxes = _read_boxes(self._root)
        self._pictures = list_pictures([self._root / "images"])
        self._names = set(self._table["filename"])
        self._splits = {} if split_lists is None else read_split_lists(Path(split_lists), NAME)
        check_lists(self._splits, self._names, Path(split_lists or "."), NAME)
        has_train = not self._splits or "train" in self._splits.values()
        self._otherwise = "" if has_train else "train"
        self._studies = self._group()

    def __len__(self) -> int:
        """Return the number of studies."""
        return len(self._studies)

    def __iter__(self) -> Iterator[Study]:
        """Yield the studies in the order of their first rows."""
        for study_id, rows in self._studies.items():
            part = self._table.iloc[rows]
            first = part.iloc[0]
            views = tuple(
                self._view(*row)
                for row in zip(
                    *(part[key] for key in ("folder", "filename", "view", "modality")), strict=True
                )
            )
            yield Study(
                study_id=study_id,
                patient_id=first["patientid"],
                views=views,
                labels=labels_from_findings(part["finding"]),
                boxes=tuple(
                    box for name in dict.fromkeys(part["filename"]) for box in self._boxes.get(name, ())
                ),
                sex=first["sex"] if first["sex"] in ("M", "F") else "",
                age=_years(first["age"]),
                split=self._split(first["filename"]),
            )

    def _group(self) -> dict[str, list[int]]:
        """Return study id -> rows of its pictures."""
        found: dict[str, dict[str, list[int]]] = {}
        columns = (self._table[key] for key in ("patientid", "offset", "filename"))
        for row, (patient, day, file) in enumerate(zip(*columns, strict=True)):
            is_known = re.fullmatch(r"-?\d+(\.\d+)?", day) is not None
            name = f"{patient}_day{day}" if is_known else f"{patient}_{file}"
            found.setdefault(name, {}).setdefault(self._split(file), []).append(row)
        studies = {}
        for name, parts in found.items():
            for split, rows in parts.items():
                studies[name if len(parts) == 1 else f"{name}_{split or 'unlisted'}"] = rows
        return studies

    def _split(self, file: str) -> str:
        return self._splits.get(file, self._otherwise)

    def _view(self, folder: str, file: str, view: str, modality: str) -> View:
        twin = self._pictures.get(file.rsplit(".", 1)[0])
        if twin is not None and twin.name != file and twin.name in self._names:
            twin = None  # another row's picture: some names differ by their ending alone
        return file_view(
            self._root,
            f"{folder or 'images'}/{file}",
            view_id=file,
            found=twin,
            refused=_refusal(modality, view),
            position=_position(view),
            box_frame=self._frames.get(file),
        )

    def _check(self, path: Path) -> None:
        require_ids(self._table, ("patientid", "filename"), path, NAME)
        for row, finding in enumerate(self._table["finding"], start=1):
            if term := unknown_finding(finding):
                raise ValueError(
                    f"{NAME} table {path}, row {row}: unknown finding {term!r}. Correct it, or add it to "
                    "FINDINGS in lib/data/covid_findings.py."
                )


def _position(view: str) -> str:
    """Return the position of `AP`, `AP Supine`, `AP semi erect`, `PA`, `L`."""
    first = view.upper().split(" ")[0]
    return {"PA": "PA", "AP": "AP", "L": "LATERAL"}.get(first, "UNKNOWN")


def _refusal(modality: str, view: str) -> str:
    if modality and modality.lower() != "x-ray":
        return f"modality {modality}"
    return "modality CT" if view.lower() in _CT_VIEWS else ""  # the first tables have no modality


def _years(age: str) -> float:
    years = float(age) if re.fullmatch(r"\d+(\.\d+)?", age) else math.nan
    return years if years <= OLDEST else math.nan


def _read_metadata(path: Path) -> pd.DataFrame:
    """Read any version of the table, with the column names of the last one."""
    table = read_table(path, ("finding", "view", "filename"), NAME)
    table = table.rename(columns={"Patientid": "patientid"})
    for column in ("patientid", "offset"):
        if column not in table.columns:
            raise ValueError(
                f"{NAME} table {path} has no column {column!r} (found: {list_columns(table)}). "
                "Download it again."
            )
    for column in ("modality", "folder", "sex", "age"):
        if column not in table.columns:
            table[column] = ""
    columns = ["patientid", "offset", "sex", "age", "finding", "view", "modality", "folder", "filename"]
    return table[columns].apply(lambda cells: cells.str.strip())


def _read_boxes(root: Path) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[Box, ...]]]:
    """Return the size of each picture that was marked, and its boxes, by file name (COCO format)."""
    path = next((root / name for name in BOXES if (root / name).is_file()), None)
    if path is None:
        return {}, {}
    frames: dict[str, tuple[float, float]] = {}
    boxes: dict[str, tuple[Box, ...]] = {}
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        names = {category["id"]: category["name"] for category in content["categories"]}
        images = {image["id"]: image for image in content["images"]}
        for mark in content["annotations"]:
            image = images[mark["image_id"]]
            file, frame = image["file_name"], (float(image["width"]), float(image["height"]))
            if min(frame) <= 0:
                raise ValueError(f"{file} is {frame[0]:g} x {frame[1]:g} pixels")
            x, y, width, height = (float(value) for value in mark["bbox"])
            box = Box(
                view_id=file, finding=names[mark["category_id"]], x0=x, y0=y, x1=x + width, y1=y + height
            )
            frames[file] = frame
            boxes[file] = (*boxes.get(file, ()), box)
    except (ValueError, KeyError, TypeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(
            f"{NAME} boxes {path} are not COCO annotations ({reason}). Download them again."
        ) from error
    return frames, boxes
