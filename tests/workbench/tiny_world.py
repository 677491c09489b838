"""Stores and recipes so small that a pre-training and a grid of fine-tunings take seconds."""

import dataclasses
from pathlib import Path

import yaml
from tiny_studies import TinyStudies

from lib.data.ingest import ingest

SIZES = {"width": 16, "depth": 1, "num_heads": 2, "mlp_width": 32}
ENCODER = {**SIZES, "image_size": 32, "patch_size": 8}


@dataclasses.dataclass(frozen=True)
class World:
    """Where everything of a test lies."""

    root: Path  # of the runs
    pretrain: str  # recipe
    finetune: str  # recipe


def make_world(folder: Path) -> World:
    """Ingest a source and a target, and write a recipe for each."""
    ingest(TinyStudies(100), folder / "source", image_size=36, workers=0, progress=False)
    ingest(TinyStudies(160, False, seed=1), folder / "target", image_size=36, workers=0, progress=False)
    shared = {
        "augment": {"crop_size": 32, "flip": 0.0, "rotation": 5.0},
        "optimizer": {"name": "adamw", "learning_rates": {"image": 3e-3, "text": 3e-3}, "warmup_steps": 3},
    }
    pretrain = {
        "task": "pretrain",
        "store": str(folder / "source"),
        "objective": {
            "name": "refers",
            "num_views": 2,
            "max_report_tokens": 24,
            "max_text_tokens": 24,
            "encoder": ENCODER,
            "report": {"width": 16, "num_heads": 2, "mlp_width": 32},
            "text": SIZES,
        },
        "tokenizer": {"vocab_size": 80},
        "loader": {"batch_size": 8},
        "train": {"steps": 40, "validate_every": 10, "checkpoint_every": 8, "log_every": 4},
        **shared,
    }
    finetune = {
        "task": "finetune",
        "store": str(folder / "target"),
        "encoder": {"name": "radiograph_transformer", **ENCODER},
        "finetune": {"targets": ["opacity", "device"], "batch_size": 16},
        "train": {"steps": 12, "validate_every": 6, "log_every": 6},
        **shared,
    }
    for name, recipe in (("tiny_refers", pretrain), ("tiny_finetune", finetune)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
    return World(folder / "runs", str(folder / "tiny_refers.yaml"), str(folder / "tiny_finetune.yaml"))
