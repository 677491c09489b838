"""From a recipe to the full config of a run: every default filled in, every input named by its id."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib.config import to_plain
from lib.data.augment import AugmentConfig
from lib.loops.optimizer import OptimizerConfig
from lib.loops.precision import resolve_autocast
from lib.loops.train import TrainConfig
from lib.protocols.finetune import RANDOM, FinetuneConfig
from lib.registry import resolve
from workbench.inputs import describe_data, describe_init, resolve_device
from workbench.recipe import Recipe
from workbench.sections import LoaderConfig, TokenizerConfig, read_encoder, read_objective

PLANS = {"pretrain": "workbench.plan:plan_pretraining", "finetune": "workbench.plan:plan_finetuning"}

SECTIONS = {"augment": AugmentConfig, "optimizer": OptimizerConfig, "train": TrainConfig}
PRETRAIN_SECTIONS = {"tokenizer": TokenizerConfig, "loader": LoaderConfig, **SECTIONS}
KEYS = ("task", "store", "manifest", "split_seed", "allow_leak", "seed", "device")
PRETRAIN_KEYS = (*KEYS, "processes", "objective", *PRETRAIN_SECTIONS)
FINETUNE_KEYS = (*KEYS, "init", "method", "encoder", "finetune", *SECTIONS)


def plan(recipe: str, overrides: Sequence[str] = (), *, root: Path | str | None = None) -> dict[str, Any]:
    """Return the config of the run that a recipe describes; a manifest that is missing is made.

    Args:
        recipe: short name ("refers/phantom") or path.
        overrides: `"train.steps=100"` and so on.
        root: of the run folders, where `init` may name one; None: `outputs/runs` of the project.

    Returns:
        Plain nested values, which are all that a run needs.

    Raises:
        FileNotFoundError: no such recipe, store or initial weights.
        ValueError: a key or value of the recipe that does not fit; names it.
    """
    source = Recipe.read(recipe, overrides)
    return resolve(source["task"], PLANS)(source, root)


def plan_pretraining(source: Recipe, root: Path | str | None) -> dict[str, Any]:
    """Return the config of a pre-training."""
    source.check_keys(PRETRAIN_KEYS)
    where = f"Recipe {source.name}, section objective"
    objective = read_objective(source["objective"], where=where)
    sections = {key: to_plain(source.section(key, schema)) for key, schema in PRETRAIN_SECTIONS.items()}
    _check_image_size(objective["encoder"]["image_size"], sections, where)
    return {
        "recipe": source.name,
        "task": "pretrain",
        **describe_data(source),
        "allow_leak": source.get("allow_leak", ""),
        "seed": source.get("seed", 0),
        "device": _device(source, sections),
        "processes": _processes(source, sections),
        "objective": objective,
        **sections,
    }


def plan_finetuning(source: Recipe, root: Path | str | None) -> dict[str, Any]:
    """Return the config of a fine-tuning."""
    source.check_keys(FINETUNE_KEYS)
    where = f"Recipe {source.name}, section encoder"
    encoder = read_encoder(source["encoder"], where=where)
    sections = {key: to_plain(source.section(key, schema)) for key, schema in SECTIONS.items()}
    _check_image_size(encoder["image_size"], sections, where)
    seed, init = source.get("seed", 0), source.get("init", RANDOM)
    protocol = to_plain(source.section("finetune", FinetuneConfig, init=init, seed=seed))
    initial = describe_init(init, root)
    return {
        "recipe": source.name,
        "task": "finetune",
        **describe_data(source),
        "allow_leak": source.get("allow_leak", ""),
        **initial,
        "method": source.get("method", "") or initial["method"],
        "seed": seed,
        "device": _device(source, sections),
        "encoder": encoder,
        "finetune": {key: value for key, value in protocol.items() if key not in ("init", "seed")},
        **sections,
    }


def _processes(source: Recipe, sections: dict[str, Any]) -> int:
    processes, batch_size = source.get("processes", 1), sections["loader"]["batch_size"]
    if processes < 1 or batch_size % processes:
        raise ValueError(
            f"Recipe {source.name}: {processes} processes cannot share batches of {batch_size} equally; "
            "change processes or loader.batch_size."
        )
    return processes


def _device(source: Recipe, sections: dict[str, Any]) -> str:
    device = resolve_device(source.get("device", "auto"))
    resolve_autocast(sections["train"]["autocast"], device)  # a wrong setting is refused before any work
    return str(device)


def _check_image_size(image_size: int, sections: dict[str, Any], where: str) -> None:
    crop_size = sections["augment"]["crop_size"]
    if image_size != crop_size:
        raise ValueError(
            f"{where}: the encoder's image_size {image_size} differs from augment.crop_size {crop_size}; "
            "give both the same."
        )
