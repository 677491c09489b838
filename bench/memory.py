"""Memory while many tiny pictures are ingested: of this process, and of the largest worker.

    python bench/memory.py [--studies 100000] [--workers N]

The studies are made up one by one, so that what grows is the ingest's. Each has one picture of 48 px, ids as
long as MIMIC-CXR's and a report. Target: from a tenth of the studies to the finished store the memory stays
flat within 10 %. At the end, when the tables are written, the highest sample counts.
"""

import argparse
import functools
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.data.ingest import ingest
from lib.data.study import Study, View

IMAGE_SIZE = 48
MARKS = (0.1, 0.25, 0.5, 0.75, 1.0)
REPORT = (
    4 * "The lungs are clear without focal consolidation, effusion or pneumothorax. The heart is normal. "
)
SECONDS_BETWEEN = 0.05


def draw(number: int) -> np.ndarray:
    """Return a picture that has a look in common with all others, and grain of its own.

    Where all pictures are noise none looks like another, and all of them are odd; where all are alike,
    all are copies.
    """
    side = np.linspace(-1, 1, IMAGE_SIZE)
    look = 160 - 90 * (1 - np.abs(np.abs(side) - 0.5)[None]) * np.exp(-((side + 0.2) ** 2))[:, None]
    grain = np.random.default_rng(number).integers(-60, 60, (IMAGE_SIZE, IMAGE_SIZE))
    return (look + grain).clip(0, 255).astype(np.uint8)


class TinyPictures:
    """A reader of studies that are made up as they are read; `position` says how far it is."""

    name = "tiny"
    source = "Made up."
    licence = "none"
    label_names = ("Edema", "Pneumothorax")
    has_reports = True
    label_noise = "None."

    def __init__(self, num_studies: int):
        self._num_studies = num_studies
        self.position = 0

    def __len__(self) -> int:
        return self._num_studies

    def __iter__(self) -> Iterator[Study]:
        random = np.random.default_rng(0)
        for number in range(self._num_studies):
            self.position = number + 1
            view_id, pixels = random.bytes(20).hex(), draw(number).tobytes()
            picture = functools.partial(np.ndarray, (IMAGE_SIZE, IMAGE_SIZE), np.uint8, pixels)
            yield Study(
                study_id=f"s{50_000_000 + number}",
                patient_id=f"p{10_000_000 + number // 6}",
                views=(View(view_id=view_id, position="PA", render=picture),),
                findings=REPORT + view_id,
                labels={"Edema": float(number % 3 == 0), "Pneumothorax": float(number % 7 == 0)},
                sex="MF"[number % 2],
                age=float(20 + number % 60),
            )


class Sample(NamedTuple):
    """Memory at a moment, MiB, and how many studies were read."""

    position: int
    here: float
    worker: float


class Sampler(threading.Thread):
    """Samples the memory until it is told to stop."""

    def __init__(self, reader: TinyPictures):
        super().__init__(daemon=True)
        self._reader, self._stopped = reader, threading.Event()
        self.samples: list[Sample] = []

    def run(self) -> None:
        """Sample."""
        while not self._stopped.wait(SECONDS_BETWEEN):
            workers = [resident(process) for process in children()]
            sample = Sample(self._reader.position, resident(os.getpid()), max(workers, default=0.0))
            self.samples.append(sample)

    def stop(self) -> None:
        """Take no more samples."""
        self._stopped.set()
        self.join()


def resident(process: int) -> float:
    """Return the resident memory of a process in MiB; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def children() -> list[int]:
    """Return the processes that this one has started."""
    texts = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    return [int(process) for text in texts for process in text.split()]


def main() -> None:
    """Print the memory at some points of the data set and at the end, with the ratio to the first."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=100_000)
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    reader = TinyPictures(given.studies)
    sampler = Sampler(reader)
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        sampler.start()
        out = Path(scratch) / "store"
        ingest(reader, out, image_size=IMAGE_SIZE, workers=given.workers, progress=False)
        sampler.stop()
        seconds = time.perf_counter() - start
    print(f"{given.studies:,} studies in {seconds:.0f} s, {given.studies / seconds:,.0f} a second")
    points = []
    for mark in MARKS:
        sample = next(sample for sample in sampler.samples if sample.position >= mark * given.studies)
        points.append((f"{mark:.0%}", sample.here, sample.worker))
    end = [sample for sample in sampler.samples if sample.position == given.studies]
    points.append(("end", max(sample.here for sample in end), max(sample.worker for sample in end)))
    _, first_here, first_worker = points[0]
    for name, here, worker in points:
        print(
            f"{name:>4}: {here:.1f} MiB here ({here / first_here:.3f}), "
            f"{worker:.1f} MiB in the largest worker ({worker / first_worker:.3f})"
        )


if __name__ == "__main__":
    main()
