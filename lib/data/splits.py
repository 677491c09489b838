"""The manifest: which study is for training, validation or test, and the nested label-ratio subsets.

Everything is drawn over patients: no patient is in two splits, and a subset takes a patient whole. A data
set's own split is kept. Saved once, a manifest never changes, whatever numpy's generators do later.
"""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import scipy.sparse

from lib.atomic import write_text
from lib.data.curation.flags import COPIES, FLAGS
from lib.data.store import Store

FORMAT = 1
SPLITS = ("train", "validation", "test")
UNUSED = -1
"""Code of a study that is in no split: the data set's own leaves it out, or a flag does."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """The split of one store.

    Attributes:
        store_id: id of the store it belongs to.
        store_name: for people.
        seed: of the draws.
        fractions: of patients for training, validation and test, where they were drawn.
        official: which splits are the data set's own.
        left_out: flags whose studies are in no split.
        patients: code of each study's patient, counted in the order of the sorted patient ids. Where splits
            were drawn, patients that share a picture (or whose pictures are copies) count as one.
        split: for each study, index into `SPLITS` or `UNUSED`.
        draws: for each draw, the training patients in the order in which ratios take them.
    """

    store_id: str
    store_name: str
    seed: int
    fractions: tuple[float, float, float]
    official: tuple[str, ...]
    patients: np.ndarray  # int64 [studies]
    split: np.ndarray  # int64 [studies]
    draws: np.ndarray  # int64 [draws, training patients]
    left_out: tuple[str, ...] = ()

    def rows(self, split: str) -> np.ndarray:
        """Return the study rows of "train", "validation" or "test", ascending."""
        if split not in SPLITS:
            raise ValueError(f"Split {split!r} is not one of {', '.join(SPLITS)}.")
        return np.flatnonzero(self.split == SPLITS.index(split))

    def subset(self, ratio: float, draw: int = 0) -> np.ndarray:
        """Return the study rows of a label-ratio subset of training, ascending.

        The first patients of the draw, until they have `ratio` of the training studies (at least one study),
        so of one draw every smaller ratio lies inside every larger one.

        Args:
            ratio: above 0, at most 1.
            draw: which of the saved draws.
        """
        if not 0 < ratio <= 1:
            raise ValueError(f"Label ratio {ratio} is not above 0 and at most 1; 1 % is 0.01.")
        if not 0 <= draw < len(self.draws):
            raise ValueError(
                f"Draw {draw} is not one of the {len(self.draws)} of this manifest; make more draws."
            )
        train = self.rows("train")
        place = np.empty(self.patients.max() + 1, np.int64)  # of each training patient in the draw
        place[self.draws[draw]] = np.arange(len(self.draws[draw]))
        places = place[self.patients[train]]
        wanted = max(1, round(ratio * len(train)))
        num_patients = np.sort(places)[wanted - 1] + 1
        return train[places < num_patients]

    def check(self, store: Store) -> None:
        """Refuse a store that this manifest was not made for.

        Raises:
            ValueError: its id differs.
        """
        if store.id != self.store_id:
            raise ValueError(
                f"The manifest is of store {self.store_name}, id {self.store_id[:12]}; {store.path} has id "
                f"{store.id[:12]}: its rows are other studies. Make a manifest for this store."
            )

    @functools.cached_property
    def id(self) -> str:
        """64 hex digits, the hash of everything in it."""
        return hashlib.sha256(self._text().encode()).hexdigest()

    def save(self, path: Path | str) -> None:
        """Write JSON, atomically."""
        write_text(path, self._text())

    @classmethod
    def load(cls, path: Path | str, store: Store | None = None) -> Self:
        """Read a saved manifest.

        Args:
            path: the JSON file.
            store: checked to be the one it was made for, when given.

        Raises:
            FileNotFoundError: nothing there.
            ValueError: not a manifest of this format, or of another store.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(
                f"There is no manifest at {path}; make one with lib.data.splits.make_manifest."
            )
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.pop("format", None) != FORMAT:
            raise ValueError(
                f"{path} is not a manifest of format {FORMAT}; make it again with make_manifest."
            )
        arrays = {name: np.array(values.pop(name), np.int64) for name in ("patients", "split", "draws")}
        lists = {name: tuple(values.pop(name, ())) for name in ("fractions", "official", "left_out")}
        manifest = cls(**values, **lists, **arrays)
        if store is not None:
            manifest.check(store)
        return manifest

    def _text(self) -> str:
        values = dataclasses.asdict(self)
        if not self.left_out:
            del values["left_out"]  # so that manifests from before it keep their id
        plain = {
            name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()
        }
        return json.dumps({"format": FORMAT, **plain}, separators=(",", ":")) + "\n"


def make_manifest(
    store: Store,
    *,
    seed: int = 0,
    fractions: Sequence[float] = (0.7, 0.1, 0.2),
    draws: int = 5,
    official: bool = True,
    leave_out: Collection[str] = (),
) -> Manifest:
    """Divide the studies of a store by patient.

    Args:
        store: an opened store.
        seed: of the split and the draws.
        fractions: of patients for training, validation and test (paper: 70, 10 and 20 %).
        draws: how many orders of the training patients to save for label-ratio subsets.
        official: keep the data set's own split where it has one. A split that it lacks is drawn from its
            training patients with the stated fraction; studies that it assigns to none are left out.
        leave_out: flags (`lib.data.curation.flags.FLAGS`); a study with a view that has one is in no split.
            The other studies are where they would be without.

    Raises:
        ValueError: fractions that are none, too few patients, an unknown split name or flag, or a data set's
            own split with a patient in two parts.
    """
    if unknown := set(leave_out) - set(FLAGS):
        raise ValueError(f"There is no flag {sorted(unknown)[0]!r}; there are {', '.join(FLAGS)}.")
    if (
        len(fractions) != len(SPLITS)
        or min(fractions) < 0
        or not np.isclose(sum(fractions), 1)
        or not fractions[0]
    ):
        raise ValueError(
            f"fractions {tuple(fractions)} are not three shares that sum to 1, training above 0."
        )
    names, patients = np.unique(store.studies["patient_id"].to_numpy(str), return_inverse=True)
    own = store.studies["split"].to_numpy(str)
    if official and (own != "").any():
        of_patient, kept = _official_split(own, patients, len(names), store)
    else:
        patients = _join_twins(patients, store)
        of_patient, kept = np.zeros(patients.max() + 1, np.int64), ()
    shares = [0.0 if name in kept else share for name, share in zip(SPLITS, fractions, strict=True)]
    random = np.random.default_rng(np.random.SeedSequence([seed, 0]))
    _draw_split(of_patient, shares, fractions[0], random, store)
    train = np.flatnonzero(of_patient == 0)
    streams = (np.random.default_rng(np.random.SeedSequence([seed, 1, draw])) for draw in range(draws))
    split = of_patient[patients]
    if kept:
        split[own == ""] = UNUSED
    split[flagged_studies(store, leave_out)] = UNUSED
    return Manifest(
        store_id=store.id,
        store_name=store.name,
        seed=seed,
        fractions=tuple(fractions),
        official=kept,
        patients=patients.astype(np.int64),
        split=split,
        draws=np.array([stream.permutation(train) for stream in streams], np.int64).reshape(
            draws, len(train)
        ),
        left_out=tuple(flag for flag in FLAGS if flag in leave_out),
    )


def flagged_studies(store: Store, flags: Collection[str]) -> np.ndarray:
    """Return the rows of the studies with a view that has one of some flags, ascending.

    A copy of another view of the same study does not count: nothing is lost or learnt twice over by it.
    """
    study = store.views["study_row"].to_numpy()
    found = store.flags[store.flags["flag"].isin(list(flags))]
    rows, twins = study[found["view_row"].to_numpy()], _twin_rows(store, found)
    return np.unique(rows[(twins < 0) | (rows != study[twins])])


def _twin_rows(store: Store, flags: pd.DataFrame) -> np.ndarray:
    """Return the view rows of the earlier pictures that flags name, -1 where they name none."""
    return pd.Index(store.views["view_id"]).get_indexer(flags["twin"])


def _join_twins(patients: np.ndarray, store: Store) -> np.ndarray:
    """Give patients one code where a picture of one is a copy of another's: they may be one person."""
    copies = store.flags[store.flags["flag"].isin(COPIES)]
    study = store.views["study_row"].to_numpy()
    edges = patients[study[copies["view_row"].to_numpy()]], patients[study[_twin_rows(store, copies)]]
    size = patients.max() + 1
    graph = scipy.sparse.coo_array((np.ones(len(copies), bool), edges), (size, size))
    _, component = scipy.sparse.csgraph.connected_components(graph, directed=False)
    _, first, code = np.unique(component, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[code][patients]  # in the order of the first patient of each


def _official_split(
    own: np.ndarray, patients: np.ndarray, num_patients: int, store: Store
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the data set's own split as a code per patient, and the names of the splits that it has."""
    kept = tuple(name for name in SPLITS if (own == name).any())
    unknown = set(own.tolist()) - {*SPLITS, ""}
    if unknown or "train" not in kept:
        raise ValueError(
            f"{store.path} has the splits {sorted(set(own.tolist()))}; the names are {', '.join(SPLITS)} and "
            "training is needed. Correct the reader, or pass official=False to draw all splits by patient."
        )
    of_patient = np.full(num_patients, UNUSED)
    for code, name in enumerate(SPLITS):
        members = np.unique(patients[own == name])
        twice = members[of_patient[members] != UNUSED]
        if len(twice):
            example = store.studies["patient_id"].to_numpy(str)[patients == twice[0]][0]
            raise ValueError(
                f"{store.path}: in the data set's own split {len(twice)} patients of {name!r} are in another "
                f"part too, for example {example!r}. Pass official=False to draw all splits by patient."
            )
        of_patient[members] = code
    return of_patient, kept


def _draw_split(
    of_patient: np.ndarray,
    shares: Sequence[float],
    train_share: float,
    random: np.random.Generator,
    store: Store,
) -> None:
    """Move random patients from training to the splits that have a share, at least one to each, in place."""
    train = random.permutation(np.flatnonzero(of_patient == 0))
    total = train_share + sum(shares[1:])
    counts = [max(1, round(share / total * len(train))) if share else 0 for share in shares[1:]]
    if len(train) <= np.count_nonzero(counts):
        raise ValueError(
            f"{store.path}: {len(train)} patients cannot fill {np.count_nonzero(counts) + 1} splits; ingest "
            "more studies, or give the fraction 0 to a split that is not needed."
        )
    while sum(counts) >= len(train):  # rounding must not take the last training patient
        counts[int(np.argmax(counts))] -= 1
    of_patient[train[: counts[0]]] = 1
    of_patient[train[counts[0] : sum(counts)]] = 2
