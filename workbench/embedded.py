"""A finished pre-training, and the pictures of a store as it sees them: computed once, kept in its folder."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lib.data.loader import StudyLoader
from lib.data.splits import SPLITS, Manifest
from lib.data.store import Store
from lib.loops.randomness import seed_generators
from lib.protocols.features import Features, extract_features
from lib.protocols.pair_encoder import PairEncoder
from workbench.reopen import load_objective, load_tokenizers
from workbench.runs import Run
from workbench.sections import make_objective

FRONTAL = ("PA", "AP", "FRONTAL")
TRAINED, INITIAL = "trained", "initial"
"""Weights of an objective: the best of its run, or those that a run of its recipe starts from; besides those
of a checkpoint which `train.keep_every` kept, by the name of its file: "step-400"."""

FOLDER = "judged"
"""Where a run folder keeps what is said here."""

BATCH = 64


class Opened:
    """The objective of a run, ready to look at pictures and to read.

    Attributes:
        run: the run.
        objective: in evaluation mode.
        weights: `TRAINED`, `INITIAL` or a kept checkpoint.
        image_size: pixels of a side of what it looks at.
        evaluation: "crop" or "whole" pictures, as in its validation; see `lib.data.augment.AugmentConfig`.
        device: where it is.
        pairs: its texts and images; None for an objective that embeds no texts.
    """

    def __init__(self, run: Run, *, weights: str = TRAINED, device: torch.device | str = "cpu"):
        """Open a finished pre-training.

        Raises:
            ValueError: the run is no pre-training or not finished, or other weights are asked for.
            FileNotFoundError: the run kept no such checkpoint.
        """
        if run.config.get("task") != "pretrain":
            raise ValueError(
                f"Run {run.id} is no pre-training, its task is {run.config.get('task')!r}. "
                "Give a pre-training."
            )
        if run.state != "finished":
            raise ValueError(f"Run {run.id} is {run.state}, not finished: its weights may still change.")
        if weights not in (TRAINED, INITIAL) and not re.fullmatch(r"step-\d+", weights):
            raise ValueError(f"weights={weights!r}: give {TRAINED!r}, {INITIAL!r} or a kept 'step-<n>'.")
        self.run, self.weights, self.device = run, weights, torch.device(device)
        if weights == INITIAL:
            self.objective = _initial(run, self.device)
        else:
            checkpoint = "best" if weights == TRAINED else weights
            self.objective = load_objective(run, device, checkpoint=checkpoint)
        self.image_size: int = run.config["augment"]["crop_size"]
        self.evaluation: str = run.config["augment"].get("evaluation", "crop")
        self.pairs = None
        if getattr(self.objective, "compares_texts", False):
            self.pairs = PairEncoder(
                self.objective,
                load_tokenizers(run)["text"],
                max_tokens=run.config["objective"]["max_text_tokens"],
                device=device,
                batch_size=BATCH,
            )

    def keep(self, name: str) -> Path:
        """Return where something about the run is kept, named after its weights too."""
        return kept_path(self.run, name, self.weights)


def kept_path(run: Run, name: str, weights: str) -> Path:
    """Return where something about a run with some weights is kept."""
    stem, _, suffix = name.rpartition(".")
    marked = stem if weights == TRAINED else f"{stem}-{weights}"
    return run.folder / FOLDER / f"{marked}.{suffix}"


@dataclasses.dataclass(frozen=True)
class Embedded:
    """Pictures of a store.

    Attributes:
        features: of the image encoder, all pictures of all splits.
        embeddings: in the space shared with texts, the pictures of one split; None without texts.
    """

    features: Features
    embeddings: Features | None


def embed(
    opened: Opened, store: Store, manifest: Manifest, split: str, positions: Sequence[str] = FRONTAL
) -> Embedded:
    """Compute both, or read them where this run has computed them before.

    Args:
        opened: the run.
        store: of the pictures.
        manifest: its splits.
        split: whose pictures get embeddings.
        positions: of the views to take.
    """

    def kept(part: str, rows: np.ndarray, compute: Callable[[StudyLoader], Features]) -> Features:
        size = f"{opened.image_size}px" + ("-whole" if opened.evaluation == "whole" else "")
        place = (store.path.name, store.id[:8], manifest.id[:8], size, *positions, part)
        path = opened.keep(f"{'-'.join(place)}.npz")
        if not path.is_file():
            loader = StudyLoader(
                store,
                rows,
                batch_size=BATCH,
                num_views=1,
                image_size=opened.image_size,
                evaluation=opened.evaluation,
                unit="image",
                positions=positions,
                device=opened.device,
            )
            compute(loader).save(path)
        return Features.load(path)

    everything = np.sort(np.concatenate([manifest.rows(name) for name in SPLITS]))
    encoder = opened.objective.encoder
    features = kept("features", everything, lambda loader: extract_features(encoder, loader))
    if opened.pairs is None:
        return Embedded(features, None)
    return Embedded(features, kept(f"{split}-embeddings", manifest.rows(split), opened.pairs.embed_images))


def _initial(run: Run, device: torch.device) -> nn.Module:
    seed_generators(run.config["seed"])
    return make_objective(run.config["objective"], load_tokenizers(run)).to(device).eval()
