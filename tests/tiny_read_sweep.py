"""A sweep of four methods that is run in seconds, with a fifth whose pre-training cannot be."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.workbench.tiny_world import World, make_world
from workbench.sweeps import read_sweep, run_sweep

STEPS = ["train.steps=2", "train.validate_every=2", "optimizer.warmup_steps=1", "train.log_every=1"]
PARTS = {
    "REFERS": [],
    "generation only": ["objective.contrastive_weight=0.0"],
    "consistency only": ["objective.language_weight=0.0"],
    "broken": ["train.stepz=1"],
}


@dataclasses.dataclass(frozen=True)
class TinySweep:
    """Where everything of it lies."""

    world: World
    file: str

    def with_values(self, path: Path, **changes) -> str:
        """Write the file with other values, and return its name."""
        values = {**yaml.safe_load(Path(self.file).read_text()), **changes}
        path.write_text(yaml.safe_dump(values, sort_keys=False))
        return str(path)


def make_sweep(
    folder: Path,
    *,
    seeds: Sequence[int] = (0, 1),
    parts: Sequence[str] = tuple(PARTS),
    root: Path | None = None,
) -> TinySweep:
    """Run it: random weights and some pre-trainings at two label ratios; the runs lie below the root."""
    world = make_world(folder)
    world = dataclasses.replace(world, root=root or world.root)
    methods = {name: {"pretraining": world.pretrain, "pretraining_overrides": PARTS[name]} for name in parts}
    values = {
        "methods": {"Random": {}, **methods},
        "targets": {"tiny": world.finetune},
        "label_ratios": [0.1, 1.0],
        "seeds": list(seeds),
        "comparator": "REFERS",
        "pretraining_overrides": [*STEPS, "train.checkpoint_every=2"],
        "overrides": STEPS,
    }
    path = folder / "tiny_sweep.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    run_sweep(read_sweep(str(path)), workers=0, root=world.root, progress=False)
    return TinySweep(world, str(path))
