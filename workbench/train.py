"""Recipes into runs: pre-training and fine-tuning; `python -m workbench.train RECIPE [key=value ...]`."""

import contextlib
import functools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lib.atomic import write_json
from lib.config import build
from lib.data.augment import AugmentConfig
from lib.data.loader import ReportTokens, StudyLoader
from lib.data.store import Store
from lib.data.tokenizer import PieceTokenizer
from lib.loops.distributed import (
    from_first,
    is_first,
    is_started_by_torchrun,
    joined,
    rank,
    take_device,
)
from lib.loops.evaluate import GenerationConfig, WrittenCider, all_of, choose_written, mean_losses
from lib.loops.optimizer import OptimizerConfig
from lib.loops.precision import resolve_autocast
from lib.loops.randomness import seed_generators
from lib.loops.train import TrainConfig
from lib.loops.train import train as run_loop
from lib.losses.gather import num_processes
from lib.models.encoder import make_encoder
from lib.objectives import OBJECTIVES
from lib.protocols.finetune import RANDOM, FinetuneConfig
from lib.protocols.finetune import finetune as run_protocol
from lib.registry import resolve
from workbench.audits import audit_run
from workbench.grid import finetune_grid
from workbench.inputs import keep_card, open_data, resolve_place
from workbench.plan import plan
from workbench.processes import together
from workbench.recipe import Recipe
from workbench.runs import Run, find_finished, find_resumable
from workbench.sections import make_objective
from workbench.texts import read_texts
from workbench.view_choice import studies_seen, view_settings
from workbench.words import word_loaders

__all__ = ["finetune", "finetune_grid", "pretrain", "resume", "train"]

WORK = {"pretrain": "workbench.train:run_pretraining", "finetune": "workbench.train:run_finetuning"}


def train(
    recipe: str, overrides: Sequence[str] = (), *, root: Path | str | None = None, progress: bool = True
) -> Run:
    """Do what a recipe says; a finished run of the same config is returned, an unfinished one goes on.

    Args:
        recipe: short name ("refers/phantom") or path.
        overrides: `"train.steps=100"` and so on.
        root: of the run folders; None: `outputs/runs` of the project.
        progress: shows a bar, unless TQDM_DISABLE is set.

    Returns:
        The finished run.

    Raises:
        FileNotFoundError: no such recipe, store or initial weights.
        ValueError: a key or value of the recipe that does not fit; names it.
        NonFiniteLoss: the training broke down; names the studies.
    """
    if not is_started_by_torchrun():
        return _train(recipe, overrides, root, progress)
    with joined():
        return _train(recipe, overrides, root, progress)


def _train(recipe: str, overrides: Sequence[str], root: Path | str | None, progress: bool) -> Run:
    """Find or make the run, which is the first process's business, and train it, which is everyone's."""
    folder, is_finished = None, False
    if is_first():
        config = plan(recipe, overrides, root=root)
        run = find_finished(config, root)
        is_finished = run is not None
        run = run or find_resumable(config, root) or Run.create(config["recipe"], config, root)
        folder = run.folder
    folder, is_finished = from_first((folder, is_finished))
    run = Run(folder)
    if not is_finished:
        resume(run, progress=progress)
    return run


def pretrain(recipe: str, overrides: Sequence[str] = (), **options: Any) -> Run:
    """Pre-train by a recipe of task "pretrain"; arguments and errors as in `train`."""
    _expect(recipe, overrides, "pretrain")
    return train(recipe, overrides, **options)


def finetune(recipe: str, overrides: Sequence[str] = (), **options: Any) -> Run:
    """Fine-tune and test by a recipe of task "finetune"; arguments and errors as in `train`."""
    _expect(recipe, overrides, "finetune")
    return train(recipe, overrides, **options)


def resume(run: Run, *, progress: bool = True) -> None:
    """Bring a run to its end, from its folder alone: from the beginning or from its last checkpoint.

    The processes of a group call this together. One process alone that finds `processes` in the config
    starts the others.
    """
    work = resolve(run.config["task"], WORK)
    if not is_first():
        work(run.config, run.folder, progress=False)
        return
    device = torch.device(run.config["device"])
    precision = resolve_autocast(run.config["train"]["autocast"], device)
    processes = run.config.get("processes", 1) if num_processes() == 1 else num_processes()
    with contextlib.ExitStack() as stack:
        stack.enter_context(run.recording(device=str(device), precision=precision, processes=processes))
        audit_run(run.config, run.folder)
        if processes > num_processes():
            stack.enter_context(together(run, processes))
        work(run.config, run.folder, progress=progress)


def run_pretraining(config: Mapping[str, Any], run_dir: Path, *, progress: bool = True) -> None:
    """Pre-train by the config of a run; adds tokenizer.json and result.json to what the loop writes."""
    device = take_device(torch.device(config["device"]))
    store, manifest = open_data(config)
    rows = studies_seen(config, store, manifest.rows("train"))
    validation_rows = studies_seen(config, store, manifest.rows("validation"))
    read = read_texts(config, store, rows, run_dir)
    if "words" in config["objective"]:
        training, validation = word_loaders(config, store, manifest, run_dir, device, progress=progress)
    else:
        training, validation = _study_loaders(config, store, rows, validation_rows, read.tokens, device)

    seed_generators(config["seed"] + rank())  # dropout differs; all begin with the first one's weights
    objective = make_objective(config["objective"], read.tokenizers)
    if is_first():
        keep_card(objective.encoder.loaded, config, run_dir)
    if "report" in objective.reads:
        objective.start_from_reports(torch.from_numpy(read.tokens.report[0, rows]).long())
    if "targets" in config["objective"]:
        objective.start_from_labels(torch.from_numpy(store.labels[rows]))
    objective.to(device)
    validate = functools.partial(mean_losses, loader=validation)
    if "generation" in config:
        cider = _written_cider(config, store, validation_rows, read.tokenizers["report"], device)
        validate = all_of(validate, cider)
    result = run_loop(
        objective,
        training,
        validate,
        config=build(TrainConfig, config["train"]),
        optimizer=build(OptimizerConfig, config["optimizer"]),
        run_dir=run_dir,
        progress=progress,
    )
    report = {
        "best_step": result.best_step,
        "best_validation": result.best,
        "steps": result.steps,
        "seconds": round(result.seconds, 1),
        "precision": result.precision,
        "num_train_studies": len(rows),
        "num_validation_studies": len(validation_rows),
        "num_parameters": sum(parameter.numel() for parameter in objective.parameters()),
        "vocabularies": {name: len(tokenizer) for name, tokenizer in read.tokenizers.items()},
    }
    if is_first():
        write_json(run_dir / "result.json", report)


def _study_loaders(
    config: Mapping[str, Any],
    store: Store,
    rows: np.ndarray,
    validation_rows: np.ndarray,
    tokens: ReportTokens | None,
    device: torch.device,
) -> tuple[StudyLoader, StudyLoader]:
    """Return the batches of studies of training and validation."""
    augment = build(AugmentConfig, config["augment"])
    crops = getattr(resolve(config["objective"]["name"], OBJECTIVES), "crops", 1)
    loader = functools.partial(
        StudyLoader,
        store,
        batch_size=config["loader"]["batch_size"],
        **view_settings(config),
        crops=crops,
        tokens=tokens,
        seed=config["seed"],
        device=device,
        share=(rank(), num_processes()),
    )
    # A contrastive loss depends on the size of the batch: whole ones, unless that leaves none to validate.
    training = loader(rows, augment=augment, shuffle=True, drop_last=True)
    validation = loader(
        validation_rows,
        # Crops that are compared must differ there too; they are the same ones in every validation.
        augment=augment if crops > 1 else None,
        drop_last=len(validation_rows) >= config["loader"]["batch_size"],
    )
    return training, validation


def _written_cider(
    config: Mapping[str, Any], store: Store, rows: np.ndarray, tokenizer: PieceTokenizer, device: torch.device
) -> WrittenCider:
    """Return the validation that writes reports; each process writes about other studies."""
    generation = build(GenerationConfig, config["generation"])
    share = (rank(), num_processes())
    chosen = choose_written(store.texts, rows, generation, config["seed"], share)
    loader = StudyLoader(
        store,
        chosen,
        batch_size=config["loader"]["batch_size"],
        **view_settings(config),
        device=device,
    )
    return WrittenCider(loader, tokenizer, store.texts, rows, beam_size=generation.beam_size)


def run_finetuning(config: Mapping[str, Any], run_dir: Path, *, progress: bool = True) -> None:
    """Fine-tune by the config of a run."""
    if num_processes() > 1:
        raise ValueError("A fine-tuning runs in one process; start it without torchrun.")
    store, manifest = open_data(config)
    init = config["init"] if config["init"] == RANDOM else str(resolve_place(config["init"]))
    seed_generators(config["seed"])
    encoder = make_encoder(config["encoder"])
    keep_card(encoder.loaded, config, run_dir)
    run_protocol(
        encoder,
        store,
        manifest,
        config=build(FinetuneConfig, {**config["finetune"], "init": init, "seed": config["seed"]}),
        train_config=build(TrainConfig, config["train"]),
        optimizer=build(OptimizerConfig, config["optimizer"]),
        augment=build(AugmentConfig, config["augment"]),
        run_dir=run_dir,
        device=config["device"],
        progress=progress,
    )


def _expect(recipe: str, overrides: Sequence[str], task: str) -> None:
    found = Recipe.read(recipe, overrides)["task"]
    if found != task:
        raise ValueError(f"Recipe {recipe} has task {found!r}, not {task!r}.")


def main(arguments: Sequence[str]) -> int:
    """Train by a recipe from the command line; one line and exit code 1 when something does not fit."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    try:
        run = train(arguments[0], arguments[1:])
    except (ValueError, OSError, ArithmeticError) as error:
        print(f"workbench.train: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    print(run.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
