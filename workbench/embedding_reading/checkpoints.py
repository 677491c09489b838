"""Image encoders by name: of a finished pre-training with any of its weights, or of a fine-tuning."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lib.data.loader import StudyLoader
from lib.data.splits import Manifest
from lib.data.store import Store
from lib.protocols.features import Features, extract_features
from workbench.embedded import BATCH, INITIAL, TRAINED, Opened, kept_path
from workbench.judgements import start_name
from workbench.locating import open_classifier
from workbench.reopen import open_data
from workbench.runs import Run, open_run
from workbench.tables import method_name

FOLDER = "embedding"
"""Where a run folder keeps features and maps, besides what `workbench.embedded` says."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Weights of a run.

    Attributes:
        run: finished.
        weights: as in `workbench.embedded.Opened`; a fine-tuning has `TRAINED` alone.
        title: for people, unlike those of its neighbours.
    """

    run: Run
    weights: str
    title: str

    @property
    def is_fine_tuned(self) -> bool:
        """Whether it has learnt to predict labels."""
        return self.run.config["task"] == "finetune"

    def keep(self, name: str) -> Path:
        """Return where something about these weights is kept."""
        path = kept_path(self.run, name, self.weights)
        return path.parent.parent / FOLDER / path.name

    def data(self) -> tuple[Store, Manifest]:
        """Open the store that the run was made from, and its splits."""
        return open_data(self.run)

    def features(
        self, store: Store, study_rows: np.ndarray, positions: Sequence[str], device: torch.device
    ) -> Features:
        """Compute the pooled feature of every picture of some studies."""
        augment = self.run.config["augment"]
        loader = StudyLoader(
            store,
            np.unique(study_rows),
            batch_size=BATCH,
            num_views=1,
            image_size=augment["crop_size"],
            evaluation=augment.get("evaluation", "crop"),
            unit="image",
            positions=positions,
            device=device,
        )
        return extract_features(self.open(device).encoder, loader)

    def open(self, device: torch.device) -> nn.Module:
        """Return the classifier of a fine-tuning, or an encoder that classifies nothing."""
        if self.is_fine_tuned:
            return open_classifier(self.run, device).classifier
        return Headless(Opened(self.run, weights=self.weights, device=device).objective.encoder).eval()


class Headless(nn.Module):
    """An encoder in the place of a classifier: `lib.explain.explain` by methods that look at no output."""

    def __init__(self, encoder: nn.Module):
        super().__init__()
        self.encoder, self.norm, self.head = encoder, nn.Identity(), nn.Identity()


def find_checkpoints(names: Sequence[str]) -> list[Checkpoint]:
    """Find checkpoints by name.

    Args:
        names: "RUN", or of a pre-training "RUN@initial" or "RUN@step-400"; RUN is the id of a finished run.

    Raises:
        ValueError: no name, a run that is not finished or has no encoder, or weights that are none.
        FileNotFoundError: no such run, or no such weights in it.
    """
    if not names:
        raise ValueError("Name at least one checkpoint: the id of a finished run.")
    found = [_find(name) for name in dict.fromkeys(names)]
    titles = [one.title for one in found]
    return [
        dataclasses.replace(one, title=f"{one.title} ({one.run.id[-4:]})")
        if titles.count(one.title) > 1
        else one
        for one in found
    ]


def _find(name: str) -> Checkpoint:
    identifier, _, weights = name.partition("@")
    weights = weights or TRAINED
    run = open_run(identifier)
    task = run.config.get("task")
    if task not in ("pretrain", "finetune"):
        raise ValueError(f"Run {run.id} has no image encoder to look into, its task is {task!r}.")
    if run.state != "finished":
        raise ValueError(f"Run {run.id} is {run.state}, not finished: its weights may still change.")
    if task == "finetune" and weights != TRAINED:
        raise ValueError(
            f"{name}: a fine-tuning keeps its best weights alone. What it began with is {run.config['init']}."
        )
    if not re.fullmatch(rf"{TRAINED}|{INITIAL}|step-\d+", weights):
        raise ValueError(f"{name}: give {TRAINED!r}, {INITIAL!r} or a kept 'step-<n>' after the @.")
    if weights.startswith("step-") and weights not in (steps := kept_steps(run)):
        raise FileNotFoundError(f"{name}: that run kept {', '.join(steps) or 'no checkpoint on its way'}.")
    return Checkpoint(run, weights, _title(run, weights))


def kept_steps(run: Run) -> list[str]:
    """Return the checkpoints that a run kept on its way, by name, the earliest first."""
    names = [path.stem for path in (run.folder / "checkpoints").glob("step-*.safetensors")]
    return sorted(names, key=lambda name: int(name.partition("-")[2]))


def _title(run: Run, weights: str) -> str:
    if run.config["task"] == "finetune":
        ratio = f"{100 * run.config['finetune']['label_ratio']:g} %"
        return f"{method_name(run.config['method'])}, fine-tuned on {ratio}"
    method = method_name(run.config["objective"]["name"])
    if weights == TRAINED:
        return method
    if weights == INITIAL:
        return method_name(start_name(run)) if start_name(run) == "random" else f"{method}, before training"
    return f"{method}, {weights.replace('-', ' ')}"
