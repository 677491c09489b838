"""Phantom studies a second: records alone, and two views of each rendered in two processes."""

import concurrent.futures
import multiprocessing
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

from lib.data.phantom.picture.projection import render_view  # noqa: E402
from lib.data.phantom.visit import sample_visit  # noqa: E402
from lib.data.readers import read  # noqa: E402

PROCESSES = 2
STUDIES = 120
RECORDS = 2000


def render_study(index: int, image_size: int) -> float:
    """Render two views of a study, a frontal one twice where there is no other; return CPU seconds."""
    start = time.process_time()
    last = len(sample_visit("source", 0, index, image_size).views) - 1
    for number in (0, min(1, last)):
        render_view("source", 0, index, number, image_size)
    return time.process_time() - start


def measure(image_size: int) -> tuple[float, float]:
    """Return studies of two views a second, and CPU milliseconds a view; start and imports left out."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        sizes = [image_size] * STUDIES
        list(pool.map(render_study, range(8), sizes[:8]))  # start and import
        start = time.perf_counter()
        used = sum(pool.map(render_study, range(8, 8 + STUDIES), sizes, chunksize=4))
        return STUDIES / (time.perf_counter() - start), 500.0 * used / STUDIES


def main() -> None:
    """Print the rates."""
    start = time.perf_counter()
    records = sum(1 for _ in read("phantom", studies=RECORDS))
    print(f"records: {records / (time.perf_counter() - start):,.0f} studies/s in one process")
    for image_size in (256, 128):
        rate, cpu = measure(image_size)
        print(f"{image_size} px: {rate:.1f} studies/s in {PROCESSES} processes, {cpu:.1f} CPU ms a view")


if __name__ == "__main__":
    main()
