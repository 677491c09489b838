"""Reader for Open-i, the Indiana University chest radiographs with their reports (IU X-Ray, NLMCXR).

Two layouts are official enough to meet:

- tables: `indiana_reports.csv`, `indiana_projections.csv` and an image folder (the well-known Kaggle copy);
- xml: `ecgen-radiology/<uid>.xml` (NLMCXR_reports.tgz) and an image folder (NLMCXR_png.tgz).

The tables are preferred: only they say which picture is frontal and which lateral. Pictures are found by
their official id, whether named by it (`CXR1_1_IM-0001-3001.png`) or as in the tables
(`1_IM-0001-3001.dcm.png`), as PNG or JPEG. An optional `sizes.csv` restores the aspect of squeezed pictures.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from lib.data.chexpert_labels import CHEXPERT_LABELS, labels_from_headings
from lib.data.readers.official import file_view, find_root
from lib.data.readers.tables import numbers, read_table, require_ids
from lib.data.study import Study, View

REPORTS, PROJECTIONS, SIZES = "indiana_reports.csv", "indiana_projections.csv", "sizes.csv"
XML_FOLDER = "ecgen-radiology"
IMAGE_FOLDERS = ("images", "images/images_normalized", "NLMCXR_png", ".")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")  # of two files of one picture the last kind counts
LAYOUTS = ("auto", "tables", "xml")
POSITIONS = {"frontal": "FRONTAL", "lateral": "LATERAL"}

_OFFICIAL = (
    f"Official layouts: {REPORTS} + {PROJECTIONS} + images/ (the Kaggle copy), or {XML_FOLDER}/*.xml + "
    "images/ (unpack NLMCXR_reports.tgz and NLMCXR_png.tgz from openi.nlm.nih.gov there). Point the root at "
    "the folder that holds them"
)


class OpenI:
    """Open-i as studies: one per report, also when its report or all its pictures are missing.

    A uid is one study and, for want of any other name, one patient: the publishers kept no link between
    the visits of a person, so a patient who came twice may stand on both sides of a split. Words that the
    publishers removed are `XXXX` in the text and stay so.
    """

    name = "openi"
    source = (
        "Open-i, Indiana University chest radiographs with reports; Demner-Fushman D, Kohli MD, Rosenman MB, "
        "et al. J Am Med Inform Assoc 2016;23(2):304-310."
    )
    licence = "CC BY-NC-ND 4.0 (the licenseURL of every report file)"
    label_names = CHEXPERT_LABELS
    has_reports = True
    label_noise = (
        "Labels come from the headings that human indexers gave each report (MeSH and RadLex terms), mapped "
        "to the CheXpert names by lib/data/chexpert_labels.py. What a report leaves unsaid counts as absent; "
        "reports without indexing have no labels; no error rate is known."
    )

    def __init__(self, root: Path | None, *, layout: str = "auto"):
        """Find the files of a layout and read the small tables.

        Args:
            root: the folder that holds the official files.
            layout: "tables", "xml", or "auto": tables where they are, else xml.

        Raises:
            FileNotFoundError: the root or an official file is missing.
            ValueError: an unknown layout, or a table without a column it needs.
        """
        if layout not in LAYOUTS:
            raise ValueError(f"Open-i layout {layout!r} is not one of {', '.join(LAYOUTS)}.")
        self._root = find_root(root, "Open-i", _OFFICIAL)
        self._layout = _find_layout(self._root, layout)
        self._image_folder, self._images = _find_images(self._root)
        self._aspects = _read_aspects(self._root / SIZES)
        self._projections = _read_projections(self._root / PROJECTIONS)
        self._positions = {
            official_image_id(file): POSITIONS.get(projection.strip().lower(), "UNKNOWN")
            for files in self._projections.values()
            for file, projection in files
        }
        if self._layout == "tables":
            path = self._root / REPORTS
            self._reports = read_table(path, ("uid", "MeSH", "findings", "impression"), "Open-i")
            require_ids(self._reports, ("uid",), path, "Open-i")
        else:
            files = (self._root / XML_FOLDER).glob("[!.]*.xml")  # ._1.xml is another system's note on 1.xml
            self._report_files = sorted(files, key=lambda file: (len(file.stem), file.stem))  # 2 before 10

    def __iter__(self) -> Iterator[Study]:
        """Yield the studies in the order of the reports."""
        yield from self._from_tables() if self._layout == "tables" else self._from_xml()

    def __len__(self) -> int:
        """Return the number of studies."""
        return len(self._report_files) if self._layout == "xml" else len(self._reports) + len(self._orphans)

    @functools.cached_property
    def _orphans(self) -> list[str]:
        """Uids with pictures and no report row; ingest counts them as studies without a report."""
        reported = set(self._reports["uid"])
        return [uid for uid in self._projections if uid not in reported]

    def _from_tables(self) -> Iterator[Study]:
        columns = (self._reports[name] for name in ("uid", "MeSH", "findings", "impression"))
        for uid, headings, findings, impression in zip(*columns, strict=True):
            yield self._study(uid, headings.split(";"), findings, impression, self._listed_views(uid))
        for uid in self._orphans:
            yield self._study(uid, [], "", "", self._listed_views(uid))

    def _from_xml(self) -> Iterator[Study]:
        for file in self._report_files:
            try:
                root = ElementTree.parse(file).getroot()
            except (ElementTree.ParseError, ValueError, LookupError) as error:  # the last two: its encoding
                raise ValueError(
                    f"Open-i report {file} is not readable XML ({error}). Unpack NLMCXR_reports.tgz again."
                ) from error
            number = root.find("uId")
            uid = "" if number is None else number.get("id", "").removeprefix("CXR").strip()
            uid = uid or file.stem
            sections = {text.get("Label"): "".join(text.itertext()) for text in root.iter("AbstractText")}
            headings = [heading.text or "" for heading in root.iterfind("MeSH/major")]
            image_ids = [image.get("id", "") for image in root.iterfind("parentImage")]
            views = tuple(self._view(image_id, f"{image_id}.png") for image_id in image_ids)
            findings, impression = sections.get("FINDINGS", ""), sections.get("IMPRESSION", "")
            yield self._study(uid, headings, findings, impression, views)

    def _study(
        self, uid: str, headings: list[str], findings: str, impression: str, views: tuple[View, ...]
    ) -> Study:
        return Study(
            study_id=uid,
            patient_id=uid,
            views=views,
            findings=findings.strip(),
            impression=impression.strip(),
            labels=labels_from_headings(headings),
        )

    def _listed_views(self, uid: str) -> tuple[View, ...]:
        return tuple(self._view(official_image_id(file), file) for file, _ in self._projections.get(uid, ()))

    def _view(self, image_id: str, file_name: str) -> View:
        """Return a view; a picture that is listed and absent keeps the path where it should be."""
        return file_view(
            self._image_folder,
            file_name,
            view_id=image_id,
            found=self._images.get(image_id),
            position=self._positions.get(image_id, "UNKNOWN"),
            aspect=self._aspects.get(image_id),
        )


def official_image_id(file_name: str) -> str:
    """Return the id that the XML uses, from a picture's file name in either naming."""
    stem = re.sub(r"(\.dcm)?\.(png|jpe?g)$", "", file_name, flags=re.IGNORECASE)
    if stem.startswith("CXR"):
        return stem
    # The publishers' own exception: study 1 carries its number twice.
    return f"CXR1_{stem}" if stem.startswith("1_") else f"CXR{stem}"


def _find_layout(root: Path, layout: str) -> str:
    missing = [name for name in (REPORTS, PROJECTIONS) if not (root / name).is_file()]
    has_xml = any((root / XML_FOLDER).glob("*.xml"))
    if layout == "auto":
        layout = "xml" if missing and has_xml else "tables"
    if layout == "tables" and missing:
        raise FileNotFoundError(f"Open-i file {root / missing[0]} is missing. {_OFFICIAL}.")
    if layout == "xml" and not has_xml:
        raise FileNotFoundError(f"Open-i folder {root / XML_FOLDER} holds no report file. {_OFFICIAL}.")
    return layout


def _find_images(root: Path) -> tuple[Path, dict[str, Path]]:
    """Return the image folder and official id -> file, from one listing of that folder."""
    for name in IMAGE_FOLDERS:
        folder = root / name
        files = [file for file in folder.iterdir() if "_IM-" in file.name] if folder.is_dir() else []
        files = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES and file.name[:2] != "._"]
        if files:
            files.sort(key=lambda file: IMAGE_SUFFIXES.index(file.suffix.lower()))
            return folder, {official_image_id(file.name): file for file in files}
    raise FileNotFoundError(
        f"Open-i folder {root / IMAGE_FOLDERS[0]} holds no picture (*_IM-*.png). {_OFFICIAL}."
    )


def _read_projections(file: Path) -> Mapping[str, list[tuple[str, str]]]:
    """Return uid -> [(file name, projection)]; empty where the table is absent (xml layout)."""
    projections: dict[str, list[tuple[str, str]]] = {}
    if file.is_file():
        table = read_table(file, ("uid", "filename", "projection"), "Open-i")
        require_ids(table, ("uid", "filename"), file, "Open-i")
        for uid, name, projection in zip(table["uid"], table["filename"], table["projection"], strict=True):
            projections.setdefault(uid, []).append((name, projection))
    return projections


def _read_aspects(file: Path) -> Mapping[str, float]:
    """Return official id -> width / height of the original picture, where the optional table knows it."""
    if not file.is_file():
        return {}
    table = read_table(file, ("official_image_id", "dicom_columns", "dicom_rows"), "Open-i")
    sizes = numbers(table, ("dicom_columns", "dicom_rows"), file, "Open-i")
    wrong = ((sizes <= 0) | np.isinf(sizes)).any(axis=1).to_numpy()
    if wrong.any():
        raise ValueError(f"Open-i table {file}, row {int(wrong.argmax()) + 1}: a size is not above 0.")
    aspects = sizes["dicom_columns"] / sizes["dicom_rows"]
    known = aspects.notna()
    return dict(zip(table["official_image_id"][known], aspects[known].tolist(), strict=True))
