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
from workbench.embedding_reading.checkpoints import Checkpoint, find_checkpoints
from workbench.embedding_reading.colours import colourings, find_colouring
from workbench.embedding_reading.picture_maps import PictureMaps
from workbench.figures import curation, embedding, studies
from workbench.figures import stores as store_figures
from workbench.figures.covered_sheet import cover_sheet
from workbench.figures.embedding_group import apart_figure
from workbench.figures.heat import OPACITY, Cover, lay_heat
from workbench.inputs import shorten
from workbench.widgets.embedding_shell import embedding_shell
from workbench.widgets.map_overlay import NOWHERE, SHEET, MapOverlay
from workbench.widgets.picture_group import PictureGroup

PER_SHEET = 24
"""Pictures of a contact sheet at most; more would come slowly to a browser."""


class EmbeddingExplorer(PictureGroup):
    """Maps of the features, a group of their pictures, and one picture that is looked at.

    Attributes, besides those of a group:
        known: what the pictures can be coloured by, by name.
        method: of the maps that are drawn.
        overlay: which map of which model lies on the pictures.
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
        maps: str = NOWHERE,
    ):
        """Begin with the first kind of map.

        Args:
            atlas: the maps.
            methods: kinds of maps that are offered.
            colour: property to colour by; "" is the first.
            words: of reports; the pictures of studies that have them are the first group.
            errors: id of a fine-tuning; its errors are among the colours, as are those of fine-tuned
                checkpoints, and its maps can lie on pictures, as can those of all checkpoints.
            maps: where maps of the first model lie, a key of `workbench.widgets.map_overlay.WHERE`.

        Raises:
            ValueError: an unknown method or place of maps, or `errors` is no fine-tuning.
            FileNotFoundError: no such run.
        """
        unknown = [name for name in methods if name not in METHODS]
        if unknown or not methods:
            raise ValueError(f"methods={list(methods)}: take some of {', '.join(METHODS)}.")
        self.methods, self.method = tuple(methods), methods[0]
        judged = _fine_tuning(errors, atlas.checkpoints)
        tuned = [one.run for one in (*atlas.checkpoints, *judged) if one.is_fine_tuned]
        self.known = colourings(atlas.pictures, tuned)
        colouring, remark = find_colouring(self.known, colour)
        super().__init__(atlas, colouring)
        models = [
            PictureMaps(one, atlas.pictures, device=atlas.device) for one in (*atlas.checkpoints, *judged)
        ]
        self.overlay = MapOverlay(models, where=maps, finding=colour)
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

    def step_on_sheet(self, number: int) -> None:
        """Look at a picture of the contact sheet that is shown, from 0."""
        self.step_to(self._first_on_sheet + number)

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
    def rank_on_sheet(self) -> int | None:
        """Number of the picture that is looked at on the sheet, from 0; None where it is not in the group."""
        return None if self.rank is None else self.rank - self._first_on_sheet

    @property
    def said(self) -> str:
        """What there is to say about the last wish, and why maps are missing."""
        return " ".join(filter(None, (self.message, self.overlay.message)))

    @property
    def note(self) -> str:
        """Where the pictures come from."""
        return self.atlas.pictures.note

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
        cover_sheet(figure, self._covers(places))
        if self.rank_on_sheet is not None:
            studies.frame(figure, self.rank_on_sheet)
        return figure

    def sheet_pictures(self) -> list[np.ndarray]:
        """Return the pictures of the sheet, uint8 `[S, S]`, or `[S, S, 3]` with a map on it."""
        places = self.on_sheet()
        images = self.atlas.pictures.images(places)
        return [
            image if cover is None else np.asarray(lay_heat(image, cover.heat, OPACITY))
            for image, cover in zip(images, self._covers(places), strict=True)
        ]

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
        """Return the figure of the study that is looked at: views, maps of a model, boxes, report."""
        table = self.atlas.pictures.table
        row, covers = table.iloc[self.focus], {}
        if self.overlay.where != NOWHERE:
            places = self.places_of_study
            rows = table["view_row"].iloc[places]
            covers = dict(zip(rows, self.overlay.covers(places), strict=True))
        store = self.atlas.pictures.stores[row["store"]]
        return store_figures.study(store, int(row["study_row"]), covers=covers)

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
        shown = [self.maps()]
        if len(self.group):
            shown += [self.sheet(), self.apart()]
        if self.focus is not None and self.overlay.where != NOWHERE:
            shown.append(self.study())
        # Maps that cannot be computed say so when they are drawn.
        said = [f"<p>{html.escape(one, quote=False)}</p>" for one in (self.said, self.caption) if one]
        return said + shown

    def live(self) -> Any:
        """Return the widget."""
        return embedding_shell(self)

    @property
    def _first_on_sheet(self) -> int:
        return (self.rank or 0) // PER_SHEET * PER_SHEET

    def _covers(self, places: np.ndarray) -> list[Cover | None]:
        """Return the maps that lie on pictures of the sheet."""
        return self.overlay.covers(places) if self.overlay.where == SHEET else [None] * len(places)


def _fine_tuning(name: str, others: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Return the checkpoint of a fine-tuning, unless there is none or it is one of the others."""
    if not name:
        return []
    (found,) = find_checkpoints([name])
    if not found.is_fine_tuned:
        raise ValueError(f"errors={name}: its task is {found.run.config.get('task')!r}. Give a fine-tuning.")
    return [found] * (found.run.id not in [one.run.id for one in others])
