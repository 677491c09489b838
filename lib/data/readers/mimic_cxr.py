"""Reader for MIMIC-CXR: chest radiographs as JPEG (MIMIC-CXR-JPG) with the reports of MIMIC-CXR.

Official layout of MIMIC-CXR-JPG, 2.0.0 and 2.1.0 alike: `mimic-cxr-2.0.0-metadata.csv.gz`, `-split.csv.gz`,
`-chexpert.csv.gz`, `-negbio.csv.gz`, and `files/p10/p10000032/s50414267/<dicom_id>.jpg`. The reports are part
of MIMIC-CXR: `mimic-cxr-reports.zip` holds `files/p10/p10000032/s50414267.txt`. They lie beside the pictures
or in a root of their own. Tables may be unpacked; pictures may be the DICOM files of MIMIC-CXR.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.readers.official import file_view, find_file, find_root, list_pictures, read_text
from lib.data.readers.rows import RowGroups, find_rows, group_rows
from lib.data.readers.tables import read_table, require_ids
from lib.data.readers.uncertainty import LabelPolicy
from lib.data.reports import parse_sections
from lib.data.study import Study

NAME = "MIMIC-CXR"
METADATA = "mimic-cxr-2.0.0-metadata.csv"
SPLIT = "mimic-cxr-2.0.0-split.csv"
LABEL_TABLES = {"chexpert": "mimic-cxr-2.0.0-chexpert.csv", "negbio": "mimic-cxr-2.0.0-negbio.csv"}
REPORT_FOLDERS = ("files", ".", "mimic-cxr-reports/files")
SPLITS = {"train": "train", "validate": "validation", "test": "test"}
POSITIONS = {
    "PA": "PA",
    "PA LLD": "PA",
    "PA RLD": "PA",
    "AP": "AP",
    "AP AXIAL": "AP",
    "AP LLD": "AP",
    "AP RLD": "AP",
    "LATERAL": "LATERAL",
    "LL": "LATERAL",
    "XTABLE LATERAL": "LATERAL",
}
"""`ViewPosition` -> position; obliques (LAO, LPO, RAO), SWIMMERS and empty cells are unknown."""

PROBED = 1000
"""Studies that are looked up to learn which folder holds the reports."""

_LAYOUT = (
    f"Official layout: {METADATA}.gz, {SPLIT}.gz, {LABEL_TABLES['chexpert']}.gz and "
    "files/p10/p10000032/s50414267/*.jpg, from physionet.org/content/mimic-cxr-jpg"
)
_REPORTS = (
    "MIMIC-CXR-JPG comes without reports: unpack mimic-cxr-reports.zip of physionet.org/content/mimic-cxr "
    "into the root, or give its folder as reports_root"
)


class MIMICCXR:
    """MIMIC-CXR as studies with all their views and one report each.

    Sex and age are part of MIMIC-IV, so they are unknown here. Of a report only findings and impression
    are taken; a study whose report has neither, or is missing, has no text, and ingest counts it.
    """

    name = "mimic_cxr"
    source = (
        "Beth Israel Deaconess Medical Center, MIMIC-CXR-JPG 2.1.0 (doi 10.13026/jsn5-t979) and MIMIC-CXR; "
        "Johnson AEW, Pollard TJ, Berkowitz SJ, et al. Sci Data 2019;6:317; Johnson AEW, et al. "
        "MIMIC-CXR-JPG. arXiv 1901.07042."
    )
    licence = (
        "PhysioNet Credentialed Health Data License 1.5.0: credentialed users only, nothing may be passed on"
    )
    label_names = CHEXPERT_LABELS
    has_reports = True
    label_noise = (
        "Labels were read from the reports by rules (CheXpert or NegBio labeller), never from the pictures."
    )

    def __init__(
        self,
        root: Path | None,
        *,
        reports_root: str | None = None,
        labels: str = "chexpert",
        uncertain: str = "ignore",
        blank: str = "ignore",
    ):
        """Read the tables.

        Args:
            root: the folder that holds the tables and `files`.
            reports_root: the folder that holds the `files` of the reports; None looks in the root.
            labels: whose labels, "chexpert" or "negbio".
            uncertain: the label where a report is unsure: "ignore" (NaN), "zeros" or "ones".
            blank: the label where a report does not say: "ignore" (NaN) or "zeros". A study without a row
                of labels has none, whatever the policy.

        Raises:
            FileNotFoundError: the root, a table or the reports are missing.
            ValueError: an unknown option, or a table without a column it needs or with a cell that makes no
                sense.
        """
        if labels not in LABEL_TABLES:
            raise ValueError(f"labels={labels!r} is not one of {', '.join(LABEL_TABLES)}.")
        policy = LabelPolicy(uncertain=uncertain, blank=blank)
        self.label_noise = f"{type(self).label_noise} {policy.describe()}"
        self._root = find_root(root, NAME, _LAYOUT)
        table = _read_metadata(self._root)
        self._studies = group_rows(table["study_id"])
        # Columns as arrays of str: an element of them costs far less than one of a table.
        self._dicoms = table["dicom_id"].to_numpy(object)
        self._subjects = table["subject_id"].to_numpy(object)
        positions = [POSITIONS.get(position.strip(), "UNKNOWN") for position in table["ViewPosition"]]
        self._positions = np.array(positions, object)
        self._splits = _read_splits(self._root, table["dicom_id"], self._studies)
        path = find_file(self._root, (LABEL_TABLES[labels],), NAME, _LAYOUT)
        label_table = read_table(path, ("study_id", *CHEXPERT_LABELS), NAME)
        self._labels = policy.read(label_table, path, NAME)  # float32 [rows, 14]
        self._label_rows = find_rows(label_table["study_id"], self._studies.names, path, NAME)
        self._reports = self._find_reports(None if reports_root is None else Path(reports_root))

    def __len__(self) -> int:
        """Return the number of studies in the table of pictures."""
        return len(self._studies)

    def __iter__(self) -> Iterator[Study]:
        """Yield the studies in the order of the table; a report is read when its study comes."""
        for (study_id, rows), row, split in zip(self._studies, self._label_rows, self._splits, strict=True):
            subject = self._subjects[rows[0]]
            patient = _patient_folder(subject)
            folder = f"files/{patient}/s{study_id}"
            found = list_pictures([self._root / folder])
            views = tuple(
                file_view(
                    self._root,
                    f"{folder}/{dicom}.jpg",
                    view_id=dicom,
                    found=found.get(dicom),
                    position=position,
                )
                for dicom, position in zip(self._dicoms[rows], self._positions[rows], strict=True)
            )
            values = self._labels[row].tolist() if row >= 0 else [float("nan")] * len(CHEXPERT_LABELS)
            sections = parse_sections(_read_report(self._reports / patient / f"s{study_id}.txt"))
            yield Study(
                study_id=study_id,
                patient_id=subject,
                views=views,
                findings=sections["findings"],
                impression=sections["impression"],
                labels=dict(zip(CHEXPERT_LABELS, values, strict=True)),
                split=split,
            )

    def _find_reports(self, given: Path | None) -> Path:
        """Return the folder of `p10` to `p19` with the reports, from a look at studies all over the set."""
        base = self._root if given is None else find_root(given, f"{NAME} reports", _REPORTS)
        step = -(-len(self._studies) // PROBED) or 1
        places = np.arange(0, len(self._studies), step)
        firsts = self._studies.order[self._studies.starts[places]]
        names = [
            f"{_patient_folder(self._subjects[first])}/s{self._studies.names[place]}.txt"
            for place, first in zip(places, firsts, strict=True)
        ]
        for folder in (base / name for name in REPORT_FOLDERS):
            if any((folder / name).is_file() for name in names):
                return folder
        raise FileNotFoundError(
            f"{NAME} reports: {base / REPORT_FOLDERS[0]} holds none of {len(names)} reports, for example "
            f"{names[0] if names else 'p10/p10000032/s50414267.txt'}. {_REPORTS}."
        )


def _read_metadata(root: Path) -> pd.DataFrame:
    """Read the table of pictures; its ids become folders, so they must be ids."""
    path = find_file(root, (METADATA,), NAME, _LAYOUT)
    columns = ["dicom_id", "subject_id", "study_id", "ViewPosition"]
    table = read_table(path, columns, NAME)[columns]
    require_ids(table, ("dicom_id",), path, NAME)
    for column in ("subject_id", "study_id"):
        is_id = table[column].str.fullmatch(r"[0-9]{8}").to_numpy(bool)
        if not is_id.all():
            row = int((~is_id).argmax())
            raise ValueError(
                f"{NAME} table {path}, row {row + 1}: {column} is {table[column].iloc[row]!r}, not a number "
                "of eight digits. Download it again."
            )
    return table


def _read_splits(root: Path, dicoms: pd.Series, studies: RowGroups) -> np.ndarray:
    """Return the split of each study, "" where the table lists none of its pictures, object `[studies]`."""
    path = find_file(root, (SPLIT,), NAME, _LAYOUT)
    table = read_table(path, ("dicom_id", "split"), NAME)
    unknown = ~table["split"].isin(list(SPLITS)).to_numpy(bool)
    if unknown.any():
        row = int(unknown.argmax())
        raise ValueError(
            f"{NAME} table {path}, row {row + 1}: split is {table['split'].iloc[row]!r}, not one of "
            f"{', '.join(SPLITS)}. Download it again."
        )
    names = np.array([*map(SPLITS.get, table["split"]), ""], dtype=object)
    splits = names[find_rows(table["dicom_id"], dicoms, path, NAME)][studies.order]  # -1 is the last, ""
    first = splits[studies.starts[:-1]]
    differs = splits != np.repeat(first, np.diff(studies.starts))
    if differs.any():
        study = studies.names[int(np.searchsorted(studies.starts, differs.argmax(), side="right")) - 1]
        raise ValueError(
            f"{NAME} table {path}: the pictures of study {study} are not all in one split. Download it again."
        )
    return first


def _patient_folder(subject: str) -> str:
    return f"p{subject[:2]}/p{subject}"


def _read_report(path: Path) -> str:
    """Read a report; one that is missing has no text."""
    try:
        return read_text(path)
    except FileNotFoundError:
        return ""
