"""Maps of one set of pictures by several checkpoints; features and coordinates are kept in the run folders.

Letters: `N` pictures, `D` width of a feature.
"""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lib.atomic import atomic_path
from lib.config import config_hash
from lib.data.store import Store
from lib.embedding.align import align
from lib.embedding.project import ProjectConfig, project, unit_length
from lib.embedding.words import ReportTerms
from lib.protocols.features import Features
from workbench.embedded import FRONTAL
from workbench.embedding_reading.checkpoints import find_checkpoints
from workbench.embedding_reading.pictures import MOST, draw_pictures
from workbench.inputs import resolve_device, resolve_place
from workbench.judgements import finished_runs
from workbench.manifests import freeze_manifest

METHOD_TITLES = {"pca": "principal components", "tsne": "t-SNE", "umap": "UMAP"}


class Atlas:
    """Maps of the same pictures.

    Attributes:
        checkpoints: whose features are laid out.
        pictures: that are laid out.
        positions: of the views that were taken.
        seed: of the draw and the maps.
        config: of the maps.
        message: what there is to say about the choice of pictures, "" mostly.
    """

    def __init__(
        self,
        checkpoints: Sequence[str],
        *,
        stores: Sequence[Path | str] = (),
        split: str = "test",
        positions: Sequence[str] = FRONTAL,
        most: int = 5000,
        seed: int = 0,
        device: str = "auto",
        config: ProjectConfig | None = None,
    ):
        """Choose the pictures; features and maps are computed when they are asked for.

        Args:
            checkpoints: names as `find_checkpoints` takes them.
            stores: folders; none: the store of the first checkpoint. Another store than a checkpoint's own
                has the manifest of seed 0 that lies beside it.
            split: "train", "validation", "test" or "all".
            positions: of the views.
            most: pictures at most.
            seed: of the draw and the maps.
            device: where features are computed.
            config: of the maps.

        Raises:
            ValueError: a checkpoint, split or position that is not there.
            FileNotFoundError: no such run or store.
        """
        self.checkpoints = find_checkpoints(checkpoints)
        self.positions, self.seed, self.device = tuple(positions), seed, device
        self.config = config or ProjectConfig()
        self.message = ""
        if most > MOST:
            self.message = (
                f"{most:,} pictures are more than a browser draws well: {MOST:,} at most are taken. "
            )
        data = self._data(stores)
        self.pictures = draw_pictures(
            data, split=split, positions=self.positions, most=min(most, MOST), seed=seed
        )
        if self.pictures.available > len(self.pictures):
            drawn = f"{len(self.pictures):,} of {self.pictures.available:,}"
            self.message += f"{drawn} pictures, whole studies drawn at random. "
        if split != "test":
            self.message += "Pictures that a checkpoint was trained on are among these."
        self.message = self.message.strip()
        self._features: dict[int, np.ndarray] = {}
        self._maps: dict[tuple[int, str], np.ndarray] = {}

    def features(self, number: int) -> np.ndarray:
        """Return the features of the pictures in a checkpoint, of length 1, float32 `[N, D]`."""
        if number not in self._features:
            parts = [self._kept_features(number, store) for store in range(len(self.pictures.stores))]
            self._features[number] = unit_length(np.concatenate(parts))
        return self._features[number]

    def map(self, number: int, method: str) -> np.ndarray:
        """Return the map of a checkpoint, float32 `[N, 2]`, laid over that of the first one.

        Raises:
            ValueError: unknown method, or features that cannot be laid out.
        """
        if (number, method) not in self._maps:
            placed = self._kept_map(number, method)
            if number:
                placed = align(placed, self.map(0, method))[0].astype(np.float32)
            self._maps[number, method] = placed
        return self._maps[number, method]

    @functools.cached_property
    def terms(self) -> ReportTerms | None:
        """Terms of the studies' reports; None where there are no reports."""
        return ReportTerms(self.pictures.texts) if any(self.pictures.texts) else None

    @property
    def settings(self) -> str:
        """Four hex digits of how maps are made, for the names of their files."""
        return config_hash(dataclasses.asdict(self.config))[:4]

    def summary(self) -> pd.DataFrame:
        """Return one row for each store: how many pictures, studies and patients, by view and split."""
        rows = {}
        for site, table in self.pictures.table.groupby("site", sort=False):
            rows[site] = {
                "pictures": f"{len(table):,}",
                "studies": f"{table['study'].nunique():,}",
                "patients": f"{table['patient'].nunique():,}",
                "views": _counts(table["position"]),
                "splits": _counts(table["split"]),
                "reports": "yes" if self.pictures.stores[table["store"].iloc[0]].has_reports else "no",
            }
        return pd.DataFrame(rows)

    def files(self) -> list[Path]:
        """Return the folders of the runs that hold features and maps."""
        return list(dict.fromkeys(Path(one.keep("any.npz")).parent for one in self.checkpoints))

    def kept(self, number: int, name: str) -> Path:
        """Return where something about the pictures of a checkpoint is kept."""
        stem, _, suffix = name.rpartition(".")
        return self.checkpoints[number].keep(f"{self.pictures.name}-{self.pictures.id[:8]}-{stem}.{suffix}")

    def _data(self, stores: Sequence[Path | str]) -> list:
        own, manifest = self.checkpoints[0].data()
        if not stores:
            return [(own, manifest)]
        opened = [Store(resolve_place(str(path))) for path in stores]
        return [(store, manifest if store.id == own.id else freeze_manifest(store, 0)) for store in opened]

    def _kept_features(self, number: int, store: int) -> np.ndarray:
        inside = self.pictures.table[self.pictures.table["store"] == store]
        opened = self.pictures.stores[store]
        path = self.kept(number, f"{store}-features.npz")
        if not path.is_file():
            features = self.checkpoints[number].features(
                opened, inside["study_row"].to_numpy(), self.positions, resolve_device(self.device)
            )
            features.save(path)
        features = Features.load(path)
        assert np.array_equal(features.view_rows, inside["view_row"])
        return features.values

    def _kept_map(self, number: int, method: str) -> np.ndarray:
        path = self.kept(number, f"{method}-{self.seed}-{self.settings}.parquet")
        if not path.is_file():
            placed = project(self.features(number), method, seed=self.seed, config=self.config)
            table = self.pictures.table[["site", "study_id", "view_id"]].assign(
                x=placed[:, 0], y=placed[:, 1]
            )
            with atomic_path(path) as temporary:
                table.to_parquet(temporary, index=False)
        return pd.read_parquet(path, columns=["x", "y"]).to_numpy(np.float32)


def open_atlas(checkpoints: Sequence[str], recipe: str, overrides: Sequence[str] = (), **choice) -> Atlas:
    """Open maps of checkpoints; without any, of the run of a recipe after and before its training.

    Args:
        checkpoints: names.
        recipe: of a pre-training, which is trained where it is missing.
        overrides: of the recipe.
        choice: keywords of `Atlas`.
    """
    if not checkpoints:
        (run,) = finished_runs([], recipe, overrides)
        checkpoints = [run.id, f"{run.id}@initial"]
    return Atlas(checkpoints, **choice)


def _counts(values: pd.Series) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in values.value_counts().items())
