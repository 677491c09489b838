"""How long `workbench results` takes over thousands of run folders, beside what Python needs to start at all.

    python bench/results.py [--runs 5000] [--root FOLDER]

The runs are fine-tunings as their files say it: one is written in full by the code that writes all of them,
the others are copies of it with a method, a label ratio, a seed and a recipe of their own. The command is
run twice as a process of its own, so that the second finds the files in memory; its processor seconds are
counted too, which say more on a busy machine. Target: 5,000 runs in under 3 s.
"""

import argparse
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from lib.protocols.predictions import judge, write_table
from workbench.runs import PROJECT, Run

TARGETS = ["atelectasis", "cardiomegaly", "effusion", "opacity", "nodule", "pneumothorax"]
METHODS = ["random", "REFERS", "ConVIRT", "C2L", "TransVW"]
LABEL_RATIOS = [0.01, 0.1, 1.0]
SEEDS = range(5)


def config_of(recipe: str, method: str, label_ratio: float, seed: int) -> dict:
    """Return the config of a fine-tuning, as large as a real one is."""
    sections = {name: {f"field_{k}": k / 10 for k in range(12)} for name in ("augment", "optimizer", "train")}
    return {
        "recipe": recipe,
        "task": "finetune",
        **{key: f"outputs/stores/bench/{key}" for key in ("store", "store_id", "manifest", "manifest_id")},
        "synthetic": True,
        **{"init": method, "init_id": method, "method": method, "seed": seed, "device": "cpu"},
        "encoder": {"name": "radiograph_transformer", "width": 96, "depth": 4, "num_heads": 4},
        "finetune": {"task": "multi_label", "label_ratio": label_ratio, "draw": seed, "targets": TARGETS},
        **sections,
    }


def write_first(root: Path) -> Run:
    """Write one run as a fine-tuning leaves it: 571 images of 549 patients, as Open-i's test set has them."""
    random = np.random.default_rng(0)
    labels = (random.random((571, len(TARGETS))) < 0.2).astype(np.float32)
    scores = labels + random.standard_normal(labels.shape)
    ids = np.arange(571)
    columns = {
        **{f"{name}_id": [f"{name}-{one:08d}" for one in ids] for name in ("study", "view")},
        "patient_id": [f"patient-{one:08d}" for one in ids % 549],
        **{f"label/{name}": labels[:, k] for k, name in enumerate(TARGETS)},
        **{f"probability/{name}": scores[:, k].astype(np.float32) for k, name in enumerate(TARGETS)},
    }
    table = pd.DataFrame(columns)
    run = Run.create("finetune/bench", config_of("finetune/bench", METHODS[0], 1.0, 0), root)
    with run.recording():
        file = run.folder / "predictions.parquet"
        write_table(file, table)
        report = {**judge(table, file=file), "targets": TARGETS, "best_step": 40, "steps": 60, "seconds": 9.5}
        (run.folder / "result.json").write_text(json.dumps(report, indent=2))
        (run.folder / "metrics.jsonl").write_text('{"kind": "train", "step": 1, "loss": 0.5}\n' * 40)
    return run


def write_runs(root: Path, number: int) -> None:
    """Fill a root with runs."""
    first = write_first(root)
    recipes = range(-(-number // (len(METHODS) * len(LABEL_RATIOS) * len(SEEDS))))
    cells = itertools.product(recipes, METHODS, LABEL_RATIOS, SEEDS)
    for recipe, method, label_ratio, seed in itertools.islice(cells, 1, number):
        name = f"finetune/bench_{recipe}"
        config = config_of(name, method, label_ratio, seed)
        folder = root / f"{first.id}-{recipe}-{method}-{label_ratio}-{seed}"
        shutil.copytree(first.folder, folder)
        # YAML is for people and the older file: nobody reads it here.
        (folder / "config.json").write_text(json.dumps(config, indent=2))


def measure(arguments: list[str], root: Path) -> tuple[float, float, str]:
    """Return seconds by the clock, processor seconds and the output of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    said = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={**os.environ, "WORKBENCH_RUNS": str(root)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used, said


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--root", type=Path, help="of the runs; kept, and taken as it is where it is there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = given.root or Path(temporary) / "runs"
        if not root.is_dir():
            write_runs(root, given.runs)
        number = sum(1 for _ in root.iterdir())
        measure(["-m", "workbench", "results"], root)
        taken, used, said = measure(["-m", "workbench", "results"], root)
        assert f"{number} runs" in said
        empty, started, _ = measure(["-c", "import numpy, pandas"], root)
    print(
        f"workbench results over {number:,} runs: {taken:.1f} s, processor {used:.1f} s; "
        f"to import numpy and pandas alone: {empty:.1f} s, processor {started:.1f} s"
    )


if __name__ == "__main__":
    main()
