"""Features of a frozen encoder: computed once for every image, then read by probes and retrieval."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from lib.atomic import atomic_path
from lib.data.loader import StudyLoader


@dataclasses.dataclass(frozen=True)
class Features:
    """One feature per image.

    Attributes:
        study_rows: int64 `[N]`.
        view_rows: int64 `[N]`, ascending.
        values: float32 `[N, D]`.
    """

    study_rows: np.ndarray
    view_rows: np.ndarray
    values: np.ndarray

    def of(self, study_rows: np.ndarray) -> Self:
        """Return the features of the images of some studies, in the order of the images."""
        inside = np.isin(self.study_rows, study_rows)
        return type(self)(self.study_rows[inside], self.view_rows[inside], self.values[inside])

    def first_views(self) -> Self:
        """Return one image of each study, its first: one row per study, in the order of the studies."""
        first = np.unique(self.study_rows, return_index=True)[1]
        return type(self)(self.study_rows[first], self.view_rows[first], self.values[first])

    def save(self, path: Path) -> None:
        """Write an archive, atomically."""
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **dataclasses.asdict(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as archive:
            return cls(**{field.name: archive[field.name] for field in dataclasses.fields(cls)})


def extract_features(encoder: nn.Module, loader: StudyLoader) -> Features:
    """Compute the pooled feature of every image of a loader, once.

    Args:
        encoder: as in `lib.models.ENCODERS`, in evaluation mode, on the loader's device.
        loader: of single images (`unit="image"`), without augmentation.
    """
    assert not encoder.training, "features are those of evaluation"
    return compute_features(lambda images: encoder(images).pooled, loader)


@torch.no_grad()
def compute_features(compute: Callable[[Tensor], Tensor], loader: StudyLoader) -> Features:
    """Compute one vector for every image of a loader, once.

    Args:
        compute: images `[N, C, H, W]` to vectors `[N, D]`, the same for an image whatever stands beside it.
        loader: of single images (`unit="image"`), without augmentation.
    """
    values, study_rows, view_rows = [], [], []
    for batch in loader.epoch(0):
        values.append(compute(batch.images[:, 0]).float())
        study_rows.append(batch.study_rows)
        view_rows.append(batch.view_rows[:, 0])
    views = torch.cat(view_rows).cpu().numpy()
    order = np.argsort(views)
    return Features(
        study_rows=torch.cat(study_rows).cpu().numpy()[order],
        view_rows=views[order],
        values=torch.cat(values).cpu().numpy()[order],
    )
