"""A group of pictures beside all others: its words, its findings and people, its studies as a list.

Letters: `N` pictures.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lib.embedding.words import log_odds_z
from workbench.embedding_reading.atlas import Atlas
from workbench.embedding_reading.colours import ALONE, Colouring
from workbench.embedding_reading.pictures import Pictures

MORE, FEWER = 9, 3
"""Words shown that the group has more often, and less often, than the others."""
TRAITS = 12
PLAIN = 2.0
"""Standard errors that a difference must have to be shown; nothing here is a test, the group was chosen."""

COLUMNS = ["term", "z", "inside", "outside", "num_inside"]


def telling_words(atlas: Atlas, group: np.ndarray) -> pd.DataFrame:
    """Return the words that tell a group's reports from the others, each study counted once.

    A study with pictures on both sides counts as inside. Empty where there are no reports, or no others.

    Args:
        atlas: the maps.
        group: places of the pictures.
    """
    if atlas.terms is None:
        return pd.DataFrame(columns=COLUMNS)
    texts = np.array([bool(text) for text in atlas.pictures.texts])
    inside = np.zeros(len(texts), bool)
    inside[atlas.pictures.table["study"].to_numpy()[group]] = True
    if not (inside & texts).any() or not (~inside & texts).any():
        return pd.DataFrame(columns=COLUMNS)
    table = atlas.terms.of(texts).apart(inside[texts])
    plain = table[table["z"].abs() >= PLAIN]
    return pd.concat([plain[plain["z"] > 0][:MORE], plain[plain["z"] < 0][:FEWER]], ignore_index=True)


def telling_traits(known: Mapping[str, Colouring], group: np.ndarray, size: int) -> pd.DataFrame:
    """Return the findings, kinds of people and of pictures that are more common in a group than outside.

    Args:
        known: properties by name.
        group: places of the pictures.
        size: N.
    """
    inside = np.zeros(size, bool)
    inside[group] = True
    rows = []
    for one in known.values():
        if one.name == ALONE:
            continue
        names = one.names()
        judged = names != ""
        sizes = np.array([(inside & judged).sum(), (~inside & judged).sum()], np.float64)
        if not sizes.all():
            continue
        for name in np.unique(names[judged]):
            has = judged & (names == name)
            counts = np.array([[(has & inside).sum()], [(has & ~inside).sum()]], np.float64)
            term = one.name if name == "present" else f"{one.name}: {name}"
            z = float(log_odds_z(counts, sizes)[0])
            rows.append((term, z, *(counts[:, 0] / sizes), int(counts[0, 0])))
    table = pd.DataFrame(rows, columns=COLUMNS)
    # Of two classes one is rarer where the other is more common: only the latter is said.
    table = table[(table["z"] >= PLAIN) & ~table["term"].str.endswith(": absent")]
    return table.sort_values("z", ascending=False, kind="stable")[:TRAITS].reset_index(drop=True)


def typical_first(features: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the places of a group, those first that are most like its mean, the odd ones last."""
    if not len(group):
        return group
    inside = features[group]
    return group[np.argsort(-(inside @ inside.mean(axis=0)), kind="stable")]


def study_list(pictures: Pictures, group: np.ndarray) -> pd.DataFrame:
    """Return one row for each study of a group: store, store_id, study_id, patient_id, split, view_ids."""
    chosen = pictures.table.iloc[np.sort(group)]
    ids = np.array([store.id for store in pictures.stores])
    chosen = chosen.assign(store_id=ids[chosen["store"]])
    listed = chosen.groupby("study", sort=True).agg(
        store=("site", "first"),
        store_id=("store_id", "first"),
        study_id=("study_id", "first"),
        patient_id=("patient_id", "first"),
        split=("split", "first"),
        view_ids=("view_id", " ".join),
    )
    return listed.reset_index(drop=True)
