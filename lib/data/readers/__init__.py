"""Readers: one data set's official layout on disk -> Study records.

A reader is a class in a file of its own and one line in `READERS`. It knows the quirks of its data
set, nothing else does: which files, which columns, which names. It never decodes a picture (ingest
does, in many processes) and never drops a study silently (ingest counts drops by rule).
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from lib.data.study import Study
from lib.registry import resolve

READERS = {
    "chexpert": "lib.data.readers.chexpert:CheXpert",
    "covid19": "lib.data.readers.covid19:COVID19",
    "covidx": "lib.data.readers.covidx:COVIDx",
    "csv": "lib.data.readers.csv:OwnTable",
    "hannover": "lib.data.readers.hannover:Hannover",
    "kermany": "lib.data.readers.kermany:Kermany",
    "mimic_cxr": "lib.data.readers.mimic_cxr:MIMICCXR",
    "mura": "lib.data.readers.mura:MURA",
    "nih": "lib.data.readers.nih:NIH",
    "openi": "lib.data.readers.openi:OpenI",
    "phantom": "lib.data.readers.phantom:PhantomSource",
    "phantom_target": "lib.data.readers.phantom:PhantomTarget",
    "rsna": "lib.data.readers.rsna:RSNA",
    "shenzhen": "lib.data.readers.shenzhen:Shenzhen",
    "vinbigdata": "lib.data.readers.vinbigdata:VinBigData",
}


class Reader(Protocol):
    """What every reader class offers."""

    name: str
    source: str
    """Where the data set comes from, one sentence with the citation."""
    licence: str
    label_names: tuple[str, ...]
    has_reports: bool
    """Whether a study without report text is a defect (then it is dropped and counted)."""
    label_noise: str
    """Known label noise, one or two sentences for the card."""

    def __init__(self, root: Path | None, **options): ...

    def __iter__(self) -> Iterator[Study]: ...

    def __len__(self) -> int:
        """Return the number of studies that iteration yields."""
        ...


def open_reader(name: str, root: Path | str | None = None, **options) -> Reader:
    """Open a data set by name.

    Raises:
        ValueError: unknown data set name or option.
        FileNotFoundError: the root or one of its official files is missing; names it and the fix.
    """
    reader = resolve(name, READERS)
    known = [key for key in inspect.signature(reader).parameters if key != "root"]
    if unknown := [key for key in options if key not in known]:
        raise ValueError(
            f"Data set {name} has no option {unknown[0]!r}. Known: {', '.join(known) or 'none'}."
        )
    return reader(None if root is None else Path(root), **options)


def read(name: str, root: Path | str | None = None, **options) -> Iterator[Study]:
    """Iterate over the studies of a data set in its official layout; arguments as in `open_reader`."""
    return iter(open_reader(name, root, **options))
