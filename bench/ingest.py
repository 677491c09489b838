"""Seconds and memory of an ingest into a fresh store.

    python bench/ingest.py [NAME] [--root DIR] [--limit N] [--workers N]

For example `python bench/ingest.py openi --root ../shared/data/openi-iu`. Target there: 5,625 pictures in
under 60 s on two cores. How memory grows with the data set is measured by `bench/memory.py`.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

from lib.data.ingest import ingest
from lib.data.readers import open_reader


def main() -> None:
    """Print the time, the rate and the largest memory of this process and of one worker."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", default="phantom")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        reader = open_reader(given.name, given.root)
        store = ingest(reader, Path(scratch) / "store", limit=given.limit, workers=given.workers)
        seconds, num_views = time.perf_counter() - start, len(store.images)
    memory = [
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    print(f"{num_views} pictures in {seconds:.1f} s, {num_views / seconds:,.0f} a second")
    print(f"memory: {memory[0]:.0f} MiB here, {memory[1]:.0f} MiB in the largest worker")


if __name__ == "__main__":
    main()
