"""From a recipe to the full config of a run: every default filled in, every input named by its id."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lib.config import to_plain
from lib.data.augment import AugmentConfig
from lib.data.text_units import check_text_unit
from lib.loops.evaluate import CIDER, GenerationConfig
from lib.loops.optimizer import OptimizerConfig
from lib.loops.precision import resolve_autocast
from lib.loops.train import TrainConfig
from lib.loops.written_reports import check_can_write
from lib.objectives import OBJECTIVES
from lib.objectives.lsp import choose_label_targets
from lib.protocols.finetune import RANDOM, FinetuneConfig
from lib.registry import resolve
from workbench.inputs import (
    describe_data,
    describe_init,
    describe_weights,
    encoder_of,
    open_data,
    resolve_device,
)
from workbench.recipe import Recipe
from workbench.sections import LoaderConfig, TokenizerConfig, read_encoder, read_objective

PLANS = {"pretrain": "workbench.plan:plan_pretraining", "finetune": "workbench.plan:plan_finetuning"}

PRETRAINED = "pretrained"
"""In place of the section `encoder` of a fine-tuning: that of the run which `init` names."""

SECTIONS = {"augment": AugmentConfig, "optimizer": OptimizerConfig, "train": TrainConfig}
PRETRAIN_SECTIONS = {"tokenizer": TokenizerConfig, "loader": LoaderConfig, **SECTIONS}
KEYS = ("task", "store", "manifest", "split_seed", "allow_leak", "seed", "device")
PRETRAIN_KEYS = (*KEYS, "processes", "objective", *PRETRAIN_SECTIONS, "generation")
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
    if "text_unit" in objective:
        check_text_unit(objective["text_unit"])
    if "words" in objective and sections["loader"]["positions"]:
        raise ValueError(f"{where}: visual words lie in frontal views alone; leave out loader.positions.")
    data = describe_data(source)
    if "targets" in objective:
        objective |= _label_targets(objective["targets"], data)
    return {
        "recipe": source.name,
        "task": "pretrain",
        **data,
        **describe_weights(objective["encoder"]),
        "allow_leak": source.get("allow_leak", ""),
        "seed": source.get("seed", 0),
        "device": _device(source, sections),
        "processes": _processes(source, sections),
        "objective": objective,
        **sections,
        **_generation(source, objective["name"], sections["train"]),
    }


def plan_finetuning(source: Recipe, root: Path | str | None) -> dict[str, Any]:
    """Return the config of a fine-tuning."""
    source.check_keys(FINETUNE_KEYS)
    where = f"Recipe {source.name}, section encoder"
    seed, init = source.get("seed", 0), source.get("init", RANDOM)
    initial = describe_init(init, root)
    values = source["encoder"]
    encoder = read_encoder(encoder_of(initial["init"]) if values == PRETRAINED else values, where=where)
    sections = {key: to_plain(source.section(key, schema)) for key, schema in SECTIONS.items()}
    _check_image_size(encoder["image_size"], sections, where)
    protocol = to_plain(source.section("finetune", FinetuneConfig, init=init, seed=seed))
    data = describe_data(source)
    weights = describe_weights(encoder)
    if weights and init != RANDOM:
        raise ValueError(
            f"Recipe {source.name}: the encoder cannot begin both with init={init} and with encoder.weights="
            f"{encoder['weights']}; leave one out."
        )
    begins_with = Path(encoder["weights"]).stem if weights else initial["method"]
    return {
        "recipe": source.name,
        "task": "finetune",
        **data,
        "allow_leak": source.get("allow_leak", ""),
        **initial,
        **weights,
        "method": source.get("method", "") or begins_with,
        "seed": seed,
        "device": _device(source, sections),
        "encoder": encoder,
        "finetune": {key: value for key, value in protocol.items() if key not in ("init", "seed")},
        **sections,
    }


def _label_targets(targets: list[str], data: dict[str, Any]) -> dict[str, list[str]]:
    """Settle what an objective learns of the labels, so that its run can be opened without the store."""
    store, manifest = open_data(data)
    names, labels = list(store.label_names), torch.from_numpy(store.labels[manifest.rows("train")])
    return {"targets": choose_label_targets(names, labels, targets), "labels": names}


def _generation(source: Recipe, objective: str, train: dict[str, Any]) -> dict[str, Any]:
    """Return the section of validation by written reports where the recipe has it or chooses by it.

    No other run writes any, and its config says nothing of it.
    """
    if "generation" not in source.values and train["monitor"] != CIDER:
        return {}
    kind = resolve(objective, OBJECTIVES)
    check_can_write(kind, f"Recipe {source.name} asks for the CIDEr of reports: objective {objective}")
    if train["monitor"] == CIDER and train["mode"] != "max":
        raise ValueError(
            f"Recipe {source.name}: train.monitor={CIDER} with train.mode={train['mode']} would keep the "
            "worst reports; set train.mode=max."
        )
    return {"generation": to_plain(source.section("generation", GenerationConfig))}


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
