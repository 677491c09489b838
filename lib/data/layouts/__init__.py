"""Phantom studies written as each data set is laid out, to rehearse a download and to test its reader."""

from pathlib import Path

from lib.data.readers.phantom import PhantomSource
from lib.data.study import Study
from lib.registry import resolve

LAYOUTS = {
    "chexpert": "lib.data.layouts.chexpert:LAYOUT",
    "covid19": "lib.data.layouts.covid19:LAYOUT",
    "covidx": "lib.data.layouts.covidx:LAYOUT",
    "csv": "lib.data.layouts.csv:LAYOUT",
    "hannover": "lib.data.layouts.hannover:LAYOUT",
    "kermany": "lib.data.layouts.kermany:LAYOUT",
    "mimic_cxr": "lib.data.layouts.mimic_cxr:LAYOUT",
    "mura": "lib.data.layouts.mura:LAYOUT",
    "nih": "lib.data.layouts.nih:LAYOUT",
    "rsna": "lib.data.layouts.rsna:LAYOUT",
    "shenzhen": "lib.data.layouts.shenzhen:LAYOUT",
    "vinbigdata": "lib.data.layouts.vinbigdata:LAYOUT",
}
"""Data set, as its reader is called -> its `Layout`."""


def write_layout(
    name: str, root: Path | str, *, num_studies: int = 50, seed: int = 0, image_size: int = 256
) -> list[Study]:
    """Write a small synthetic download of a data set.

    Args:
        name: of the data set, as its reader is called.
        root: a new or empty folder.
        num_studies: phantom studies; a data set of single pictures may have more, or fewer, of its own.
        seed: of the phantoms.
        image_size: pixels of a side.

    Returns:
        The studies that its reader gives, with pictures still to be rendered.

    Raises:
        ValueError: no such layout, or the folder holds something.
    """
    layout, root = resolve(name, LAYOUTS), Path(root)
    if root.exists() and (root.is_file() or any(root.iterdir())):
        raise ValueError(f"{root} is not empty; a synthetic download is never mixed with other files.")
    studies = list(layout.studies(PhantomSource(studies=num_studies, seed=seed, image_size=image_size)))
    root.mkdir(parents=True, exist_ok=True)
    layout.write(studies, root)
    return studies
