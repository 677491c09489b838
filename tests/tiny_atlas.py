"""Maps of the tiny ConVIRT's pictures, quick ones, and a fine-tuning that has predicted the same pictures."""

import yaml
from tiny_convirt import SIZES, TinyConVIRT

from lib.embedding.project import ProjectConfig
from workbench.embedding_reading.atlas import Atlas
from workbench.runs import Run

QUICK = ProjectConfig(steps=250)


def make_atlas(run: Run, *, weights: tuple[str, ...] = ("", "@initial"), **choice) -> Atlas:
    """Return maps of a run's weights; WORKBENCH_RUNS must be its root."""
    choice = {"split": "all", "device": "cpu", "config": QUICK, **choice}
    return Atlas([run.id + one for one in weights], **choice)


def make_fine_tuning(made: TinyConVIRT, root) -> Run:
    """Fine-tune random weights on the store of the tiny ConVIRT for a few steps."""
    from workbench.train import finetune

    recipe = {
        "task": "finetune",
        "store": str(made.store),
        "device": "cpu",
        "encoder": {"name": "radiograph_transformer", **SIZES, "image_size": 32, "patch_size": 8},
        "finetune": {"targets": ["opacity", "device"], "batch_size": 16},
        "train": {"steps": 6, "validate_every": 6, "log_every": 6, "autocast": "none"},
        "augment": {"crop_size": 32, "flip": 0.0, "rotation": 0.0},
        "optimizer": {"name": "adamw", "learning_rates": {"image": 3e-3, "text": 3e-3}, "warmup_steps": 3},
    }
    path = made.store.parent / "tiny_tuning.yaml"
    path.write_text(yaml.safe_dump(recipe))
    return finetune(str(path), ["init=random"], root=root, progress=False)
