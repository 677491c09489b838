"""Look at maps of features: colour them, take a group of pictures, see what it is, keep it as a list."""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib.atomic import atomic_path
from lib.embedding import METHODS
from workbench.embedding_reading import groups
from workbench.embedding_reading.atlas import METHOD_TITLES, Atlas
from workbench.embedding_reading.colours import colourings, find_colouring
from workbench.embedding_reading.measures import num_neighbours
from workbench.figures import curation, embedding, studies
from workbench.figures import stores as store_figures
from workbench.figures.embedding_group import apart_figure
from workbench.inputs import shorten
from workbench.runs import Run, open_run
from workbench.study_filter import words_pattern
from workbench.widgets.embedding_shell import embedding_shell

PER_SHEET = 24
"""Pictures of a contact sheet at most; more would come slowly to a browser."""

NOBODY = np.empty(0, np.int64)


class EmbeddingExplorer:
    """Maps, a group of their pictures, and one picture that is looked at.

    Attributes:
        atlas: the maps.
        known: what the pictures can be coloured by, by name.
        method: of the maps that are drawn.
        colouring: of the points.
        group: places of the pictures that were taken, the most typical first; empty without a group.
        origin: how the group was taken, in words.
        focus: place of the picture that is looked at; None before one is.
        message: what there is to say about the last wish, "" mostly.
        per_sheet: pictures of a contact sheet at most.
    """

    per_sheet = PER_SHEET

    def __init__(
        self,
        atlas: Atlas,
        *,
        methods: Sequence[str] = tuple(METHODS),
        colour: str = "",
        words: str = "",
        errors: str = "",
    ):
        """Begin with the first kind of map.

        Args:
            atlas: the maps.
            methods: kinds of maps that are offered.
            colour: property to colour by; "" is the first.
            words: of reports; the pictures of studies that have them are the first group.
            errors: id of a fine-tuning; its errors are among the colours, as are those of fine-tuned
                checkpoints.

        Raises:
            ValueError: an unknown method, or `errors` is no fine-tuning.
            FileNotFoundError: no such run.
        """
        unknown = [name for name in methods if name not in METHODS]
        if unknown or not methods:
            raise ValueError(f"methods={list(methods)}: take some of {', '.join(METHODS)}.")
        self.atlas, self.methods, self.method = atlas, tuple(methods), methods[0]
        runs = [one.run for one in atlas.checkpoints if one.is_fine_tuned]
        self.known = colourings(atlas.pictures, [*runs, *_fine_tuning(errors)])
        self.colouring, remark = find_colouring(self.known, colour)
        self.group, self.origin, self.focus = NOBODY, "", None
        self.message = ""
        self._hover: list[str] | None = None
        self.pick_words(words)
        self.message = " ".join(filter(None, (atlas.message, remark, self.message)))

    def draw(self, method: str) -> None:
        """Draw another kind of map; `message` says where it cannot be made, and the one before stays."""
        try:
            for number in range(len(self.atlas.checkpoints)):
                self.atlas.map(number, method)
            self.method, self.message = method, ""
        except (ValueError, ImportError) as error:
            self.message = f"{METHOD_TITLES.get(method, method)} cannot be drawn: {error}"

    def colour_by(self, name: str) -> None:
        """Colour by another property; `message` says where there is none of that name."""
        if name in self.known:
            self.colouring, self.message, self._hover = self.known[name], "", None
        else:
            _, self.message = find_colouring(self.known, name)

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

    def step_on_sheet(self, number: int) -> None:
        """Look at a picture of the contact sheet that is shown, from 0."""
        self.step_to(self._first_on_sheet + number)

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

    def export(self, name: str = "") -> Path | None:
        """Write the studies of the group as a CSV below the folder of the first run.

        Args:
            name: of the file; letters, digits, - and _ are kept.

        Returns:
            The file; None where there is no group, and `message` says so.
        """
        if not len(self.group):
            self.message = "There is no group to keep: take one first."
            return None
        listed = groups.study_list(self.atlas.pictures, self.group)
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name or self.origin).strip("-")[:80] or "group"
        path = self.atlas.files()[0] / "lists" / f"{stem}.csv"
        with atomic_path(path) as temporary:
            listed.to_csv(temporary, index=False)
        count = f"{len(listed):,} {'study' if len(listed) == 1 else 'studies'}"
        self.message = f"{count} written: {shorten(path)}"
        return path

    @property
    def rank(self) -> int | None:
        """Rank of the picture that is looked at in the group; None where it is not in it."""
        found = np.flatnonzero(self.group == self.focus) if self.focus is not None else NOBODY
        return int(found[0]) if len(found) else None

    @property
    def rank_on_sheet(self) -> int | None:
        """Number of the picture that is looked at on the sheet, from 0; None where it is not in the group."""
        return None if self.rank is None else self.rank - self._first_on_sheet

    @property
    def caption(self) -> str:
        """How many pictures of how many patients were taken, and how."""
        if not len(self.group):
            return "Draw around points, or take a class or words: what sets the group apart is shown below."
        people = len(np.unique(self.atlas.pictures.patients[self.group]))
        count = f"{len(self.group):,} of {len(self.atlas.pictures):,} pictures, {people:,} patients"
        return f"{count} | {self.origin}"

    @property
    def note(self) -> str:
        """Where the pictures come from."""
        return self.atlas.pictures.note

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

    def method_menu(self) -> list[tuple[str, str]]:
        """Return what a person reads and what it means for each kind of map."""
        return [(METHOD_TITLES[name], name) for name in self.methods]

    def title(self, number: int) -> str:
        """Return the title of one map."""
        return f"{self.atlas.checkpoints[number].title}: {METHOD_TITLES[self.method]}"

    @property
    def hover(self) -> list[str]:
        """What appears under the pointer, for each picture."""
        if self._hover is None:
            table, classes = self.atlas.pictures.table, self.colouring
            self._hover = [
                f"{study} {position}<br>{classes.name}: {classes.of(place)}"
                for place, (study, position) in enumerate(
                    zip(table["study_id"], table["position"], strict=True)
                )
            ]
        return self._hover

    def points(self, number: int) -> dict[str, Any]:
        """Return what the trace of a map has now; see `workbench.figures.embedding.points_of`."""
        selected = self.group if len(self.group) else None
        placed = self.atlas.map(number, self.method)
        return embedding.points_of(placed, self.colouring, self.hover, selected)

    def drawn_order(self) -> np.ndarray:
        """Return the places of the pictures in the order of the points."""
        return embedding.paint(self.colouring).order

    def legend(self) -> str:
        """Return the legend of the points as HTML."""
        return embedding.legend(self.colouring)

    def on_sheet(self) -> np.ndarray:
        """Return the places of those pictures of the group among which the one looked at is."""
        return self.group[self._first_on_sheet : self._first_on_sheet + PER_SHEET]

    def findings(self, places: np.ndarray) -> list[str]:
        """Return the positive labels of pictures, one line each."""
        names = np.array(self.atlas.pictures.label_names)
        return [", ".join(names[row == 1]) or "none positive" for row in self.atlas.pictures.labels[places]]

    @property
    def sheet_title(self) -> str:
        """Say which pictures of the group the sheet has."""
        first, count = self._first_on_sheet, len(self.on_sheet())
        return (
            f"{first + 1:,} to {first + count:,} of {len(self.group):,} pictures, the most typical of the "
            "group first"
        )

    def sheet(self) -> Any:
        """Return the contact sheet of those pictures of the group among which the one looked at is."""
        places = self.on_sheet()
        table = self.atlas.pictures.table.iloc[places]
        captions = [
            f"{study}\n{position}\n{findings}"
            for study, position, findings in zip(
                table["study_id"], table["position"], self.findings(places), strict=True
            )
        ]
        images = self.atlas.pictures.images(places)
        figure = studies.contact_sheet(images, captions, title=self.sheet_title, note=self.note)
        if self.rank_on_sheet is not None:
            studies.frame(figure, self.rank_on_sheet)
        return figure

    def apart(self) -> Any:
        """Return the figure of what sets the group apart."""
        if not len(self.group):
            return curation.nothing("There is no group", note=self.note)
        size = len(self.atlas.pictures)
        others = size - len(self.group)
        origin = html.escape(self.origin, quote=False)
        return apart_figure(
            groups.telling_words(self.atlas, self.group),
            groups.telling_traits(self.known, self.group, size),
            title="What sets the group apart",
            note=f"{self.note}<br>group: {len(self.group):,} pictures, {origin} | all others: {others:,}",
        )

    def study(self) -> Any:
        """Return the figure of the study that is looked at: views, boxes, report."""
        row = self.atlas.pictures.table.iloc[self.focus]
        return store_figures.study(self.atlas.pictures.stores[row["store"]], int(row["study_row"]))

    def studies(self) -> pd.DataFrame:
        """Return the studies of the group as `export` writes them, without the long ids of the stores."""
        return groups.study_list(self.atlas.pictures, self.group).drop(columns="store_id")

    def maps(self, *, is_live: bool = False) -> Any:
        """Return all maps in one figure; a live one has its title and legend beside it."""
        numbers = range(len(self.atlas.checkpoints))
        return embedding.maps_figure(
            [self.atlas.map(number, self.method) for number in numbers],
            [self.title(number) for number in numbers],
            self.colouring,
            self.hover,
            selected=self.group if len(self.group) else None,
            focus=self.focus,
            title="" if is_live else f"Maps of the features, by {self.colouring.name}",
            note="" if is_live else self.note,
            has_legend=not is_live,
        )

    def static(self) -> list[Any]:
        """Return the maps, and what there is to see of the group."""
        said = [f"<p>{one}</p>" for one in (self.message, self.caption) if one]
        return [*said, self.maps(), *([self.sheet(), self.apart()] if len(self.group) else [])]

    def live(self) -> Any:
        """Return the widget."""
        return embedding_shell(self)

    @property
    def _first_on_sheet(self) -> int:
        return (self.rank or 0) // PER_SHEET * PER_SHEET

    def _take(self, places: np.ndarray, origin: str) -> None:
        self.group = groups.typical_first(self.atlas.features(0), np.unique(places))
        self.origin, self.message = origin, ""
        self.look_at(self.group[0])


def _fine_tuning(name: str) -> list[Run]:
    if not name:
        return []
    run = open_run(name)
    if run.config.get("task") != "finetune":
        raise ValueError(f"errors={name}: its task is {run.config.get('task')!r}. Give a fine-tuning.")
    return [run]


def _nearest_to(features: np.ndarray, place: int, k: int, patients: np.ndarray) -> np.ndarray:
    """Return the places of the k most similar pictures of other patients."""
    similar = features @ features[place]
    similar[patients == patients[place]] = -np.inf
    return np.argsort(-similar, kind="stable")[:k]
