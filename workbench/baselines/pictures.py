"""Pictures of a store as the training of a baseline, or its validation, gets them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from lib.config import build
from lib.data.augment import AugmentConfig
from lib.data.loader import StudyLoader
from lib.objectives import OBJECTIVES
from lib.registry import resolve
from workbench.inputs import open_data
from workbench.view_choice import studies_seen, view_settings


def open_loader(
    config: Mapping[str, Any],
    split: str,
    count: int,
    *,
    batch_size: int = 0,
    device: torch.device | str = "cpu",
) -> StudyLoader:
    """Return a loader of some studies, one view of each, with as many crops as the objective compares.

    Training studies are varied as the recipe says. Validation studies are varied only where crops are
    compared, as in the run's own validation.

    Args:
        config: of a run, `Run.config`.
        split: whose studies.
        count: studies at most; which follows from the seed of the run.
        batch_size: studies at a time; 0: all of them together.
        device: where batches end up.
    """
    store, manifest = open_data(config)
    rows = studies_seen(config, store, manifest.rows(split))
    rows = np.random.default_rng(config["seed"]).permutation(rows)[:count]
    crops = getattr(resolve(config["objective"]["name"], OBJECTIVES), "crops", 1)
    augment = build(AugmentConfig, config["augment"])
    return StudyLoader(
        store,
        rows,
        batch_size=min(batch_size, len(rows)) or len(rows),
        augment=augment if split == "train" or crops > 1 else None,
        **{**view_settings(config), "num_views": 1},
        crops=crops,
        seed=config["seed"],
        drop_last=crops > 1,  # the size of a batch decides how hard its question is
        device=device,
    )


def number_of(config: Mapping[str, Any], split: str) -> int:
    """Return how many studies a split has."""
    store, manifest = open_data(config)
    return len(studies_seen(config, store, manifest.rows(split)))
