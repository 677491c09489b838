"""From study to study, by place and by name."""

import abc
from typing import Any

import numpy as np

from workbench import theme


class StudyWalk(abc.ABC):
    """Below what looks at one study after the other.

    Attributes:
        reader: the model and the studies.
        place: of the study looked at, in `reader.studies`.
        message: what there is to say about the last wish, "" mostly.
    """

    def __init__(self, reader: Any):
        """Begin with a study worth showing."""
        self.reader = reader
        self.go_to(reader.studies.telling())

    def go_to(self, place: int) -> None:
        """Look at another study; places beyond the ends mean the ends."""
        self.place, self.message = int(np.clip(place, 0, len(self.reader.studies) - 1)), ""
        self._enter()

    def find(self, name: str) -> None:
        """Look at the study of that id, or at the next one of that patient."""
        if not name.strip():
            return
        found = self.reader.studies.find(name, self.place)
        if found is None:
            self.message = self.reader.studies.unknown(name)
        else:
            self.go_to(found)

    @property
    def source_parts(self) -> list[str]:
        """Where the study comes from: data set, split and place, run."""
        reader = self.reader
        source = theme.provenance(reader.store.path.name, reader.store.synthetic)
        which = f"{reader.split} split, study {self.place + 1:,} of {len(reader.studies):,}"
        return [source, which, reader.run.id]

    @abc.abstractmethod
    def _enter(self) -> None:
        """Do what a new study asks for."""
