"""Fine-tune protocol (REFERS, section 4.2): train encoder and head on a share of the labels, test once."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from lib.atomic import write_json
from lib.data.augment import AugmentConfig
from lib.data.loader import StudyLoader
from lib.data.splits import Manifest
from lib.data.store import Store
from lib.loops.optimizer import HEAD, OptimizerConfig
from lib.loops.precision import autocast
from lib.loops.randomness import seed_generators
from lib.loops.train import TrainConfig, train
from lib.models.pretrained import load_encoder, load_strictly
from lib.objectives.label_classifier import LabelClassifier
from lib.protocols.prediction_tables import check_average
from lib.protocols.predictions import judge, predict, prediction_table, write_table
from lib.protocols.targets import choose_rows, target_labels

RANDOM = "random"
METRICS = ("auroc", "accuracy")


@dataclasses.dataclass(kw_only=True)
class FinetuneConfig:
    """What is predicted from what; the defaults are those of REFERS (section 4.2).

    ConVIRT (appendix B): head_dropout 0.2, batch_size 64, accuracy for COVIDx, averages by patient for MURA;
    the recipes finetune/convirt_* have it all.

    The paper judges single radiographs; images here are the frontal views, one item each, with the labels
    of their study. How long and how fast is said by `TrainConfig` and `OptimizerConfig`; the budget is in
    steps, so that a tiny label set does not end after a moment.

    Attributes:
        init: "random", a run folder (its checkpoints/best.safetensors) or a safetensors file.
        task: "multi_label", "binary" or "multi_class".
        targets: label names; empty: all that have `min_positives` studies with and without them in every
            split at label ratio 1, so that all label ratios share them.
        label_ratio: share of the training studies whose labels are used.
        draw: which of the manifest's nested subsets of that size.
        seed: of augmentation, order, head and dropout.
        batch_size: 128 in the paper.
        positions: views that count as frontal.
        min_positives: see `targets`.
        feature_norm: "none" (paper) or "batch", between encoder and head; see
            `lib.models.heads.make_feature_norm`.
        head_dropout: share of the features that the head does not see in a step.
        metric: of the validation, by which the best weights are chosen: "auroc", or for "multi_class" also
            "accuracy".
        average_by: "study" or "patient": the test is judged by the mean probability of their images (see
            `lib.protocols.prediction_tables`), validation and predictions.parquet are still by image.
            "": each image.
    """

    init: str = RANDOM
    task: str = "multi_label"
    targets: list[str] = dataclasses.field(default_factory=list)
    label_ratio: float = 1.0
    draw: int = 0
    seed: int = 0
    batch_size: int = 128
    positions: list[str] = dataclasses.field(default_factory=lambda: ["PA", "AP", "FRONTAL"])
    min_positives: int = 1
    feature_norm: str = "none"
    head_dropout: float = 0.0
    metric: str = "auroc"
    average_by: str = ""

    def __post_init__(self):
        if not 0 <= self.head_dropout < 1:
            raise ValueError(f"head_dropout {self.head_dropout} is not a share (0 <= share < 1).")
        if self.metric not in METRICS:
            raise ValueError(f"metric is {self.metric!r}; it must be one of {', '.join(METRICS)}.")
        if self.metric == "accuracy" and self.task != "multi_class":
            raise ValueError(f'metric "accuracy" is for task "multi_class", not for {self.task!r}.')
        check_average(self.average_by, self.task)


def finetune(
    encoder: nn.Module,
    store: Store,
    manifest: Manifest,
    *,
    config: FinetuneConfig,
    train_config: TrainConfig,
    optimizer: OptimizerConfig,
    augment: AugmentConfig,
    run_dir: Path,
    device: torch.device | str = "cpu",
    progress: bool = True,
) -> dict[str, Any]:
    """Fine-tune an encoder and judge it on the test split; resumes from `run_dir`.

    The best validation is the one of the highest `config.metric`, or of the lowest loss where that is AUROC
    and a target has one class only in the validation split. `train_config.monitor` and `mode` are set
    accordingly. With `optimizer.head_steps` the head is trained alone first, on features of evaluation.

    Args:
        encoder: takes the weights that `config.init` names.
        store: of the target domain.
        manifest: its splits and label-ratio subsets.
        config: what is predicted from what.
        train_config: steps and intervals.
        optimizer: the learning rate "image" of everything, or with "head" another one of the head.
        augment: of the training images, and what evaluation sees; its crop size is that of all images.
        run_dir: gets predictions.parquet, resamples.safetensors, result.json, metrics.jsonl and checkpoints.
        device: where to train.
        progress: shows a bar.

    Returns:
        What result.json holds.

    Raises:
        ValueError: settings that do not fit the store, or weights that do not fit the encoder.
    """
    manifest.check(store)
    if config.init != RANDOM:
        load_encoder(encoder, checkpoint_of(config.init))
    targets, rows = choose_rows(store, manifest, config)
    seed_generators(config.seed)
    columns = [store.label_names.index(name) for name in targets]
    classifier = LabelClassifier(
        encoder,
        config.task,
        columns,
        config.feature_norm,
        dropout=config.head_dropout,
        head_apart=HEAD in optimizer.learning_rates,
    )
    classifier.start_from_frequencies(torch.from_numpy(target_labels(store, rows["train"], targets)))
    classifier.to(device)
    loader = functools.partial(
        StudyLoader,
        store,
        batch_size=config.batch_size,
        num_views=1,
        image_size=augment.crop_size,
        evaluation=augment.evaluation,
        unit="image",
        positions=tuple(config.positions),
        seed=config.seed,
        device=device,
    )
    training = loader(rows["train"], augment=augment, shuffle=True)
    if len(training) > 1:  # no rest of a batch, but a set smaller than one is taken whole
        training = loader(rows["train"], augment=augment, shuffle=True, drop_last=True)
    num_images = len(training.items.study_rows)
    if config.feature_norm == "batch" and min(config.batch_size, num_images) < 2:
        raise ValueError(
            'finetune.feature_norm "batch" needs two images in a step: label_ratio '
            f"{config.label_ratio:g} leaves {num_images} for training, batch_size is {config.batch_size}. "
            'Raise the smaller one, or take feature_norm "none".'
        )
    validation, test = (loader(rows[name]) for name in ("validation", "test"))
    monitor, mode = _monitor(store, rows["validation"], targets, config.metric)

    result = train(
        classifier,
        training,
        functools.partial(_validate, loader=validation),
        config=dataclasses.replace(train_config, monitor=monitor, mode=mode),
        optimizer=optimizer,
        run_dir=run_dir,
        progress=progress,
    )

    load_strictly(classifier, load_file(run_dir / "checkpoints" / "best.safetensors"))
    with autocast(result.precision, torch.device(device)):
        predictions = predict(classifier.eval(), test)
    table = prediction_table(predictions, store, targets)
    file = run_dir / "predictions.parquet"
    write_table(file, table)
    report = {
        **judge(table, task=config.task, average_by=config.average_by, file=file),
        "targets": targets,
        "init": config.init,
        "label_ratio": config.label_ratio,
        "draw": config.draw,
        "seed": config.seed,
        "num_train_studies": len(rows["train"]),
        "num_train_images": num_images,
        "monitor": monitor,
        "best_step": result.best_step,
        "best_validation": result.best,
        "steps": result.steps,
        "seconds": round(result.seconds, 1),
        "precision": result.precision,
    }
    write_json(run_dir / "result.json", report)
    return report


def checkpoint_of(init: str) -> Path:
    """Return the safetensors file that `init` means: itself, or the best one of a run folder."""
    path = Path(init)
    return path / "checkpoints" / "best.safetensors" if path.is_dir() else path


def _monitor(store: Store, rows: np.ndarray, targets: list[str], metric: str) -> tuple[str, str]:
    """Choose the metric of validation: AUROC needs both classes of every target."""
    if metric == "accuracy":
        return "accuracy", "max"
    labels = target_labels(store, rows, targets)
    has_both = (labels == 0).any(0) & (labels == 1).any(0)
    return ("auroc", "max") if has_both.all() else ("loss", "min")


def _validate(classifier: nn.Module, loader: StudyLoader) -> dict[str, float]:
    """Return mean AUROC and loss on the validation images, and for "multi_class" the accuracy."""
    predictions = predict(classifier, loader)
    metrics = {"auroc": predictions.mean_auroc(), "loss": predictions.loss}
    return metrics | {"accuracy": predictions.accuracy()} if classifier.task == "multi_class" else metrics
