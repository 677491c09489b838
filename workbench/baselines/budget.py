"""What a pre-training costs, and where to go from it."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from lib.objectives import OBJECTIVES
from lib.registry import resolve
from workbench.baselines.pictures import number_of
from workbench.inputs import shorten
from workbench.recipe import RECIPES, Recipe
from workbench.runs import Run
from workbench.sections import read_encoder


def budget(run: Run) -> dict[str, Any]:
    """Return how much a pre-training sees, as its recipe says: name -> value."""
    config = run.config
    objective, steps, batch_size = (
        config["objective"],
        config["train"]["steps"],
        config["loader"]["batch_size"],
    )
    views = objective.get("num_views", 1)
    crops = getattr(resolve(objective["name"], OBJECTIVES), "crops", 1)
    return {
        "recipe": config["recipe"],
        "objective": objective["name"],
        "encoder": f"{objective['encoder'].get('name', '')} at {config['augment']['crop_size']} px",
        "training studies": number_of(config, "train"),
        "validation studies": number_of(config, "validation"),
        "steps": steps,
        "studies of a step": batch_size,
        "pictures of a study and step": views * crops,
        "pictures seen": steps * batch_size * views * crops,
        "optimizer": f"{config['optimizer']['name']}, {config['optimizer']['learning_rates']['image']:g}",
    }


def next_step(run: Run, recipe: str, overrides: Sequence[str] = ()) -> dict[str, str]:
    """Return where the weights of a finished run lie, and what to type to fine-tune them.

    Args:
        run: the finished pre-training.
        recipe: that it was started with.
        overrides: likewise.
    """
    fitting = finetuning_recipes(run)
    parts = ["workbench", "run", "05_finetune", "-p", "pretraining", recipe]
    if overrides:
        parts += ["-p", "pretraining_overrides", json.dumps(list(overrides))]
    return {
        "weights": shorten(run.folder / "checkpoints" / "best.safetensors"),
        "recipes that fine-tune this encoder": ", ".join(fitting) or "none; give one with this `encoder:`",
        "fine-tune without a page": shlex.join([*parts, *(["-p", "recipe", fitting[0]] if fitting else [])]),
    }


def finetuning_recipes(run: Run) -> list[str]:
    """Return the recipes of fine-tuning whose encoder takes the weights of a run."""
    own = _architecture(run.config["objective"]["encoder"], run.id)
    names = [f"finetune/{path.stem}" for path in sorted((RECIPES / "finetune").glob("*.yaml"))]
    return [name for name in names if _architecture(Recipe.read(name)["encoder"], name) == own]


def _architecture(encoder: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a complete encoder section without the file that it begins with, which fine-tuning replaces."""
    return read_encoder({key: value for key, value in encoder.items() if key != "weights"}, where=where)
