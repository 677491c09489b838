"""A study as a model sees it: which views, where each lies on its stored picture, what readers marked."""

import dataclasses

import numpy as np
import pandas as pd
import torch

from lib.data.loader import StudyLoader
from lib.data.store import Store
from lib.explain.frame import Frame
from workbench.embedded import Opened


@dataclasses.dataclass(frozen=True, eq=False)
class SeenStudy:
    """The different views of a study that a model sees.

    Attributes:
        row: of the store.
        study_id: its id.
        patient_id: whose it is.
        view_rows: of the views, int64 `[V]`.
        positions: of the views.
        pictures: as stored, uint8 `[V, S, S]`.
        boxes: those of readers: columns view (place in `pictures`), finding, reader, x0, y0, x1, y1.
        copies: for each view that the model gets, which of these it is, int64: short studies are filled up
            with repeats.
        images: what the model gets, float32 `[1, views with repeats, 1, C, C]`.
    """

    row: int
    study_id: str
    patient_id: str
    view_rows: np.ndarray
    positions: list[str]
    pictures: np.ndarray
    boxes: pd.DataFrame
    copies: np.ndarray
    images: torch.Tensor

    def merged(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Add up the values of views that the model gets more than once, along their axis."""
        shape = values.shape[:axis] + (len(self.view_rows),) + values.shape[axis + 1 :]
        total = np.zeros(shape, values.dtype)
        np.add.at(total, (slice(None),) * axis + (self.copies,), values)
        return total

    def title_of(self, view: int) -> str:
        """Return the position of a view, and how often the model gets it if more than once."""
        times = int((self.copies == view).sum())
        return (self.positions[view] or "position not known") + f", given {times} times" * (times > 1)


def see_study(opened: Opened, store: Store, row: int, num_views: int) -> SeenStudy:
    """Return a study as evaluation shows it to a model.

    Args:
        opened: the model.
        store: holds the study.
        row: of `store.studies`.
        num_views: that the model gets, the first of the study or repeats of them; 0: each of the study once.
    """
    count = num_views or int(np.diff(store.view_offsets[row : row + 2])[0])
    loader = StudyLoader(
        store,
        np.array([row]),
        batch_size=1,
        num_views=count,
        image_size=opened.image_size,
        evaluation=opened.evaluation,
        device=opened.device,
    )
    (batch,) = loader.epoch(0)
    given = loader.items.view_rows[0]
    view_rows, copies = np.unique(given, return_inverse=True)  # the views of a study ascend
    boxes = store.boxes[store.boxes["view_row"].isin(view_rows)]
    study = store.studies.iloc[row]
    return SeenStudy(
        row=row,
        study_id=str(study["study_id"]),
        patient_id=str(study["patient_id"]),
        view_rows=view_rows,
        positions=store.views["position"].iloc[view_rows].tolist(),
        pictures=store.images[view_rows],
        boxes=boxes.assign(view=np.searchsorted(view_rows, boxes["view_row"])),
        copies=copies,
        images=batch.images,
    )


def frame_of(opened: Opened, store: Store) -> Frame:
    """Return how what a pre-trained model sees lies on the pictures of a store."""
    return Frame(store.image_size, opened.image_size, opened.evaluation)
