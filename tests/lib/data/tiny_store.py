"""A small store for the tests of what reads one."""

import hashlib
from pathlib import Path

from tiny_reader import TinyReader, make_study

from lib.data.ingest import ingest
from lib.data.store import Store


def make_store(out: Path, num_studies: int = 12, image_size: int = 32, **changes) -> Store:
    """Return a store of generated studies with 1, 2, 3, 4, 1, ... views; `changes` apply to the reader."""
    studies = [make_study(number, num_views=1 + number % 4) for number in range(num_studies)]
    reader = TinyReader(**({"studies": studies} | changes))
    return ingest(reader, out, image_size=image_size, workers=0, progress=False)


def ingest_here(reader, out: Path, **options) -> Store:
    """Ingest without workers and noise into small pictures."""
    return ingest(reader, out, **({"image_size": 32, "workers": 0, "progress": False} | options))


def content(folder: Path) -> dict[str, str]:
    """Return the hash of every file in a folder."""
    return {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }
