"""Leaf through the studies of a store: say which ones, step from study to study, see many at once."""

import dataclasses
import math
from typing import Any

import numpy as np

from lib.data.splits import SPLITS, UNUSED, Manifest
from lib.data.store import Store
from workbench.figures import curation, stores
from workbench.figures.studies import frame
from workbench.study_filter import ANY, NO_SPLIT, StudyFilter
from workbench.widgets.browser_shell import browser_shell

PER_SHEET = 40

Offer = list[tuple[str, str]]
"""What a menu shows and what it means, in its order; the first entry asks for nothing."""


class StudyBrowser:
    """Which studies are chosen, and which of them is looked at.

    Attributes:
        filter: what was asked for.
        rows: the studies of the choice, rows of the store.
        num_patients: whose studies these are.
        place: of the study looked at, in `rows`.
        message: what the last jump has to say, "" mostly.
    """

    def __init__(self, store: Store, manifest: Manifest | None = None):
        """Look at a store.

        Args:
            store: the studies.
            manifest: its splits; without one they cannot be chosen.
        """
        self.store = store
        self.manifest = manifest
        self._sheet, self._drawn = None, None
        self.clear()
        self.go_to(stores.telling_study(store))

    def choose(self, **conditions: Any) -> None:
        """Keep the studies that meet these conditions and those asked for before; go to the first one.

        Args:
            conditions: fields of `StudyFilter`.

        Raises:
            ValueError: a value that the store does not have.
        """
        wanted = dataclasses.replace(self.filter, **conditions)
        self.rows, self.filter = wanted.rows(self.store, self.manifest), wanted
        self.num_patients = self.store.studies["patient_id"].iloc[self.rows].nunique()
        self.place, self.message = 0, ""

    def clear(self) -> None:
        """Keep every study."""
        self.filter = StudyFilter()
        self.choose()

    def go_to(self, place: int) -> None:
        """Look at another study of the choice; places beyond its ends mean its ends."""
        self.place, self.message = int(np.clip(place, 0, max(0, len(self.rows) - 1))), ""

    def find(self, name: str) -> None:
        """Look at the next study of that id, or of that patient, or with that view.

        A study that the choice leaves out ends the choice; `message` says so, and where nothing was found.

        Args:
            name: an id, or a part of the id of a study.
        """
        found, what = self._named(name.strip())
        if not len(found):
            self.message = f"There is no study, patient or view {name.strip()!r}."
            return
        inside = np.flatnonzero(np.isin(self.rows, found))
        outside = not len(inside)
        if outside:
            self.clear()
            inside = found
        later = inside[inside > self.place]
        self.place = int(later[0] if len(later) else inside[0])
        self.message = what + " The choice did not hold it and was taken back." * outside

    @property
    def caption(self) -> str:
        """Where the study stands in the choice, whose it is, and in which split."""
        if not len(self.rows):
            return self.advice
        row = int(self.rows[self.place])
        people = _count(self.num_patients, "patient", "patients")
        this = f"this one: patient {self.store.studies['patient_id'].iloc[row]}"
        if self.manifest is not None:
            code = self.manifest.split[row]
            this += f", {NO_SPLIT if code == UNUSED else SPLITS[code]}"
        parts = [f"{self.place + 1:,} of {_count(len(self.rows), 'study', 'studies')} of {people}", this]
        return " | ".join(parts + [self.message] * bool(self.message))

    @property
    def advice(self) -> str:
        """For an empty choice: which condition to take back."""
        helps = sorted(
            self.filter.loosened(self.store, self.manifest).items(), key=lambda one: one[1], reverse=True
        )
        if not helps:
            return "No study meets these conditions, nor all but one of them: take several back."
        ways = ", ".join(f"without the {name} there are {count:,}" for name, count in helps)
        return f"No study meets all of these conditions: {ways}."

    def offers(self) -> dict[str, Offer]:
        """Return field of `StudyFilter` -> its menu; only fields by which these studies differ."""
        store, studies = self.store, self.store.studies
        positive = (store.labels == 1).sum(axis=0)
        known = np.isfinite(store.labels).any(axis=0)
        positions = store.views.groupby("position")["study_row"].nunique().items()
        readers = sorted(store.boxes["reader"].unique())
        flagged = len(StudyFilter(flag=ANY).rows(store))
        menus = {
            "label": [
                (f"{name} ({count:,})", name)
                for name, count, some in zip(store.label_names, positive, known, strict=True)
                if some
            ],
            "split": [(name, name) for name in self._splits()],
            "position": [(f"{name} ({count:,})", name) for name, count in positions if name],
            "sex": [
                (f"{name} ({count:,})", name) for name, count in studies["sex"].value_counts().items() if name
            ],
            "flag": [(f"any flag ({flagged:,})", ANY)] * bool(flagged)
            + [
                (f"{flag.replace('_', ' ')} ({count:,})", flag)
                for flag, count in stores.flag_counts(store).items()
            ],
            "reader": [("with boxes", ANY)] * bool(readers)
            + [(f"boxes by {name}", name) for name in readers],
        }
        least = {"position": 2, "sex": 2}
        return {
            name: [(_EVERY[name], ""), *menu]
            for name, menu in menus.items()
            if len(menu) >= least.get(name, 1)
        }

    @property
    def ages(self) -> tuple[int, int] | None:
        """Youngest and oldest of the store in whole years, None where no age is known."""
        ages = self.store.studies["age"].to_numpy()
        ages = ages[np.isfinite(ages)]
        return (math.floor(ages.min()), math.ceil(ages.max())) if len(ages) else None

    def choose_ages(self, youngest: float, oldest: float) -> None:
        """Keep studies of these ages; the whole range asks for nothing and keeps unknown ages too."""
        first, last = self.ages
        self.choose(
            youngest=youngest if youngest > first else 0.0, oldest=oldest if oldest < last else math.inf
        )

    def study(self) -> Any:
        """Return the figure of the study looked at."""
        if not len(self.rows):
            return curation.nothing("No such study", note=stores.note_of(self.store))
        return stores.study(self.store, int(self.rows[self.place]), words=self.filter.words)

    def sheet(self) -> Any:
        """Return the figure of the forty studies of the choice among which the one looked at is."""
        first = self.place // PER_SHEET * PER_SHEET
        rows = self.rows[first : first + PER_SHEET]
        if not len(rows):
            return curation.nothing("No such study", note=stores.note_of(self.store))
        if (first, self.filter) != self._drawn:  # of the same forty, only the frame moves
            title = (
                f"{first + 1:,} to {first + len(rows):,} of {len(self.rows):,} studies, first view of each"
            )
            self._sheet, self._drawn = stores.sheet(self.store, rows, title=title), (first, self.filter)
        frame(self._sheet, self.place - first)
        return self._sheet

    def static(self) -> Any:
        """Return the figure of the study looked at."""
        return self.study()

    def live(self) -> Any:
        """Return the widget: menus, a slider with a button at each end, the study, the sheet."""
        return browser_shell(self)

    def _splits(self) -> list[str]:
        if self.manifest is None:
            return []
        return [*SPLITS, *[NO_SPLIT] * bool((self.manifest.split == UNUSED).any())]

    def _named(self, name: str) -> tuple[np.ndarray, str]:
        """Return the rows of the studies that a name means, ascending, and what to say about it."""
        studies, views = self.store.studies, self.store.views
        if not name:
            return np.empty(0, np.int64), ""
        for column in ("study_id", "patient_id"):
            if len(found := np.flatnonzero(studies[column] == name)):
                return found, ""
        if len(found := views["study_row"].to_numpy()[(views["view_id"] == name).to_numpy()]):
            return found, ""
        found = np.flatnonzero(studies["study_id"].str.contains(name, case=False, regex=False))
        return found, f"{_count(len(found), 'study id contains', 'study ids contain')} {name!r}."


_EVERY = {
    "label": "every label",
    "split": "every split",
    "position": "every view",
    "sex": "every sex",
    "flag": "flagged or not",
    "reader": "boxes or none",
}


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
