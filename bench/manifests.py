"""Seconds of a manifest for 400,000 studies: made, saved, loaded, and its label-ratio subsets.

    python bench/manifests.py [--studies N] [--patients N]

The store is written directly, with pictures of one pixel and reports of a usual length; writing it is not
timed. It is opened afresh for each manifest. Target: all steps together under 10 s.
"""

import argparse
import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np

from lib.atomic import write_json
from lib.data.curation.flags import SCHEMA
from lib.data.splits import SPLITS, Manifest, make_manifest
from lib.data.store import FILES, FORMAT, VIEWS, Store, TableWriter, content_id, studies_schema

LABELS = tuple(f"label {number}" for number in range(14))
WORDS = np.array("the lungs are clear without focal consolidation effusion or pneumothorax heart is".split())
REPORT_WORDS = 60
RATIOS = (0.01, 0.1, 1.0)


def write_store(folder: Path, num_studies: int, num_patients: int) -> None:
    """Write a store of studies of one view, with a split of its own and a copy among every hundred.

    What a manifest does not read stays empty.
    """
    random = np.random.default_rng(0)
    patients = random.integers(0, num_patients, num_studies).tolist()
    own = random.choice(SPLITS, num_patients, p=(0.9, 0.05, 0.05)).tolist()
    folder.mkdir()
    for name in FILES:
        (folder / name).touch()
    schemas = {"studies": studies_schema(LABELS), "views": VIEWS, "flags": SCHEMA}
    with contextlib.ExitStack() as stack:
        tables = {
            name: stack.enter_context(TableWriter(folder / f"{name}.parquet", schema))
            for name, schema in schemas.items()
        }
        for row, patient in enumerate(patients):
            study, view = f"s{50_000_000 + row}", f"v{50_000_000 + row}"
            report = " ".join(WORDS[random.integers(0, len(WORDS), REPORT_WORDS)])
            labels = [float(row % (number + 2) == 0) for number in range(len(LABELS))]
            identity = [study, f"p{10_000_000 + patient}", "F", 50.0, own[patient]]
            tables["studies"].add([[*identity, report, "", *labels]])
            tables["views"].add([[row, study, view, "PA", 1, 1, 1.0, 0, 0, 1, 1, f"{row:040x}"]])
            if row % 100 == 99:
                twin = f"v{50_000_000 + row // 2}"
                tables["flags"].add([[row, view, "near_identical", 1.0, twin, ""]])
        digests = [table.finish() for table in tables.values()]
    np.save(folder / "images.npy", np.zeros((num_studies, 1, 1), np.uint8))
    about = {
        "format": FORMAT,
        "name": "bench",
        "id": content_id(1, LABELS, digests),
        "image_size": 1,
        "label_names": LABELS,
        "has_reports": True,
        "num_studies": num_studies,
        "num_views": num_studies,
        "synthetic": True,
    }
    write_json(folder / "store.json", about)


def time_manifest(folder: Path, official: bool) -> dict[str, float]:
    """Return the seconds of each step, with a store that nothing was read from yet."""
    seconds = {}
    clock = time.perf_counter

    start = clock()
    store = Store(folder)
    manifest = make_manifest(store, official=official)
    seconds["make"], start = clock() - start, clock()
    manifest.save(folder.with_suffix(".json"))
    seconds["save"], start = clock() - start, clock()
    manifest = Manifest.load(folder.with_suffix(".json"), store)
    seconds["load"], start = clock() - start, clock()
    for ratio in RATIOS:
        manifest.subset(ratio)
        seconds[f"subset {ratio}"], start = clock() - start, clock()
    return seconds


def main() -> None:
    """Print the seconds of each step, with the data set's own split and with a drawn one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=400_000)
    parser.add_argument("--patients", type=int, default=65_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "store"
        write_store(folder, given.studies, given.patients)
        for official, name in ((True, "own split"), (False, "drawn split")):
            seconds = time_manifest(folder, official)
            steps = ", ".join(f"{step} {value:.2f} s" for step, value in seconds.items())
            print(f"{name}: {sum(seconds.values()):.2f} s ({steps})")
        size = folder.with_suffix(".json").stat().st_size
    print(f"{given.studies:,} studies of {given.patients:,} patients; the file has {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
