"""A small phantom store, and models whose maps are planted: on the boxes, beside them, nowhere."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lib.data.ingest import ingest
from lib.data.readers import open_reader
from lib.data.store import BOXES, Store
from lib.explain.frame import Frame
from lib.protocols.case_maps import CaseMaps, find_cases

SIZE, GRID = 64, 16


def make_store(folder: Path, studies: int = 24) -> Store:
    """Return phantom studies with boxes of three readers."""
    reader = open_reader("phantom", studies=studies, image_size=SIZE)
    return ingest(reader, folder / "phantom", image_size=SIZE, workers=0, progress=False)


def with_boxes(store: Store, folder: Path, rows: pd.DataFrame) -> Store:
    """Return a copy of a store with other boxes."""
    shutil.copytree(store.path, folder / "other")
    path = folder / "other" / "boxes.parquet"
    path.chmod(0o644)
    pq.write_table(pa.Table.from_pandas(rows, schema=BOXES, preserve_index=False), path)
    return Store(folder / "other")


class PlantedSource:
    """What `workbench.box_reading.map_source.MapSource` is, with maps that are known.

    Attributes:
        asked: methods, layers and heads in the order in which they were asked for.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        *,
        name: str = "planted",
        targets: tuple[str, ...] = ("Cardiomegaly", "Pleural Effusion", "Mass"),
        kind: str = "on",
        methods: tuple[str, ...] = ("cam", "attention"),
        frame: Frame | None = None,
        depth: int = 2,
    ):
        self.store, self.name, self.targets, self.kind = store, name, list(targets), kind
        self.methods, self.split = list(methods), "test"
        self.depth, self.num_heads = (depth, 2) if depth else (0, 0)
        self.frame = frame or Frame(store.image_size, store.image_size)
        self.run = SimpleNamespace(folder=folder, id=f"run-{name}")
        self.asked = []

    def maps(self, method: str, layer: int = -1, head: int | None = None) -> CaseMaps:
        """Return a map of every marked case: 1 on the first reader's box, or elsewhere."""
        self.asked.append((method, layer, head))
        if method not in self.methods:
            raise ValueError(f"{self.name} has no {method!r}. Take one of: {', '.join(self.methods)}.")
        frontal = np.flatnonzero(self.store.views["position"].isin(["PA", "AP", "FRONTAL"]))
        cases = find_cases(self.store, frontal, self.targets)
        maps = np.stack([self._map(row) for row in cases.itertuples()])
        probability = np.linspace(0.9, 0.1, len(cases))
        cases = cases.assign(probability=probability, peak=maps.max((1, 2)))
        return CaseMaps(cases, maps.astype(np.float16), self.frame, {"method": method, "leak": ""})

    def attended(self, view_row: int, place: int, layer: int = -1, head: int | None = None) -> np.ndarray:
        """Return that a place attends to itself."""
        if not self.depth:
            raise ValueError(f"{self.name}: a convolutional network has no attention to look at.")
        values = np.zeros(GRID * GRID, np.float32)
        values[place] = 1
        return values.reshape(GRID, GRID)

    def _map(self, row) -> np.ndarray:
        boxes = self.store.boxes
        mine = boxes[(boxes["view_row"] == row.view_row) & (boxes["finding"] == row.finding)].iloc[0]
        corners = np.array([mine.x0, mine.y0, mine.x1, mine.y1]) - self.frame.start
        x0, y0, x1, y1 = np.clip(np.round(corners * GRID / self.frame.side), 0, GRID).astype(int)
        values = np.full((GRID, GRID), 0.1)
        if self.kind == "zero":
            return np.zeros((GRID, GRID))
        if self.kind == "beside":
            values[-2:, -2:] = 1
        else:
            values[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] = 1
        return values
