"""A ConVIRT that is trained in seconds, on studies whose labels can be seen: its recipe and prompts."""

import dataclasses
from pathlib import Path

import yaml
from tiny_pairs import PROMPTS
from tiny_studies import TinyStudies

from lib.data.ingest import ingest

SIZES = {"width": 16, "depth": 1, "num_heads": 2, "mlp_width": 32}


@dataclasses.dataclass(frozen=True)
class TinyConVIRT:
    """Where everything lies."""

    store: Path
    recipe: str
    prompts: str


def make_convirt(folder: Path, *, studies: int = 260, steps: int = 24, keep_every: int = 8) -> TinyConVIRT:
    """Ingest a store and write a recipe of ConVIRT for it, and prompts for its labels."""
    ingest(TinyStudies(studies), folder / "source", image_size=36, workers=0, progress=False)
    (folder / "prompts.yaml").write_text(PROMPTS)
    every = {"validate_every": keep_every, "checkpoint_every": keep_every, "keep_every": keep_every}
    recipe = {
        "task": "pretrain",
        "store": str(folder / "source"),
        "device": "cpu",
        "objective": {
            "name": "convirt",
            "embedding_width": 16,
            "feature_norm": "batch",
            "max_text_tokens": 24,
            "encoder": {"name": "radiograph_transformer", **SIZES, "image_size": 32, "patch_size": 8},
            "text": {**SIZES, "pooling": "max", "frozen_layers": "none"},
        },
        "tokenizer": {"vocab_size": 80},
        "loader": {"batch_size": 16},
        "train": {"steps": steps, "log_every": 4, "autocast": "none", **every},
        "augment": {"crop_size": 32, "flip": 0.0, "rotation": 0.0},
        "optimizer": {"name": "adamw", "learning_rates": {"image": 3e-3, "text": 3e-3}, "warmup_steps": 3},
    }
    path = folder / "tiny_convirt.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return TinyConVIRT(folder / "source", str(path), str(folder / "prompts.yaml"))
