"""A group of the pictures of an atlas, and one picture that is looked at.

Letters: `N` pictures.
"""

from collections.abc import Sequence

import numpy as np

from workbench.embedding_reading import groups
from workbench.embedding_reading.atlas import Atlas
from workbench.embedding_reading.colours import Colouring
from workbench.embedding_reading.measures import num_neighbours
from workbench.study_filter import words_pattern

NOBODY = np.empty(0, np.int64)


class PictureGroup:
    """Which pictures were taken, and how.

    Attributes:
        atlas: the maps.
        colouring: whose classes can be taken.
        group: places of the pictures that were taken, the most typical first; empty without a group.
        origin: how the group was taken, in words.
        focus: place of the picture that is looked at; None before one is.
        message: what there is to say about the last wish, "" mostly.
    """

    def __init__(self, atlas: Atlas, colouring: Colouring):
        """Begin without a group."""
        self.atlas, self.colouring = atlas, colouring
        self.group, self.origin, self.message = NOBODY, "", ""
        self.focus: int | None = None

    def lasso(self, places: Sequence[int], number: int = 0) -> None:
        """Take what a person has drawn around on the map of a checkpoint; nothing leaves the group before."""
        if not len(places):
            self.message = "There is no picture inside: draw around some points."
            return
        self._take(np.asarray(places), f"drawn around on the map of {self.atlas.checkpoints[number].title}")

    def pick_class(self, name: str) -> None:
        """Take all pictures of a class of the colouring, or those above or below the median of a number."""
        places = np.flatnonzero(self.classes() == name)
        if not len(places):
            self.message = f"No picture has {self.colouring.name}: {name}."
            return
        self._take(places, f"{self.colouring.name}: {name}")

    def pick_words(self, words: str) -> None:
        """Take the pictures of all studies whose reports hold some words."""
        words = " ".join(words.split())
        if not words:
            return
        pattern = words_pattern(words)
        has = np.array([bool(pattern.search(text)) for text in self.atlas.pictures.texts])
        places = np.flatnonzero(has[self.atlas.pictures.table["study"]])
        if not any(self.atlas.pictures.texts):
            self.message = "These studies have no reports to look for words in."
        elif not len(places):
            self.message = f"No report of these pictures has {words!r}."
        else:
            self._take(places, f'reports with "{words}"')

    def pick_neighbours(self, number: int = 0) -> None:
        """Take the picture that is looked at and its nearest ones among the features of a checkpoint."""
        if self.focus is None:
            self.message = "Click a picture first: its neighbours are looked for."
            return
        k = num_neighbours(self.atlas.pictures)
        near = _nearest_to(self.atlas.features(number), self.focus, k, self.atlas.pictures.patients)
        study = self.atlas.pictures.table["study_id"].iloc[self.focus]
        title = self.atlas.checkpoints[number].title
        focus = self.focus
        self._take(
            np.append(near, focus), f"study {study} and its {len(near)} nearest of other patients, {title}"
        )
        self.look_at(focus)

    def clear(self) -> None:
        """Take the group back."""
        self.group, self.origin, self.message, self.focus = NOBODY, "", "", None

    def look_at(self, place: int) -> None:
        """Look at a picture, by its place; places beyond the ends mean the ends."""
        self.focus, self.message = int(np.clip(place, 0, len(self.atlas.pictures) - 1)), ""

    def step_to(self, rank: int) -> None:
        """Look at the picture of that rank in the group, from 0."""
        if len(self.group):
            self.look_at(self.group[int(np.clip(rank, 0, len(self.group) - 1))])

    def find(self, name: str) -> None:
        """Look at the picture of a view, study or patient of that id, or at the next one of several."""
        name = name.strip()
        if not name:
            return
        for column in ("view_id", "study_id", "patient_id"):
            places = np.flatnonzero((self.atlas.pictures.table[column] == name).to_numpy())
            if len(places):
                later = places[places > (-1 if self.focus is None else self.focus)]
                self.look_at(later[0] if len(later) else places[0])
                return
        self.message = f"There is no view, study or patient {name!r} among these pictures."

    @property
    def rank(self) -> int | None:
        """Rank of the picture that is looked at in the group; None where it is not in it."""
        found = np.flatnonzero(self.group == self.focus) if self.focus is not None else NOBODY
        return int(found[0]) if len(found) else None

    @property
    def caption(self) -> str:
        """How many pictures of how many patients were taken, and how."""
        if not len(self.group):
            return "Draw around points, or take a class or words: what sets the group apart is shown below."
        people = len(np.unique(self.atlas.pictures.patients[self.group]))
        count = f"{len(self.group):,} of {len(self.atlas.pictures):,} pictures, {people:,} patients"
        return f"{count} | {self.origin}"

    @property
    def places_of_study(self) -> np.ndarray:
        """Places of all pictures of the study that is looked at; none before one is."""
        if self.focus is None:
            return NOBODY
        studies = self.atlas.pictures.table["study"].to_numpy()
        return np.flatnonzero(studies == studies[self.focus])

    def classes(self) -> np.ndarray:
        """Return the class of each picture in the colouring, str `[N]`; numbers are above or below."""
        if self.colouring.is_number:
            return self.colouring.names()
        return np.array(self.colouring.classes)[self.colouring.codes]

    def class_menu(self) -> list[tuple[str, str]]:
        """Return what a person reads and what it means for each class that can be taken."""
        names, counts = np.unique(self.classes(), return_counts=True)
        order = list(self.colouring.classes) or list(names)
        found = dict(zip(names, counts, strict=True))
        return [(f"{name} ({found[name]:,})", name) for name in map(str, order) if name and found.get(name)]

    def _take(self, places: np.ndarray, origin: str) -> None:
        self.group = groups.typical_first(self.atlas.features(0), np.unique(places))
        self.origin, self.message = origin, ""
        self.look_at(self.group[0])


def _nearest_to(features: np.ndarray, place: int, k: int, patients: np.ndarray) -> np.ndarray:
    """Return the places of the k most similar pictures of other patients."""
    similar = features @ features[place]
    similar[patients == patients[place]] = -np.inf
    return np.argsort(-similar, kind="stable")[:k]
