"""The pictures of a map: drawn from one store or several, with everything known about them.

Letters: `N` pictures, `K` findings.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.data.splits import SPLITS, Manifest
from lib.data.store import Store
from workbench import theme

ALL = "all"
"""As a split: every one."""

MOST = 20_000
"""Pictures of a map at most: what a browser draws and lassos without delay."""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Pictures:
    """Pictures of one store or several.

    Attributes:
        stores: where they lie.
        table: one row each: store (index into `stores`), site (its name), view_row, study_row, study_id,
            patient_id, patient (no two stores share one), study (number of the study, over all stores),
            view_id, position, sex, age, split, size (of the original), flags.
        label_names: K findings, of any store.
        labels: 1, 0 or NaN, float32 `[N, K]`.
        split: that was asked for.
        available: pictures that there are, of which these were drawn.
    """

    stores: tuple[Store, ...]
    table: pd.DataFrame
    label_names: tuple[str, ...]
    labels: np.ndarray
    split: str
    available: int

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.table)

    @functools.cached_property
    def patients(self) -> np.ndarray:
        """Patient of each picture, str `[N]`."""
        return self.table["patient"].to_numpy(str)

    @functools.cached_property
    def texts(self) -> list[str]:
        """Report of each study, in the order of the numbers of the studies; "" where there is none."""
        first = self.table.drop_duplicates("study").sort_values("study")
        return [
            self.stores[store].texts[row]
            for store, row in zip(first["store"], first["study_row"], strict=True)
        ]

    @functools.cached_property
    def id(self) -> str:
        """16 hex digits, the hash of which pictures these are."""
        digest = hashlib.sha256()
        for number, store in enumerate(self.stores):
            digest.update(store.id.encode())
            digest.update(self.table["view_row"].to_numpy()[self.table["store"] == number].tobytes())
        return digest.hexdigest()[:16]

    @property
    def name(self) -> str:
        """Names of the stores in one word, for files."""
        return "+".join(self.table["site"].drop_duplicates())

    @property
    def note(self) -> str:
        """Where they come from, which split, how many of how many patients."""
        source = theme.provenance(self.name, all(store.synthetic for store in self.stores))
        split = "all splits" if self.split == ALL else f"{self.split} split"
        drawn = f" (drawn from {self.available:,})" if self.available > len(self) else ""
        people = len(np.unique(self.patients))
        return f"{source} | {split} | {len(self):,} pictures{drawn} of {people:,} patients"

    def images(self, places: Sequence[int]) -> np.ndarray:
        """Return some pictures, uint8 `[n, S, S]` in the size of the first store's."""
        size = self.stores[0].image_size
        shown = np.empty((len(places), size, size), np.uint8)
        for index, place in enumerate(places):
            row = self.table.iloc[place]
            shown[index] = _resized(self.stores[row["store"]].images[row["view_row"]], size)
        return shown


def draw_pictures(
    data: Sequence[tuple[Store, Manifest]],
    *,
    split: str = "test",
    positions: Sequence[str],
    most: int,
    seed: int = 0,
) -> Pictures:
    """Take the pictures of a split; of more than `most` as many studies as fit, drawn at random.

    Args:
        data: stores with their splits.
        split: one of `SPLITS`, or `ALL`.
        positions: of the views to take.
        most: pictures, from each store its share.
        seed: of the draw.

    Raises:
        ValueError: no such split, or no picture in it.
    """
    tables, available = [], 0
    for number, (store, manifest) in enumerate(data):
        everything = _table(store, manifest, number, split, positions)
        available += len(everything)
        tables.append(everything)
    if not available:
        raise ValueError(
            f"No picture of positions {', '.join(positions)} in the {split} split of "
            f"{', '.join(store.path.name for store, _ in data)}."
        )
    share = min(1.0, most / available)
    random = np.random.default_rng(seed)
    table = pd.concat([_drawn(one, share, random) for one in tables], ignore_index=True)
    table["site"] = _names([store for store, _ in data])[table["store"]]
    table["patient"] = table["store"].astype(str) + ":" + table["patient_id"].astype(str)
    table["study"] = table.groupby(["store", "study_row"], sort=False).ngroup()
    names = tuple(dict.fromkeys(name for store, _ in data for name in store.label_names))
    return Pictures(
        stores=tuple(store for store, _ in data),
        table=table,
        label_names=names,
        labels=_labels([store for store, _ in data], table, names),
        split=split,
        available=available,
    )


def _table(
    store: Store, manifest: Manifest, number: int, split: str, positions: Sequence[str]
) -> pd.DataFrame:
    """Return everything about the pictures of a store, in the order of the pictures."""
    if split not in (*SPLITS, ALL):
        raise ValueError(f"Split {split!r} is not one of {', '.join((*SPLITS, ALL))}.")
    manifest.check(store)
    studies = np.concatenate([manifest.rows(name) for name in (SPLITS if split == ALL else (split,))])
    taken = np.isin(store.views["study_row"], studies) & store.views["position"].isin(list(positions))
    views = store.views[taken]
    rows = views["study_row"].to_numpy()
    people = store.studies.iloc[rows]
    flags = store.flags.groupby("view_row")["flag"].agg(lambda names: ", ".join(sorted(set(names))))
    return pd.DataFrame(
        {
            "store": number,
            "view_row": np.flatnonzero(taken),
            "study_row": rows,
            "study_id": views["study_id"].to_numpy(str),
            "patient_id": people["patient_id"].to_numpy(str),
            "view_id": views["view_id"].to_numpy(str),
            "position": views["position"].to_numpy(str),
            "sex": people["sex"].to_numpy(str),
            "age": people["age"].to_numpy(np.float32),
            "split": np.array(SPLITS)[manifest.split[rows]],
            "size": [f"{a} x {b}" for a, b in zip(views["width"], views["height"], strict=True)],
            "flags": flags.reindex(np.flatnonzero(taken), fill_value="").to_numpy(str),
        }
    )


def _drawn(table: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """Return the pictures of studies drawn at random, whole studies, that share of the pictures at most."""
    if share == 1:
        return table
    counts = table.groupby("study_row").size()
    order = random.permutation(len(counts))
    kept = counts.index[order][counts.to_numpy()[order].cumsum() <= share * len(table)]
    return table[table["study_row"].isin(kept)]


def _names(stores: Sequence[Store]) -> np.ndarray:
    """Name stores after their folders; those of one name get a number."""
    names = [store.path.name for store in stores]
    return np.array(
        [name if names.count(name) == 1 else f"{name} {place}" for place, name in enumerate(names, start=1)]
    )


def _labels(stores: Sequence[Store], table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return the labels of the pictures' studies; NaN for a finding that a store does not know."""
    labels = np.full((len(table), len(names)), np.nan, np.float32)
    for number, store in enumerate(stores):
        inside = (table["store"] == number).to_numpy()
        columns = [names.index(name) for name in store.label_names]
        labels[np.ix_(inside, columns)] = store.labels[table["study_row"].to_numpy()[inside]]
    return labels


def _resized(image: np.ndarray, size: int) -> np.ndarray:
    from PIL import Image

    if len(image) == size:
        return image
    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize((size, size)))
