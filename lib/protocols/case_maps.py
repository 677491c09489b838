"""Maps of a classifier for every case that a reader marked: computed once, then looked at and judged.

A case is one view and one finding. What is kept needs no model and no device to be read again.

Letters: N cases, r and c rows and columns of the encoder's grid, S side of a stored picture.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from lib.atomic import atomic_path
from lib.data.augment import evaluation_view, normalize
from lib.data.store import Store
from lib.explain.boxes import scale_maps
from lib.explain.explain import explain, output_of
from lib.explain.frame import Frame
from lib.models.heads import Classifier
from lib.objectives.label_classifier import LabelClassifier, target_probabilities

COLUMNS = (
    "view_row",
    "study_row",
    "view_id",
    "study_id",
    "patient_id",
    "finding",
    "label",
    "probability",
    "peak",
)
METADATA = b"case_maps"
BATCH = 32


@dataclasses.dataclass(frozen=True)
class CaseMaps:
    """Cases and their maps, in the same order.

    Attributes:
        cases: one row per case: view_row and study_row (of the store), view_id, study_id, patient_id,
            finding, label (1, 0 or NaN), probability (of the classifier), peak (largest value of the map as
            computed; 0 where it is zero everywhere). By view_row, then in the order of the targets.
        maps: float16 `[N, r, c]` on the encoder's grid, each divided by its peak, so 0..1; `maps * peak` is
            what was computed.
        frame: how the grid lies on the stored pictures.
        about: where they come from, plain values: method, layer, head, and what the maker adds (run, store,
            split, ...).
    """

    cases: pd.DataFrame
    maps: np.ndarray
    frame: Frame
    about: dict[str, Any]

    def __post_init__(self):
        assert len(self.cases) == len(self.maps) and set(COLUMNS) <= set(self.cases)
        assert self.maps.dtype == np.float16

    def __len__(self) -> int:
        """Return the number of cases."""
        return len(self.cases)

    def laid(self, row: int, smoothing: float = 0.0) -> np.ndarray:
        """Return the map of one case over its stored picture, scaled to 0..1: float32 `[S, S]`.

        Args:
            row: of the case.
            smoothing: deviation of a Gaussian, stored pixels; the map is scaled after it.
        """
        return scale_maps(self.frame.to_store(self.maps[row : row + 1], smoothing))[0]

    def where(self, keep: np.ndarray) -> Self:
        """Return some of the cases, given by a bool for each or by their rows."""
        cases = self.cases.iloc[np.flatnonzero(keep) if keep.dtype == bool else keep]
        return dataclasses.replace(self, cases=cases.reset_index(drop=True), maps=self.maps[keep])

    def save(self, path: Path) -> None:
        """Write one parquet file, atomically: the cases, the bytes of each map, the rest as metadata."""
        table = pa.Table.from_pandas(self.cases, preserve_index=False)
        flat = pa.array([one.tobytes() for one in self.maps], pa.binary())
        rest = {
            "shape": self.maps.shape[1:],
            "frame": dataclasses.asdict(self.frame),
            "about": self.about,
        }
        table = table.append_column("map", flat).replace_schema_metadata(
            {**table.schema.metadata, METADATA: json.dumps(rest).encode()}
        )
        with atomic_path(path) as temporary:
            pq.write_table(table, temporary)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: nothing there.
            ValueError: something else lies there.
        """
        table = pq.read_table(path)
        if METADATA not in (table.schema.metadata or {}):
            raise ValueError(f"{path} holds no maps; delete it and compute them again.")
        rest = json.loads(table.schema.metadata[METADATA])
        maps = np.frombuffer(b"".join(table.column("map").to_pylist()), np.float16)
        cases = table.drop_columns("map").to_pandas()
        return cls(cases, maps.reshape(-1, *rest["shape"]), Frame(**rest["frame"]), rest["about"])


def find_cases(
    store: Store, view_rows: np.ndarray, findings: Sequence[str], *, marked: bool = True
) -> pd.DataFrame:
    """List the cases among some views: view_row, study_row, ids, finding and label.

    Args:
        store: of the views.
        view_rows: which views.
        findings: which labels of the store, or names of boxes that are none.
        marked: take the views where a reader has a box of the finding; else those of studies that are
            labelled with it, with a box or without.
    """
    studies = store.views["study_row"].to_numpy()[view_rows]
    labels = {
        name: store.labels[:, store.label_names.index(name)][studies]
        for name in findings
        if name in store.label_names
    }
    unknown = np.full(len(view_rows), np.nan, np.float32)
    boxes = store.boxes
    parts = []
    for place, name in enumerate(findings):
        label = labels.get(name, unknown)
        with_box = np.unique(boxes["view_row"].to_numpy()[(boxes["finding"] == name).to_numpy()])
        chosen = np.isin(view_rows, with_box) if marked else label == 1
        parts.append(
            pd.DataFrame(
                {
                    "view_row": np.asarray(view_rows)[chosen],
                    "study_row": studies[chosen],
                    "finding": name,
                    "label": label[chosen],
                    "place": place,
                }
            )
        )
    cases = pd.concat(parts).sort_values(["view_row", "place"], ignore_index=True)
    ids = store.studies[["study_id", "patient_id"]].iloc[cases["study_row"]].reset_index(drop=True)
    view_ids = store.views["view_id"].iloc[cases["view_row"]].reset_index(drop=True)
    return pd.concat([cases[["view_row", "study_row"]], view_ids, ids, cases[["finding", "label"]]], axis=1)


def compute_case_maps(
    classifier: LabelClassifier,
    store: Store,
    view_rows: np.ndarray,
    targets: Sequence[str],
    method: str = "cam",
    *,
    frame: Frame,
    findings: Sequence[str] = (),
    layer: int = -1,
    head: int | None = None,
    marked: bool = True,
    about: Mapping[str, Any] | None = None,
) -> CaseMaps:
    """Explain every case among some views of a store.

    Args:
        classifier: in evaluation mode, on any device.
        store: of the views; its labels and boxes say which cases there are.
        view_rows: which views.
        targets: names of the classifier's targets, in the order of its outputs.
        method: one of `lib.explain.METHODS`.
        frame: how the classifier's input lies on the stored pictures.
        findings: of the targets, those to look at; none: all.
        layer: of the methods that look at one.
        head: of the methods that look at one; None: their mean.
        marked: see `find_cases`.
        about: kept beside the maps.

    Raises:
        ValueError: a finding that is no target, or that no view has; what `lib.explain.explain` refuses.
    """
    wanted = list(findings) or list(targets)
    if unknown := [name for name in wanted if name not in targets]:
        raise ValueError(f"The classifier does not know {', '.join(unknown)}; it knows {', '.join(targets)}.")
    cases = find_cases(store, view_rows, wanted, marked=marked)
    if cases.empty:
        kind = "a box" if marked else "a label"
        raise ValueError(
            f"None of these {len(view_rows)} views of {store.path} has {kind} of {', '.join(wanted)}."
        )
    place = cases["finding"].map(list(targets).index).to_numpy()
    outputs = torch.tensor([output_of(int(one), classifier.task) for one in place])
    device = classifier.columns.device
    maps, probabilities = [], []
    for start in range(0, len(cases), BATCH):
        rows = slice(start, start + BATCH)
        images = show(store, cases["view_row"].to_numpy()[rows], frame).to(device)
        found = explain(classifier, images, method, targets=outputs[rows], layer=layer, head=head)
        maps.append(found.cpu().numpy())
        every = predict_images(classifier, images).cpu().numpy()  # [n, K]
        probabilities.append(every[np.arange(len(every)), place[rows]])
    values = np.concatenate(maps)
    cases["probability"] = np.concatenate(probabilities)
    cases["peak"] = values.max((1, 2))
    origin = {"method": method, "layer": layer, "head": head, "targets": list(targets), **(about or {})}
    return CaseMaps(cases, scale_maps(values).astype(np.float16), frame, origin)


def show(store: Store, view_rows: np.ndarray, frame: Frame) -> Tensor:
    """Return views of a store as a classifier sees them in its evaluation: float32 `[N, 1, H, W]`."""
    pictures = torch.from_numpy(np.take(store.images, view_rows, axis=0))[:, None]  # uint8 [N, 1, S, S]
    return normalize(evaluation_view(pictures, frame.image_size, frame.evaluation))


@torch.no_grad()
def predict_images(classifier: LabelClassifier, images: Tensor) -> Tensor:
    """Return the probability of every target for images `[N, C, H, W]`: float32 `[N, K]`."""
    # A label classifier's own `forward` takes a batch with labels.
    return target_probabilities(Classifier.forward(classifier, images), classifier.task)
