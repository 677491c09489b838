"""What maps are worth, what neighbours share, what can be read from features: as tables.

Letters: `N` pictures, `k` neighbours.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.atomic import write_json
from lib.config import config_hash
from lib.embedding.confounders import read_off
from lib.embedding.neighbours import agreement, nearest
from lib.embedding.quality import stability, trustworthiness
from lib.metrics.mean_interval import mean_interval
from workbench.embedding_reading.atlas import Atlas
from workbench.embedding_reading.colours import ALONE, Colouring
from workbench.embedding_reading.pictures import Pictures

NEIGHBOURS = 15
"""k; at most a tenth of the pictures."""


def num_neighbours(pictures: Pictures) -> int:
    """Return k for so many pictures."""
    return max(1, min(NEIGHBOURS, len(pictures) // 10))


def map_quality(atlas: Atlas, methods: Sequence[str], *, seeds: Sequence[int] = (0, 1, 2)) -> pd.DataFrame:
    """Return one row for each checkpoint and method; what was measured before is read from the run folder.

    Columns: checkpoint, method, trustworthiness, continuity, and neighbours, chance, places of
    `lib.embedding.quality.Stability`.

    Raises:
        ValueError: an unknown method, or fewer than two seeds.
    """
    k, rows = num_neighbours(atlas.pictures), []
    for number, checkpoint in enumerate(atlas.checkpoints):
        for method in methods:
            asked = [method, k, atlas.seed, *seeds, dataclasses.asdict(atlas.config)]
            path = atlas.kept(number, f"{method}-quality-{config_hash({'asked': asked})[:6]}.json")
            if not path.is_file():
                values, placed = atlas.features(number), atlas.map(number, method)
                again = stability(
                    values, atlas.pictures.patients, method, k=k, seeds=tuple(seeds), config=atlas.config
                )
                kept = {
                    "trustworthiness": trustworthiness(values, placed, k),
                    "continuity": trustworthiness(placed, values, k),
                }
                write_json(path, kept | again._asdict())
            rows.append({"checkpoint": checkpoint.title, "method": method, **json.loads(path.read_text())})
    return pd.DataFrame(rows)


def neighbour_agreement(atlas: Atlas, known: Mapping[str, Colouring], method: str) -> pd.DataFrame:
    """Return for each checkpoint and property how many neighbours share it, of other patients all.

    Columns: checkpoint, property, is_finding, classes, estimate, low, high (among the features), map (on the
    map), chance.

    Args:
        atlas: the maps.
        known: properties by name.
        method: of the map.
    """
    k, patients, rows = num_neighbours(atlas.pictures), atlas.pictures.patients, []
    for number, checkpoint in enumerate(atlas.checkpoints):
        near = nearest(atlas.features(number), k, groups=patients)
        near_on_map = nearest(atlas.map(number, method), k, groups=patients)
        for one in _asked(known):
            shares, chance = agreement(near, one.known())
            on_map, _ = agreement(near_on_map, one.known())
            judged = np.isfinite(shares)
            if not judged.any():
                continue
            low, high = mean_interval(shares[judged, None], patients[judged], replicates=1000)
            rows.append(
                {
                    **_about(checkpoint.title, one, atlas.pictures),
                    "estimate": shares[judged].mean(),
                    "low": low[0],
                    "high": high[0],
                    "map": np.nanmean(on_map),
                    "chance": chance,
                }
            )
    return pd.DataFrame(rows)


def probe_features(atlas: Atlas, known: Mapping[str, Colouring]) -> pd.DataFrame:
    """Return for each checkpoint and property the AUROC of a linear layer, cross-fitted by patient.

    Columns: checkpoint, property, is_finding, classes, estimate, low, high, chance. Properties with too few
    patients of a class are left out.

    Args:
        atlas: the maps.
        known: properties by name.
    """
    rows = []
    for number, checkpoint in enumerate(atlas.checkpoints):
        for one in _asked(known):
            try:
                probe = read_off(atlas.features(number), one.names(), atlas.pictures.patients)
            except ValueError:  # says that a class is too small
                continue
            classes = f"{' / '.join(probe.classes)}, {probe.num_cases:,} pictures"
            about = {**_about(checkpoint.title, one, atlas.pictures), "classes": classes}
            rows.append({**about, **probe._asdict(), "classes": classes, "chance": 0.5})
    return pd.DataFrame(rows)


def _asked(known: Mapping[str, Colouring]) -> list[Colouring]:
    """Return the properties to ask about: one that is made of the others says nothing new."""
    return [one for one in known.values() if one.name != ALONE and not one.name.startswith("error of ")]


def _about(checkpoint: str, one: Colouring, pictures: Pictures) -> dict:
    return {
        "checkpoint": checkpoint,
        "property": one.name,
        "is_finding": one.name in pictures.label_names,
        "classes": "",
    }
