"""Reader for a person's own table: one row per picture, described by a small YAML file such as this.

    table: studies.csv            # in the root folder; CSV, or TSV by its ending
    images: pictures              # folder that the names of pictures are relative to; else the root folder
    columns:
      image: file
      patient: patient_id
      study: visit                # rows that share it are views of one study; else each picture is a study
      position: view              # PA, AP, FRONTAL, LATERAL or UNKNOWN
      findings: findings_text
      impression: impression_text
      sex: sex
      age: age                    # years
      split: part                 # train, validation or test
    positions: {L: LATERAL}       # other texts of that column
    labels:
      Cardiomegaly: has_cardiomegaly    # 1, 0, or empty where not known
    boxes:                        # in pixels of the picture
      {table: boxes.csv, image: file, finding: what, x: left, y: top, width: w, height: h}

Only `table`, `columns.image` and `columns.patient` must be there.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from lib.data.readers.csv_description import CORNER_AND_SIZE, CORNERS, closest, read_description
from lib.data.readers.official import file_view, find_root
from lib.data.readers.tables import NOT_AN_ID, list_columns, read_table
from lib.data.study import POSITIONS, Box, Study, View

NAME = "Own table"
DESCRIPTIONS = ("dataset.yaml", "dataset.yml")
OLDEST = 120
SEXES = {"m": "M", "male": "M", "f": "F", "female": "F", "o": "", "other": "", "u": "", "unknown": "", "": ""}
SPLITS = {"validate": "validation", "valid": "validation", "val": "validation"} | {
    name: name for name in ("train", "validation", "test", "")
}
TRUTHS = {
    "1": 1.0,
    "1.0": 1.0,
    "true": 1.0,
    "0": 0.0,
    "0.0": 0.0,
    "false": 0.0,
    "": math.nan,
    "nan": math.nan,
}
_LAYOUT = f"The root is a folder with {DESCRIPTIONS[0]}, or that file itself; see lib/data/readers/csv.py"


class OwnTable:
    """A person's own table; `label_names`, `has_reports` and the origin are those of its description."""

    name = "csv"

    def __init__(self, root: Path | None, *, description: str | None = None):
        """Read the description and the tables, and check every cell.

        Args:
            root: the folder that tables and pictures are relative to, or a YAML file in it.
            description: YAML file to take for `dataset.yaml`, relative to the root folder.

        Raises:
            FileNotFoundError: the root, the description or a table is missing.
            ValueError: a description or a cell that makes no sense; names the key.
        """
        path = _find_description(root, description)
        self._root = path.parent if root is None or root.is_file() else root
        self._about = read_description(path)
        self.source, self.licence = self._about.source, self._about.licence
        self.label_noise = self._about.label_noise
        self.label_names = tuple(self._about.labels)
        self.has_reports = not {"findings", "impression"}.isdisjoint(self._about.columns)
        keys = {f"columns.{key}": column for key, column in self._about.columns.items()}
        keys |= {f"labels.{label}": column for label, column in self._about.labels.items()}
        self._table = self._read("table", self._about.table, keys)
        self._boxes = self._read_boxes()
        self._studies = self._group()
        for _ in self:  # a cell that makes no sense is found now, not in the middle of an ingest
            pass

    def __len__(self) -> int:
        """Return the number of studies."""
        return len(self._studies)

    def __iter__(self) -> Iterator[Study]:
        """Yield the studies in the order of their first rows."""
        for study_id, rows in self._studies.items():
            views = tuple(self._view(row) for row in rows if self._table["columns.image"][row])
            view_ids = dict.fromkeys(view.view_id for view in views)  # a picture may be listed twice
            patient, row = self._agreed("columns.patient", rows)
            if patient.lower() in NOT_AN_ID:  # else all such rows would be one patient
                what = "is no id" if patient else "is empty"
                raise self._cell_error("columns.patient", row, f"{what}; fill it in")
            age, row = self._agreed("columns.age", rows)
            yield Study(
                study_id=study_id,
                patient_id=patient,
                views=views,
                findings=self._agreed("columns.findings", rows)[0],
                impression=self._agreed("columns.impression", rows)[0],
                labels={label: self._one_of(f"labels.{label}", rows, TRUTHS) for label in self.label_names},
                boxes=tuple(box for name in view_ids for box in self._boxes.get(name, ())),
                sex=self._one_of("columns.sex", rows, SEXES),
                age=self._years(age, row),
                split=self._one_of("columns.split", rows, SPLITS),
            )

    def _read(self, key: str, file: str, columns: dict[str, str]) -> dict[str, list[str]]:
        """Return key -> stripped cells of its column."""
        path = self._root / file
        if not path.is_file():
            raise FileNotFoundError(f"Description {self._about.path}, key {key}: {path} does not exist.")
        try:
            separator = "\t" if ".tsv" in path.suffixes else ","
            table = read_table(path, (), NAME, separator=separator, may_be_empty=True)
        except ValueError as error:
            reason = str(error.__cause__ or error).strip().rstrip(".")
            what = f"{path} is no table with equal rows ({reason}); put texts that hold a comma in quotes"
            raise self._about.error(key, what) from error
        names = table.columns.tolist()
        for name, column in columns.items():
            if column not in names:
                hint = closest(column, names)
                missing = f"{path} has no column {column!r} (found: {list_columns(table)})"
                raise self._about.error(name, missing + (f".{hint}" if hint else ""))
            if (count := names.count(column)) > 1:
                raise self._about.error(name, f"{path} has {count} columns {column!r}; rename all but one")
        if key == "table" and not len(table):
            raise self._about.error(key, f"{path} has no rows below its header")
        return {name: table[column].str.strip().tolist() for name, column in columns.items()}

    def _group(self) -> dict[str, list[int]]:
        """Return study id -> its rows."""
        key = "columns.study" if "columns.study" in self._table else "columns.image"
        studies: dict[str, list[int]] = {}
        for row, name in enumerate(self._table[key]):
            if name.lower() in NOT_AN_ID:
                what = "is no id" if name else "is empty"
                raise self._cell_error(key, row, f"{what}; fill it in or remove the row")
            studies.setdefault(name, []).append(row)
        return studies

    def _agreed(self, key: str, rows: Sequence[int]) -> tuple[str, int]:
        """Return what the rows of a study say, and a row that says so; empty cells say nothing."""
        text, source = "", rows[0]
        if key not in self._table:
            return text, source
        for row in rows:
            cell = self._table[key][row]
            if cell and text and cell != text:
                raise self._cell_error(
                    key, row, f"differs from {text!r} in row {source + 1} of the same study"
                )
            if cell and not text:
                text, source = cell, row
        return text, source

    def _one_of(self, key: str, rows: Sequence[int], known: dict):
        text, row = self._agreed(key, rows)
        if text.lower() not in known:
            names = ", ".join(name for name in known if name)
            raise self._cell_error(key, row, f"is none of {names} and not empty")
        return known[text.lower()]

    def _years(self, text: str, row: int) -> float:
        if not text:
            return math.nan
        try:
            years = float(text)
        except ValueError:
            years = -1.0
        if not 0 <= years <= OLDEST:
            raise self._cell_error(
                "columns.age", row, f"is not in years, 0 to {OLDEST}; empty where not known"
            )
        return years

    def _view(self, row: int) -> View:
        name = self._table["columns.image"][row]
        position = "UNKNOWN"
        if "columns.position" in self._table and (text := self._table["columns.position"][row]):
            position = self._about.positions.get(text.lower(), text.upper())
            if position not in POSITIONS:
                known = ", ".join(POSITIONS)
                raise self._cell_error("columns.position", row, f"is none of {known}; see positions")
        return file_view(self._root / self._about.images, name, view_id=name, position=position)

    def _read_boxes(self) -> dict[str, tuple[Box, ...]]:
        """Return picture -> its boxes."""
        columns = {f"boxes.{key}": column for key, column in self._about.boxes.items() if key != "table"}
        if not columns:
            return {}
        table = self._read("boxes.table", self._about.boxes["table"], columns)
        corners = CORNERS if "boxes.x0" in columns else CORNER_AND_SIZE
        pictures = set(self._table["columns.image"])
        boxes: dict[str, tuple[Box, ...]] = {}
        for row, name in enumerate(table["boxes.image"]):
            if name not in pictures:
                raise self._cell_error("boxes.image", row, "is no picture of the table", table)
            values = []
            for key in corners:
                try:
                    values.append(float(table[f"boxes.{key}"][row]))
                except ValueError:
                    raise self._cell_error(f"boxes.{key}", row, "is not a number", table) from None
            x0, y0, x1, y1 = values
            if corners != CORNERS:
                x1, y1 = x0 + x1, y0 + y1
            reader = table["boxes.reader"][row] if "boxes.reader" in table else ""
            finding = table["boxes.finding"][row]
            if not finding:
                raise self._cell_error("boxes.finding", row, "is empty; fill it in or remove the row", table)
            box = Box(view_id=name, finding=finding, x0=x0, y0=y0, x1=x1, y1=y1, reader=reader or "R1")
            boxes[name] = (*boxes.get(name, ()), box)
        return boxes

    def _cell_error(
        self, key: str, row: int, what: str, table: dict[str, list[str]] | None = None
    ) -> ValueError:
        table = self._table if table is None else table
        return self._about.error(key, f"row {row + 1}: {table[key][row]!r} {what}")


def _find_description(root: Path | None, description: str | None) -> Path:
    if root is not None and root.is_file() and root.suffix in (".yaml", ".yml"):
        if description is not None:
            raise ValueError(
                f"{NAME} root {root} is a description already; give it or description, not both."
            )
        return root
    if root is None and description is not None:
        path = Path(description)
    else:
        root = find_root(root, NAME, _LAYOUT)
        names = DESCRIPTIONS if description is None else (description,)
        path = next((root / name for name in names if (root / name).is_file()), root / names[0])
    if not path.is_file():
        raise FileNotFoundError(f"{NAME} description {path} is missing. {_LAYOUT}.")
    return path
