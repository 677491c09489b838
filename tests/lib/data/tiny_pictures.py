"""Studies with pictures that a test made."""

import dataclasses

import numpy as np

from lib.data.study import Study


def show(pixels: np.ndarray) -> np.ndarray:
    """Return the pixels: `functools.partial` of it is a render that travels to workers."""
    return pixels


@dataclasses.dataclass
class Pictures:
    """A reader of studies that a test made."""

    name: str
    studies: list[Study]
    label_names: tuple[str, ...] = ("sick",)
    source = "a test"
    licence = "none"
    has_reports = False
    label_noise = "none"

    def __iter__(self):
        return iter(self.studies)

    def __len__(self):
        return len(self.studies)
