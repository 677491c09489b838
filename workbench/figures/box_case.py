"""One case as panels: what readers saw, what each model looked at, and what there is to say about both."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lib.data.store import Store
from lib.protocols.case_maps import CaseMaps
from workbench import theme
from workbench.box_reading.map_table import MapTable, Reading
from workbench.figures.box_panels import Panel, picture_uri

HEAT_SIDE = 256
"""Pixels of a side of a map that travels to the browser; it is smooth, and the browser interpolates."""


class Attended(NamedTuple):
    """What a place of the picture attends to."""

    model: int
    place: tuple[int, int]  # row and column on the encoder's grid
    values: np.ndarray  # 0..1 on that grid
    words: str  # which layer and head


def case_panels(
    table: MapTable,
    case: int,
    reading: Reading,
    *,
    reader: str = "",
    boxes: bool = True,
    attended: Attended | None = None,
) -> list[Panel]:
    """Return the panels of a case: of each model, beside the bare picture where there is only one.

    Args:
        table: the maps.
        case: of `table.cases`.
        reading: how maps become boxes.
        reader: whose boxes; "" is all.
        boxes: whether boxes are drawn.
        attended: shown in place of the map of its model.
    """
    cases = table.cases
    view_row = int(cases.table["view_row"].iloc[case])
    marked = cases.of_reader(case, reader)
    bare = {
        "picture": _picture(cases.store, view_row),
        "size": cases.store.image_size,
        "marked": dict(marked) if boxes else {},
    }
    panels = []
    if len(table.sources) == 1:
        warning = "" if marked else f"No reader has a box of {_finding(table, case)} in this picture."
        panels.append(Panel(**bare, caption=f"{_who(marked)}\n{_marks(table, case)}", warning=warning))
    for model in range(len(table.sources)):
        if attended is not None and attended.model == model:
            panels.append(_attended_panel(table, model, attended, bare))
        else:
            panels.append(_model_panel(table, model, case, reading, reader, boxes, bare))
    return panels


def case_title(table: MapTable, case: int) -> str:
    """Name a case."""
    row = table.cases.table.iloc[case]
    return f"{row['finding']} in {row['view_id']}"


def split_note(table: MapTable) -> str:
    """Return whose pictures these are: the beginning of the line under a title."""
    first = table.sources[0]
    source = theme.provenance(first.store.name, first.store.synthetic)
    leaks = {maps.about.get("leak") for maps in table.maps if isinstance(maps, CaseMaps)} - {"", None}
    return " | ".join([source, f"{first.split} split", *sorted(leaks)])


def _model_panel(
    table: MapTable, model: int, case: int, reading: Reading, reader: str, boxes: bool, bare: dict
) -> Panel:
    source, finding = table.sources[model], _finding(table, case)
    if not isinstance(table.maps[model], CaseMaps):
        return Panel(**bare, caption=source.name, warning=str(table.maps[model]))
    if not table.has(model, case):
        known = f"It was not trained on {finding}: it has no map of it."
        return Panel(**bare, caption=source.name, warning=known)
    read, grid = table.read(model, case, reading, reader), table.grid(model, case)
    probability = table.probability(model, np.array([case]))[0]
    said = [f"{finding} {probability:.2f}"]
    if read.num_readers:
        said += [f"IoU {read.iou:.2f}", _pointed(read.pointed, read.num_readers)]
    found = {"found": read.boxes.corners, "confidence": read.boxes.confidence} if boxes else {}
    warning = f"The map is zero everywhere: nothing here speaks for {finding}." if read.is_zero else ""
    if model == 0 and len(table.sources) > 1 and not read.num_readers:
        warning = warning or f"No reader has a box of {finding} in this picture."
    return Panel(
        **bare,
        **found,
        caption=f"{source.name}\n{' | '.join(said)}",
        heat=_small(read.values),
        warning=warning,
        seen=_seen(table, model),
        grid=grid,
    )


def _attended_panel(table: MapTable, model: int, attended: Attended, bare: dict) -> Panel:
    row, column = attended.place
    frame = table.maps[model].frame
    words = f"What the framed place (row {row + 1}, column {column + 1}) attends to: {attended.words}"
    return Panel(
        **{**bare, "marked": {}},
        caption=f"{table.sources[model].name}\n{words}",
        heat=_small(frame.to_store(attended.values[None])[0]),
        seen=_seen(table, model),
        grid=attended.values,
        place=attended.place,
    )


def _seen(table: MapTable, model: int) -> tuple[float, float, float, float]:
    frame = table.maps[model].frame
    end = frame.start + frame.side
    return frame.start, frame.start, end, end


def _small(values: np.ndarray) -> np.ndarray:
    step = -(-len(values) // HEAT_SIDE)
    return values[::step, ::step]


def _finding(table: MapTable, case: int) -> str:
    return str(table.cases.table["finding"].iloc[case])


def _who(marked: Sequence[str]) -> str:
    return f"Marked by {', '.join(marked)}" if marked else "Marked by nobody"


def _marks(table: MapTable, case: int) -> str:
    """Say what the readers' boxes cover, and which of them could not be drawn."""
    cases = table.cases
    parts = [f"boxes cover {100 * cases.area[case]:.1f} % of the picture"] if cases.marked[case] else []
    if len(cases.marked[case]) > 1:
        parts.append(f"readers agree by IoU {cases.agreement[case]:.2f}")
    if beside := int(cases.outside[case]):
        parts.append(f"{beside} {'box lies' if beside == 1 else 'boxes lie'} beside the picture")
    return " | ".join(parts)


def _pointed(pointed: float, num_readers: int) -> str:
    if num_readers == 1:
        return "maximum inside the box" if pointed >= 0.5 else "maximum outside the box"
    return f"maximum in the box of {round(pointed)} of {num_readers} readers"


@functools.lru_cache(maxsize=32)
def _picture(store: Store, view_row: int) -> str:
    """Return the picture of a view; a moved slider does not pack it again."""
    return picture_uri(np.array(store.images[view_row]))
