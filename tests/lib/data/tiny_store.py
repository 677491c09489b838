"""A small store for the tests of what reads one."""

from pathlib import Path

from tiny_reader import TinyReader, make_study

from lib.data.ingest import ingest
from lib.data.store import Store


def make_store(out: Path, num_studies: int = 12, image_size: int = 32, **changes) -> Store:
    """Return a store of generated studies with 1, 2, 3, 4, 1, ... views; `changes` apply to the reader."""
    studies = [make_study(number, num_views=1 + number % 4) for number in range(num_studies)]
    reader = TinyReader(**({"studies": studies} | changes))
    return ingest(reader, out, image_size=image_size, workers=0, progress=False)
