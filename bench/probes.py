"""How long linear probes take once features are there: 3 label ratios, 5 draws each, on 5,000 images.

    python bench/probes.py [--widths 768 2048] [--images 5000] [--targets 14] [--threads 2]

Everything that `workbench judge` does with cached features is inside: standardising, the path of penalties,
the choice on the validation images, the test with its 2,000 resamples by patient. Features and labels are
drawn: a tenth of the features tells of the labels. Beside it stands one product of all training features with
themselves, so that a busy machine can be told from slow code; in brackets the seconds of the processor, which
with one thread say what an idle core would take. Target: under 30 seconds on two cores for all three ratios.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from lib.data.ingest import ingest
from lib.data.splits import SPLITS, make_manifest
from lib.data.store import Store
from lib.data.study import Study, View
from lib.protocols.features import Features
from lib.protocols.linear_probe import LinearProbeConfig
from lib.protocols.probe_ratios import probe_ratios

RATIOS = (0.01, 0.1, 1.0)
SIZE = 8


class Blank:
    """A picture that nobody looks at."""

    def __init__(self, number: int):
        self.number = number

    def __call__(self) -> np.ndarray:
        """Draw it: all differ, so that ingest finds no copies."""
        return np.random.default_rng(self.number).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)


class DrawnStudies:
    """One image a study, two studies a patient, labels of 5 to 45 %."""

    name, source, licence, label_noise = "drawn", "Drawn by a benchmark.", "none", "None."
    has_reports = False

    def __init__(self, num_studies: int, num_targets: int):
        self.num_studies = num_studies
        self.label_names = tuple(f"target {k}" for k in range(num_targets))

    def __len__(self) -> int:
        """Return how many."""
        return self.num_studies

    def __iter__(self) -> Iterator[Study]:
        """Yield them."""
        random = np.random.default_rng(0)
        shares = np.linspace(0.05, 0.45, len(self.label_names))
        for number in range(self.num_studies):
            labels = (random.random(len(shares)) < shares).astype(float).tolist()
            yield Study(
                study_id=f"s{number}",
                patient_id=f"p{number // 2}",
                views=(View(view_id=f"v{number}", position="PA", render=Blank(number)),),
                labels=dict(zip(self.label_names, labels, strict=True)),
            )


def draw_features(store: Store, width: int) -> Features:
    """Return features of all images: noise, and in a tenth of them the labels."""
    random = np.random.default_rng(width)
    values = random.standard_normal((len(store), width), np.float32)
    informed = width // 10
    directions = random.standard_normal((store.labels.shape[1], informed), np.float32)
    values[:, :informed] += 0.2 * (store.labels @ directions)
    rows = np.arange(len(store))
    return Features(rows, rows, values)


def clocks() -> np.ndarray:
    """Return the time on the wall and that of the processor, seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def main() -> None:
    """Print the seconds of each ratio for each width."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--widths", type=int, nargs="+", default=[768, 2048])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--targets", type=int, default=14)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of torch")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as scratch:
        reader = DrawnStudies(given.images, given.targets)
        store = ingest(reader, Path(scratch) / "drawn", image_size=SIZE, workers=0, progress=False)
        manifest = make_manifest(store)
        counts = ", ".join(f"{len(manifest.rows(split)):,} {split}" for split in SPLITS)
        print(f"{len(store):,} images ({counts}), {given.targets} targets, {len(manifest.draws)} draws")
        for width in given.widths:
            features = draw_features(store, width)
            training = torch.from_numpy(features.of(manifest.rows("train")).values)
            start = time.perf_counter()
            training.T @ training
            product, total, parts = time.perf_counter() - start, np.zeros(2), []
            for ratio in RATIOS:
                probe = LinearProbeConfig(targets=list(store.label_names))
                start = clocks()
                report = probe_ratios(features, store, manifest, probe, [ratio])[f"{ratio:g}"]
                seconds = clocks() - start
                total += seconds
                parts.append(f"{ratio:g}: {seconds[0]:.1f} s (AUROC {report['auroc']['estimate']:.3f})")
            parts.append(f"one product {product:.3f} s")
            print(f"{width} features: {total[0]:.1f} s ({total[1]:.1f} s); {'; '.join(parts)}", flush=True)


if __name__ == "__main__":
    main()
