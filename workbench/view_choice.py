"""Which views of a study a pre-training takes, wherever its pictures are seen again."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lib.data.store import Store
from lib.protocols.targets import studies_in_positions


def view_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a pre-training tells `StudyLoader` of views.

    Args:
        config: of a run, also of one from before some of these settings.
    """
    return {
        "num_views": config["objective"].get("num_views", 1),
        "image_size": config["augment"]["crop_size"],
        "evaluation": config["augment"].get("evaluation", "crop"),
        "positions": config["loader"].get("positions") or None,
    }


def studies_seen(config: Mapping[str, Any], store: Store, rows: np.ndarray) -> np.ndarray:
    """Return those of the study rows that have a view which a pre-training takes."""
    positions = config["loader"].get("positions")
    return studies_in_positions(store, rows, positions) if positions else rows
