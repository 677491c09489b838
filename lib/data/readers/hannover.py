"""Reader for the Hannover COVID-19 image repository: radiographs of one hospital and their patients' course.

Official layout: `data.csv` and the pictures by their ids in `png/` (or, in copies, in `images/`).
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path

from lib.data.readers.official import file_view, find_file, find_root, list_pictures
from lib.data.readers.tables import numbers, read_table, require_ids
from lib.data.study import Study

NAME = "Hannover COVID-19"
TABLE = "data.csv"
FOLDERS = ("png", "images")
LABELS = ("COVID-19", "Intensive Care", "Death")
POSITIONS = {"pa": "PA", "ap": "AP"}
RADIOGRAPHS = ("CR", "DX")
"""DICOM modalities of radiographs, computed and digital."""

_COLUMNS = (
    "patient_id",
    "image_id",
    "sex",
    "age",
    "icu_admission_offset",
    "death_offset",
    "modality",
    "projection",
)
_LAYOUT = (
    f"Official layout: {TABLE} and png/ (or images/), from github.com/ml-workgroup/covid-19-image-repository"
)


class Hannover:
    """The Hannover repository: one picture is one study, since its day is known only roughly."""

    name = "hannover"
    source = (
        "COVID-19 Image Repository of Hannover Medical School; Winther HB, Laser H, Gerbel S, et al. doi "
        "10.6084/m9.figshare.12275009."
    )
    licence = "CC BY 3.0"
    label_names = LABELS
    has_reports = False
    label_noise = (
        "All patients have COVID-19. Intensive care and death are those of the patient, before a picture or "
        "after it; a patient without the entry counts as spared. No error rate is known."
    )

    def __init__(self, root: Path | None):
        """Read the table.

        Args:
            root: the folder that holds the official files.

        Raises:
            FileNotFoundError: the root or the table is missing.
            ValueError: a table without a column it needs, or with a cell that makes no sense.
        """
        self._root = find_root(root, NAME, _LAYOUT)
        path = find_file(self._root, (TABLE,), NAME, _LAYOUT)
        self._table = read_table(path, _COLUMNS, NAME)[list(_COLUMNS)].apply(lambda cells: cells.str.strip())
        require_ids(self._table, ("patient_id", "image_id"), path, NAME)
        offsets = numbers(self._table, ("icu_admission_offset", "death_offset"), path, NAME).notna()
        self._table[offsets.columns] = offsets.astype("float64")
        self._folder = next((name for name in FOLDERS if (self._root / name).is_dir()), FOLDERS[0])
        self._pictures = list_pictures([self._root / self._folder])

    def __len__(self) -> int:
        """Return the number of pictures in the table."""
        return len(self._table)

    def __iter__(self) -> Iterator[Study]:
        """Yield the pictures in the order of the table."""
        for row in self._table.itertuples(index=False, name=None):
            patient, image, sex, age, intensive, death, modality, projection = row
            view = file_view(
                self._root,
                f"{self._folder}/{image}.png",
                view_id=image,
                found=self._pictures.get(image),
                refused="" if modality in RADIOGRAPHS else f"modality {modality or 'not given'}",
                position=POSITIONS.get(projection.lower(), "UNKNOWN"),
            )
            yield Study(
                study_id=image,
                patient_id=patient,
                views=(view,),
                labels=dict(zip(LABELS, (1.0, intensive, death), strict=True)),
                sex=sex.upper() if sex.lower() in ("m", "f") else "",
                age=float(age) if re.fullmatch(r"\d+(\.\d+)?", age) else math.nan,  # withheld so far
            )
