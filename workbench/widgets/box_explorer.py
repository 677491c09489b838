"""Boxes of maps beside those of readers: which case is looked at, how its map is read, what is chosen."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.box_reading import offers
from workbench.box_reading.map_source import MapSource
from workbench.box_reading.map_table import MapTable, Reading
from workbench.box_reading.marked_cases import Wanted
from workbench.box_reading.orders import ORDERS, in_order
from workbench.figures import curation
from workbench.figures.box_case import Attended, case_panels, case_title, split_note
from workbench.figures.box_gallery import case_gallery
from workbench.figures.box_panels import Panel, box_panels
from workbench.widgets.box_explorer_shell import box_explorer_shell
from workbench.widgets.box_keeping import keep

PER_PAGE = 16
"""Cases of a gallery."""
STEP = 0.05
"""Of the threshold, for the arrow keys."""
LOWEST, HIGHEST = 0.05, 0.95
"""Threshold."""
OPACITY = 0.55
"""Of the map, to begin with."""
EVERY = Wanted()


class BoxExplorer:
    """What a person looks at, and what there is to say about it.

    Attributes:
        sources: one model, or two to compare.
        table: their maps of the chosen method.
        wanted: which cases.
        order: in which, one of `ORDERS`.
        reading: how the map of the case is read.
        sorted_by: how all maps were read when the cases were sorted.
        opacity: of the map.
        boxes: whether boxes are drawn.
        rows: the chosen cases, in their order.
        ious: of each model, in the order of `rows`.
        place: of the case looked at, in `rows`.
        attended: what a clicked place attends to; None mostly.
        message: what there is to say about the last wish, "" mostly.
    """

    def __init__(
        self,
        sources: Sequence[MapSource],
        *,
        method: str = "cam",
        layer: int = -1,
        head: int | None = None,
        finding: str = "",
        threshold: float = 0.5,
        smoothing: float = 0.0,
        order: str = "best",
    ):
        """Take the maps and sort them; what does not fit is left out, and `message` says so.

        Args:
            sources: models; a second one must look at the same pictures.
            method: of `lib.explain.METHODS`; where none fits, "cam".
            layer: of methods that look at one; -1: the last.
            head: of methods that look at one; None: the mean.
            finding: to begin with; "" is all.
            threshold: of the maps, a share of their maximum.
            smoothing: of the maps, stored pixels.
            order: of the cases.

        Raises:
            ValueError: no model has any map.
        """
        first = sources[0]
        self.sources = [one for one in sources if one.store.id == first.store.id][:2]
        said = [
            f"{one.name} ({one.run.id}) is left out: it looks at other pictures, {one.store.path.name}."
            for one in sources
            if one.store.id != first.store.id
        ]
        self.wanted, self.order, self.attended = EVERY, "best", None
        self.opacity, self.boxes = OPACITY, True
        self.reading = Reading(_within(threshold), max(0.0, smoothing))
        try:
            self.table = MapTable(self.sources, method, layer, head)
        except ValueError as error:
            said.append(str(error))
            self.table = MapTable(self.sources, "cam")
        for wish in (self.sort, lambda: self.sort(order), lambda: finding and self.choose(finding=finding)):
            wish()
            said.append(self.message)
        self.message = " ".join(filter(None, said))

    def choose(self, **conditions: Any) -> None:
        """Keep the cases that meet these conditions and those asked for before; sort them, go to the first.

        What there is nothing of changes nothing, and `message` says why.

        Args:
            conditions: fields of `Wanted`.
        """
        wanted = dataclasses.replace(self.wanted, **conditions)
        self.message = offers.refusal(self.table, wanted)
        if not self.message:
            self.wanted = wanted
            self.sort()

    def sort(self, order: str = "") -> None:
        """Choose and sort anew, with all maps read as the one looked at is; go to the first case.

        Args:
            order: one of `ORDERS`; "" is that of before. `message` says where it cannot be.
        """
        try:
            self.rows, self.ious = self._ranked(order or self.order)
        except ValueError as error:
            self.message = str(error)
            return
        self.order, self.sorted_by = order or self.order, self.reading
        self.go_to(0)

    def explain_by(self, method: str, layer: int = -1, head: int | None = None) -> None:
        """Take the maps of another method, layer or head; where no model has any, `message` says why."""
        looked_at = self.table.cases.table.iloc[self.case] if len(self.rows) else None
        try:
            self.table = MapTable(self.sources, method, layer, head)
        except ValueError as error:
            self.message = str(error)
            return
        self.sort()
        if looked_at is not None:
            same = self.table.cases.named(looked_at["view_id"])
            same = same[(self.table.cases.table["finding"].iloc[same] == looked_at["finding"]).to_numpy()]
            self.go_to(np.flatnonzero(np.isin(self.rows, same))[:1].sum())

    def read_by(self, *, threshold: float | None = None, smoothing: float | None = None) -> None:
        """Read the map of the case in another way; the order stays until `sort`."""
        self.message = ""
        self.reading = Reading(
            self.reading.threshold if threshold is None else _within(threshold),
            self.reading.smoothing if smoothing is None else max(0.0, smoothing),
        )

    def go_to(self, place: int) -> None:
        """Look at another case; places beyond the ends mean the ends."""
        self.place, self.message = int(np.clip(place, 0, max(0, len(self.rows) - 1))), ""
        self.attended = None

    def find(self, name: str) -> None:
        """Look at the next case of a view, study or patient; `message` says where there is none.

        A case that the choice leaves out ends the choice, and `message` says so.
        """
        name = name.strip()
        if not name:
            return
        found = self.table.cases.named(name)
        if not len(found):
            self.message = offers.why_unmarked(self.table, name)
            return
        inside = np.isin(self.rows, found)
        outside = not inside.any()
        if outside:
            self.choose(**dataclasses.asdict(EVERY))
            inside = np.isin(self.rows, found)
        here = np.flatnonzero(inside)
        later = here[here > self.place]
        self.go_to(later[0] if len(later) and not outside else here[0])
        self.message = "The choice did not hold it and was taken back." * outside

    def attend(self, model: int, place: int, layer: int = -1, head: int | None = None) -> None:
        """Show what a place attends to instead of the map of its model; the same place again takes it back.

        Args:
            model: which one.
            place: on its grid, row by row.
            layer: block; -1: the last.
            head: one of them; None: the mean.
        """
        if not len(self.rows) or not self.table.has(model, self.case):
            return
        where = divmod(place, self.table.grid(model, self.case).shape[1])
        words = "last layer" if layer == -1 else f"layer {layer + 1}"
        words += ", mean of all heads" if head is None else f", head {head + 1}"
        if self.attended is not None and self.attended[:2] == (model, where) and self.attended.words == words:
            self.back()
            return
        view_row = int(self.table.cases.table["view_row"].iloc[self.case])
        try:
            values = self.sources[model].attended(view_row, place, layer, head)
        except ValueError as error:
            self.message = str(error)
            return
        self.attended, self.message = Attended(model, where, values, words), ""

    def back(self) -> None:
        """Show the map again."""
        self.attended, self.message = None, ""

    def press(self, key: str) -> bool:
        """Do what a key stands for; return whether it stands for anything."""
        steps = {"ArrowRight": 1, "ArrowLeft": -1, "PageDown": PER_PAGE, "PageUp": -PER_PAGE}
        levels = {"ArrowUp": STEP, "ArrowDown": -STEP}
        acts = {
            "b": lambda: self.show_boxes(not self.boxes),
            "m": lambda: self.show_map(0.0 if self.opacity else OPACITY),
            "s": self.sort,
            "Escape": self.back,
            **{name: lambda step=step: self.go_to(self.place + step) for name, step in steps.items()},
            **{
                name: lambda step=step: self.read_by(threshold=self.reading.threshold + step)
                for name, step in levels.items()
            },
        }
        if key in acts:
            acts[key]()
        return key in acts

    def show_boxes(self, boxes: bool) -> None:
        """Draw boxes, or leave them out for a look at the picture alone."""
        self.boxes = boxes

    def show_map(self, opacity: float) -> None:
        """Draw the map so densely, 0 to 1."""
        self.opacity = float(np.clip(opacity, 0, 1))

    def save(self) -> None:
        """Write the figure and the list of the chosen cases; `message` says where they are."""
        self.message = keep(self) if len(self.rows) else "There is no case to write."

    @property
    def case(self) -> int:
        """The case looked at, of `table.cases`."""
        return int(self.rows[self.place])

    @property
    def caption(self) -> str:
        """Where the case stands among the chosen ones, whose it is, and how they are sorted."""
        if not len(self.rows):
            return "No case meets all of these conditions; take one back."
        table = self.table.cases.table
        patients = table["patient_id"].iloc[self.rows].nunique()
        row = table.iloc[self.case]
        parts = [
            f"case {self.place + 1:,} of {len(self.rows):,} ({patients:,} patients)",
            f"study {row['study_id']}, patient {row['patient_id']}",
            f"{ORDERS[self.order]} at threshold {self.sorted_by.threshold:.2f}",
        ]
        return " | ".join(parts)

    @property
    def is_sorted(self) -> bool:
        """Whether the order is that of how the map is read now."""
        return self.sorted_by == self.reading

    @property
    def note(self) -> str:
        """Where the pictures come from."""
        return split_note(self.table)

    def panels(self) -> list[Panel]:
        """Return what is drawn of the case looked at."""
        return case_panels(
            self.table,
            self.case,
            self.reading,
            reader=self.wanted.reader,
            boxes=self.boxes,
            attended=self.attended,
        )

    def look(self) -> dict[str, Any]:
        """Return how the panels are drawn: what `box_panels` asks for beside them."""
        read = f"threshold {self.reading.threshold:.2f}, smoothed by {self.reading.smoothing:g} px"
        runs = " and ".join(one.run.id for one in self.sources)
        return {
            "threshold": self.reading.threshold,
            "opacity": self.opacity,
            "title": case_title(self.table, self.case),
            "note": f"{self.note} | {runs}\n{self.table.description} | {read}",
        }

    def figure(self) -> Any:
        """Return the figure of the case looked at."""
        if not len(self.rows):
            return curation.nothing(self.caption, note=self.note)
        return box_panels(self.panels(), **self.look())

    def gallery(self) -> Any:
        """Return the figure of the sixteen chosen cases among which the one looked at is."""
        first = self.place // PER_PAGE * PER_PAGE
        return self._sheet(self.rows, self.ious, self.order, first, chosen=self.place - first)

    def galleries(self) -> list[Any]:
        """Return the sixteen best cases, the sixteen worst, and those about which the models disagree."""
        orders = ["best", "worst", *["models disagree"] * (len(self.sources) > 1)]
        return [self._sheet(*self._ranked(order), order, 0) for order in orders]

    def static(self) -> list[Any]:
        """Return the case looked at and the galleries."""
        return [self.figure(), *self.galleries()]

    def live(self) -> Any:
        """Return the widget."""
        return box_explorer_shell(self)

    def _ranked(self, order: str) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the cases that are asked for in an order, and what each model's boxes are worth."""
        cases, reader = self.table.cases.choose(self.wanted), self.wanted.reader
        ious = [
            self.table.quick_iou(model, cases, self.reading, reader) for model in range(len(self.sources))
        ]
        if (self.wanted.low, self.wanted.high) != (EVERY.low, EVERY.high):
            kept = (self.wanted.low <= ious[0]) & (ious[0] <= self.wanted.high)
            cases, ious = cases[kept], [one[kept] for one in ious]
        places = in_order(
            order,
            ious,
            agreement=lambda: self.table.cases.agreement[cases],
            area=self.table.cases.area[cases],
            probability=self.table.probability(0, cases),
        )
        return cases[places], [one[places] for one in ious]

    def _sheet(
        self, rows: np.ndarray, ious: list[np.ndarray], order: str, first: int, chosen: int | None = None
    ) -> Any:
        if not len(rows):
            return curation.nothing(self.caption, note=self.note)
        page = slice(first, first + PER_PAGE)
        name = offers.METHOD_NAMES.get(self.table.method, self.table.method)
        places = f"{first + 1:,} to {first + len(rows[page]):,} of {len(rows):,} cases"
        return case_gallery(
            self.table,
            rows[page],
            [one[page] for one in ious],
            self.sorted_by,
            reader=self.wanted.reader,
            chosen=chosen,
            title=f"{ORDERS[order].capitalize()}: {places}",
            note=f"{self.note} | {name} | threshold {self.sorted_by.threshold:.2f}",
        )


def _within(threshold: float) -> float:
    return round(float(np.clip(threshold, LOWEST, HIGHEST)), 2)
