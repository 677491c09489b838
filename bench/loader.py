"""Images a second: our loader with full augmentation, beside a plain Pillow + torchvision pipeline.

    python bench/loader.py [--store STORE] [--batches 40] [--repeats 3]

Three views of 224 px a study from a 256 px store, batches of 32 studies, with everything the paper does.
The plain pipeline does the same to one picture at a time, from JPEG files, in a DataLoader with two worker
processes. Both run in turns, so that a busy machine is as unkind to one as to the other; the best of each
counts. Target: 1,000 images a second on two cores. Without --store a small phantom store is made first.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from lib.data.augment import MEAN, STD, AugmentConfig
from lib.data.ingest import ingest
from lib.data.loader import StudyLoader
from lib.data.readers import open_reader
from lib.data.store import Store

BATCH_SIZE, NUM_VIEWS = 32, 3
MAX_FILES = 2000


class PictureFiles(Dataset):
    """One JPEG file at a time through torchvision, as most training code does it."""

    def __init__(self, files: list[Path], length: int):
        self._files, self._length = files, length
        self._change = v2.Compose(
            [
                v2.RandomRotation(10, interpolation=v2.InterpolationMode.BILINEAR),
                v2.RandomCrop(224),
                v2.RandomHorizontalFlip(),
                v2.ColorJitter(brightness=0.4, contrast=0.4),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize([MEAN], [STD]),
            ]
        )

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self._files[index % len(self._files)]) as picture:
            return self._change(picture.convert("L"))


def rate(batches: Iterable, num_images: int, num_batches: int) -> float:
    """Return images a second over some batches, after a first one that pays for the start."""
    iterator = iter(batches)
    next(iterator)
    start = time.perf_counter()
    for _ in range(num_batches):
        next(iterator)
    return num_batches * num_images / (time.perf_counter() - start)


def ours(store: Store, num_batches: int, epoch: int) -> float:
    """Measure our loader; the rows are repeated where the store is small."""
    rows = np.resize(np.arange(len(store)), (num_batches + 4) * BATCH_SIZE)
    loader = StudyLoader(store, rows, batch_size=BATCH_SIZE, augment=AugmentConfig(), shuffle=True)
    return rate(loader.epoch(epoch), BATCH_SIZE * NUM_VIEWS, num_batches)


def plain(files: list[Path], num_batches: int) -> float:
    """Measure the plain pipeline."""
    num_images = BATCH_SIZE * NUM_VIEWS
    data = PictureFiles(files, (num_batches + 4) * num_images)
    return rate(DataLoader(data, num_images, num_workers=2), num_images, num_batches)


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path)
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if given.store:
            store = Store(given.store)
        else:
            store = ingest(open_reader("phantom", studies=96), Path(scratch) / "store", progress=False)
        files = []
        for row, pixels in enumerate(store.images[:MAX_FILES]):
            files.append(Path(scratch) / f"{row}.jpg")
            Image.fromarray(pixels).save(files[-1], quality=90)
        rates = {"loader": [], "plain pipeline": []}
        for repeat in range(given.repeats):
            rates["loader"].append(ours(store, given.batches, repeat))
            rates["plain pipeline"].append(plain(files, max(4, given.batches // 4)))
    for name, values in rates.items():
        print(f"{name}: best {max(values):,.0f} images/s, median {statistics.median(values):,.0f}")
    print(f"ratio: {max(rates['loader']) / max(rates['plain pipeline']):.1f}")


if __name__ == "__main__":
    main()
