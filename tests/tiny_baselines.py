"""Every baseline trained in a second or two, on studies whose labels can be seen: store, recipes, runs."""

from pathlib import Path

import yaml
from tiny_studies import TinyStudies

from lib.data.ingest import ingest
from workbench.runs import Run

SIZES = {"width": 16, "depth": 1, "num_heads": 2, "mlp_width": 32}
ENCODER = {"name": "radiograph_transformer", **SIZES, "image_size": 32, "patch_size": 8}
BATCH, STEPS = 8, 6
QUEUE = {"embedding_width": 8, "queue_size": 48, "momentum": 0.9}
OBJECTIVES = {
    "c2l": QUEUE,
    "caption_lstm": {"word_width": 16, "attention_width": 12, "hidden_width": 20, "max_report_tokens": 24},
    "caption_transformer": {
        **{"width": 16, "num_heads": 2, "mlp_width": 20, "num_encoder_layers": 1, "num_decoder_layers": 1},
        **{"num_slots": 3, "max_report_tokens": 24},
    },
    "context_restoration": {"patch_size": 4, "num_swaps": 3},
    "contrastive_binary": {
        **{"embedding_width": 8, "max_text_tokens": 24},
        "text": {**SIZES, "pooling": "max", "frozen_layers": "none"},
    },
    "lsp": {},
    "moco_v2": QUEUE,
    "model_genesis": {},
    "simclr": {"embedding_width": 8},
    "transvw": {
        "words": {
            **{"num_words": 3, "num_patients": 10, "num_validation_patients": 4},
            **{"auto_encoder_size": 16, "auto_encoder_steps": 2},
        },
    },
}
"""Objective -> its settings besides the encoder."""


def make_store(folder: Path) -> Path:
    """Ingest the studies that the recipes train on."""
    ingest(TinyStudies(100), folder / "source", image_size=36, workers=0, progress=False)
    return folder / "source"


def write_recipe(name: str, store: Path) -> str:
    """Write the tiny recipe of a baseline beside the store and return its path."""
    recipe = {
        "task": "pretrain",
        "store": str(store),
        "device": "cpu",
        "objective": {"name": name, "encoder": ENCODER, **OBJECTIVES[name]},
        "tokenizer": {"vocab_size": 80},
        "loader": {"batch_size": BATCH},
        "augment": {"crop_size": 32, "flip": 0.0, "rotation": 5.0, "brightness": [0.9, 1.1]},
        "optimizer": {"name": "adamw", "learning_rates": {"image": 3e-3, "text": 3e-3}, "warmup_steps": 1},
        "train": {"steps": STEPS, "validate_every": 3, "log_every": 1, "autocast": "none"},
    }
    path = store.parent / f"tiny_{name}.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return str(path)


def train_baseline(name: str, store: Path) -> Run:
    """Train a baseline by its tiny recipe, or return the run that did."""
    from workbench.train import pretrain

    return pretrain(write_recipe(name, store), root=store.parent / "runs", progress=False)
