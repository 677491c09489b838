"""The visual words of a run: found once, kept in its folder, cut from its store."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lib.config import build
from lib.data.augment import AugmentConfig
from lib.data.loader import StudyLoader
from lib.data.splits import Manifest
from lib.data.store import Store
from lib.data.visual_words import (
    Patients,
    VisualWords,
    VisualWordsConfig,
    check_words,
    find_words,
    load_words,
    save_words,
)
from lib.data.word_loader import WordLoader, check_augment, cut_crops
from lib.loops.distributed import from_first, is_first, rank, wait_for_all
from lib.loops.evaluate import mean_losses
from lib.loops.optimizer import OptimizerConfig
from lib.loops.randomness import seed_generators
from lib.loops.train import TrainConfig
from lib.loops.train import train as run_loop
from lib.losses.gather import num_processes
from lib.models.evaluating import evaluating
from lib.objectives.reconstruction import Reconstruction
from lib.protocols.features import compute_features
from workbench.reopen import open_data
from workbench.runs import Run

WORDS, AUTO_ENCODER = "visual_words.npz", "auto_encoder"
"""In the folder of a run: the words, and the training that they come from."""

FRONTAL, UNKNOWN = ("PA", "AP", "FRONTAL"), ("UNKNOWN",)
PARTS = ("train", "validation")

ADAM = OptimizerConfig(
    name="adam",
    learning_rates={"image": 1e-3},
    schedule="milestones",
    milestones=[],
    warmup_steps=0,
    weight_decay=0.0,
    clip_norm=0.0,
)
"""Of the auto-encoder, as published: one rate to the end."""


def word_loaders(
    config: Mapping[str, Any],
    store: Store,
    manifest: Manifest,
    run_dir: Path,
    device: torch.device,
    *,
    progress: bool = True,
) -> tuple[WordLoader, WordLoader]:
    """Return the loaders of training and validation for a run whose objective learns visual words.

    A step gets as many crops as others get pictures: the views of all studies of a batch. The processes of a
    group call this together.

    Raises:
        ValueError: too few patients or room for the words, or augmentation that they do not survive.
    """
    augment = build(AugmentConfig, config["augment"])
    check_augment(augment)
    words = _find_or_load(config, store, manifest, run_dir, device, progress)
    loader = functools.partial(
        WordLoader,
        store,
        batch_size=_pictures_of_a_step(config),
        image_size=augment.crop_size,
        seed=config["seed"],
        device=device,
        share=(rank(), num_processes()),
    )
    return loader(words["train"], augment=augment, shuffle=True, drop_last=True), loader(words["validation"])


def read_words(run: Run) -> dict[str, VisualWords]:
    """Return the visual words of a run, "train" and "validation".

    Raises:
        FileNotFoundError: the run has none, or none yet.
    """
    path = run.folder / WORDS
    if not path.is_file():
        raise FileNotFoundError(
            f"Run {run.id} has no {WORDS}: objective {run.config['objective']['name']}, {run.state}. Take a "
            "run of transvw, which writes it at its start."
        )
    return load_words(path)


def word_crops(
    run: Run, *, num_words: int = 6, num_members: int = 8, resolution: int = 0, part: str = "train"
) -> np.ndarray:
    """Return what some visual words of a run show, as stored and not distorted.

    Args:
        run: of TransVW.
        num_words: the first ones, C'; at most as many as there are.
        num_members: patients of each, M, those first who are most like the random one, which is itself the
            first one in training.
        resolution: 0: at one place in all patients; 1 and more: the crops of other sizes about it.
        part: "train" or "validation".

    Returns:
        uint8 `[C', M, H, W]`, in the size that the encoder takes.

    Raises:
        FileNotFoundError: the run has no visual words.
    """
    words = read_words(run)[part]
    store, _ = open_data(run)
    chosen = (slice(num_words), slice(num_members))
    size = run.config["augment"]["crop_size"]
    return cut_crops(store, words.view_rows[chosen], words.boxes[chosen][:, :, resolution], size)


def _find_or_load(
    config: Mapping[str, Any],
    store: Store,
    manifest: Manifest,
    run_dir: Path,
    device: torch.device,
    progress: bool,
) -> dict[str, VisualWords]:
    """Return the words that lie in the folder; what is not there is found and written first."""
    path = run_dir / WORDS
    if not from_first(path.is_file()):
        words = build(VisualWordsConfig, config["objective"]["words"])
        positions = FRONTAL if store.views["position"].isin(FRONTAL).any() else UNKNOWN
        rows = {part: _one_study_each(store, manifest, part, positions) for part in PARTS}
        check_words(words, {part: len(own) for part, own in rows.items()}, store.image_size)
        loader = functools.partial(
            StudyLoader,
            store,
            batch_size=_pictures_of_a_step(config),
            num_views=1,
            image_size=words.auto_encoder_size,
            evaluation="whole",
            positions=positions,
            seed=config["seed"],
            device=device,
        )
        describe = _train_auto_encoder(loader, rows, words, config["seed"], run_dir, device, progress)
        if is_first():
            patients = {}
            for part, own in rows.items():
                described = compute_features(describe, loader(own))
                patients[part] = Patients(described.view_rows, torch.from_numpy(described.values))
            save_words(path, find_words(patients, store.image_size, words, config["seed"]))
        wait_for_all()
    return load_words(path)


def _train_auto_encoder(
    loader: Callable[..., StudyLoader],
    rows: Mapping[str, np.ndarray],
    words: VisualWordsConfig,
    seed: int,
    run_dir: Path,
    device: torch.device,
    progress: bool,
) -> Callable[[Tensor], Tensor]:
    """Train it, or go on with its training, and return what describes pictures by it."""
    share = (rank(), num_processes())
    seed_generators(seed)
    objective = Reconstruction(words.auto_encoder_size).to(device)
    steps = words.auto_encoder_steps
    run_loop(
        objective,
        loader(rows["train"], shuffle=True, share=share),
        functools.partial(mean_losses, loader=loader(rows["validation"], share=share)),
        config=TrainConfig(steps=steps, validate_every=steps, checkpoint_every=steps, autocast="none"),
        optimizer=ADAM,
        run_dir=run_dir / AUTO_ENCODER,
        progress=progress,
    )

    def describe(images: Tensor) -> Tensor:
        with evaluating(objective):
            return objective.auto_encoder.describe(images)

    return describe


def _one_study_each(store: Store, manifest: Manifest, part: str, positions: tuple[str, ...]) -> np.ndarray:
    """Return the first study of each patient of a split that has a view of these positions, ascending."""
    views = store.views
    with_picture = np.unique(views["study_row"].to_numpy()[views["position"].isin(positions).to_numpy()])
    rows = np.intersect1d(manifest.rows(part), with_picture)
    return np.sort(rows[np.unique(manifest.patients[rows], return_index=True)[1]])


def _pictures_of_a_step(config: Mapping[str, Any]) -> int:
    return config["loader"]["batch_size"] * config["objective"]["num_views"]
