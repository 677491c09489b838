"""How fast pictures are decoded, scaled and padded, beside Pillow that decodes them and does nothing else.

    python bench/decode.py [--shared DIR] [--files 24] [--repeats 5] [--workers N]

Both decode the same files in turns, JPEG at the same built-in scale (`draft`), and of each file the fastest
time of each counts. The files: JPEGs of the size and weight of MIMIC-CXR's (2544 x 3056 px, 1.4 MB), PNGs
like NIH's (1024 px, 0.45 MB), both drawn by the phantom, and small real JPEGs where the shared folder is.
Target: a ratio of 0.80 or more. The ratio in brackets is against the smallest scale that still fills the
canvas, which is less than our pictures are made from.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from lib.data.decode import DRAFT_MARGIN, place, read_picture
from lib.data.phantom.picture.projection import render_view
from lib.data.workers import run_jobs

PHANTOM_SIZE = 512


def write_pictures(folder: Path, num_files: int, size: tuple[int, int], noise: float, suffix: str) -> list:
    """Write phantom pictures, enlarged, with the noise that gives files of a real weight."""
    random = np.random.default_rng(0)
    files = [folder / f"{number}-{size[0]}{suffix}" for number in range(num_files)]
    for number, path in enumerate(files):
        drawn = Image.fromarray(render_view("source", 0, number, 0, PHANTOM_SIZE))
        pixels = np.asarray(drawn.resize(size, Image.Resampling.BICUBIC)).astype(np.float32)
        pixels += noise * random.standard_normal(pixels.shape, np.float32)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=95)
    return files


def decode(path: Path, canvas_size: int, margin: float) -> None:
    """Let Pillow decode a file and do nothing else."""
    with Image.open(path) as picture:
        placement = place(*picture.size, canvas_size)
        wanted = (placement.content_width, placement.content_height)
        picture.draft("L", tuple(round(margin * side) for side in wanted))
        picture.load()


def measure(job: tuple[list[Path], int, int]) -> list[float]:
    """Return the files a second of this process: ours, Pillow's, and Pillow's at the smallest scale.

    Args:
        job: files, size of the canvas, repeats.
    """
    files, canvas_size, repeats = job
    works = (
        lambda path: read_picture(path, canvas_size),
        lambda path: decode(path, canvas_size, DRAFT_MARGIN),
        lambda path: decode(path, canvas_size, 1.0),
    )
    best = np.full((len(works), len(files)), np.inf)
    for repeat in range(repeats):
        for column, path in enumerate(files):
            for turn in range(len(works)):
                row = (turn + repeat) % len(works)
                start = time.perf_counter()
                works[row](path)
                best[row, column] = min(best[row, column], time.perf_counter() - start)
    return (len(files) / best.sum(axis=1)).tolist()


def main() -> None:
    """Print the rates and their ratio for each kind of file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--files", type=int, default=24, help="drawn pictures of each kind")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="0: this process")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        large = write_pictures(folder, given.files, (2544, 3056), 1.5, ".jpg")
        square = write_pictures(folder, given.files, (1024, 1024), 0.7, ".png")
        openi, nih = (
            sorted((given.shared / "data" / name / "images").glob("*.jpg"))[::10]
            for name in ("openi-iu", "nih-chestxray14")
        )
        kinds = [
            ("JPEG 2544 x 3056", large, 256),
            ("JPEG 2544 x 3056", large, 512),
            ("PNG 1024", square, 256),
            ("Open-i JPEG 256", openi, 256),
            ("Open-i JPEG 256", openi, 128),
            ("NIH JPEG 320", nih, 320),
            ("NIH JPEG 320", nih, 256),
        ]
        for name, files, canvas_size in kinds:
            if not files:
                print(f"{name}: none here")
                continue
            parts = [files[start :: given.workers or 1] for start in range(given.workers or 1)]
            jobs = [(part, canvas_size, given.repeats) for part in parts]
            ours, pillow, smallest = np.sum(list(run_jobs("decode:measure", jobs, given.workers)), axis=0)
            weight = sum(path.stat().st_size for path in files) / len(files) / 1e6
            print(
                f"{name} ({weight:.2f} MB) to {canvas_size}: {ours:,.0f} a second, Pillow {pillow:,.0f}: "
                f"ratio {ours / pillow:.2f} ({ours / smallest:.2f} at the smallest scale)",
                flush=True,
            )


if __name__ == "__main__":
    main()
