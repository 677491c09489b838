"""What the pictures of a map can be told apart by: findings, people, machines, splits, errors.

Letters: `N` pictures.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from lib.data.splits import SPLITS
from workbench.embedding_reading.pictures import Pictures
from workbench.runs import Run

MOST_CLASSES = 7
"""Colours that readers can tell apart; rarer classes are one."""
SEVERAL, NONE, OTHER, UNKNOWN = "several", "none", "other", "not known"
ALONE = "the only finding"
PERSON_AND_PICTURE = ("view position", "sex", "age", "site", "size of the original", "flag", "split")
"""Colourings that no finding should need."""


@dataclasses.dataclass(frozen=True, eq=False)
class Colouring:
    """One property of all pictures.

    Attributes:
        name: for people.
        classes: its values in the order in which they are drawn; empty for a number.
        codes: index into `classes`, int64 `[N]`; empty for a number.
        values: float32 `[N]`, NaN where not known; empty for classes.
        quiet: classes that are drawn in grey, the others lying on top.
    """

    name: str
    classes: tuple[str, ...] = ()
    codes: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0, np.int64))
    values: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0, np.float32))
    quiet: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether it is measured and not named."""
        return not self.classes

    def of(self, place: int) -> str:
        """Return what one picture has, for people."""
        if self.is_number:
            value = self.values[place]
            return UNKNOWN if np.isnan(value) else f"{value:.3g}"
        return self.classes[self.codes[place]]

    def known(self) -> np.ndarray:
        """Return the class of each picture, -1 where not known or left over; numbers by their median."""
        if self.is_number:
            above = self.values > np.nanmedian(self.values)
            return np.where(np.isnan(self.values), -1, above.astype(np.int64))
        left = np.array([name in (UNKNOWN, OTHER) for name in self.classes])
        return np.where(left[self.codes], -1, self.codes)

    def names(self) -> np.ndarray:
        """Return the same as names, "" where not known, str `[N]`."""
        if self.is_number:
            median = np.nanmedian(self.values)
            classes = np.array([f"{median:.3g} and below", f"above {median:.3g}", ""])
        else:
            classes = np.array([*self.classes, ""])
        return classes[self.known()]


def colourings(pictures: Pictures, runs: Sequence[Run] = ()) -> dict[str, Colouring]:
    """Return name -> colouring; what is the same for all pictures is left out.

    Args:
        pictures: of the map.
        runs: fine-tunings; where they have predicted these pictures, their errors are among the colourings.
    """
    table = pictures.table
    found = [
        _alone(pictures),
        *(_finding(name, pictures.labels[:, number]) for number, name in enumerate(pictures.label_names)),
        _classes("view position", table["position"]),
        _classes("sex", table["sex"]),
        Colouring("age", values=table["age"].to_numpy(np.float32)),
        _classes("site", table["site"]),
        _classes("size of the original", table["size"]),
        _classes("flag", table["flags"], empty=NONE),
        _classes("split", table["split"], order=SPLITS),
        *(_error(run, name, values) for run in runs for name, values in errors(pictures, run).items()),
    ]
    return {one.name: one for one in found if _tells(one)}


def errors(pictures: Pictures, run: Run) -> dict[str, np.ndarray]:
    """Return target -> distance of the probability from the label, NaN where not predicted, float32 `[N]`.

    Empty where the run has predicted none of these pictures.
    """
    inside = pictures.table["site"].to_numpy() != ""
    stores = [store.id == run.config.get("store_id") for store in pictures.stores]
    inside &= np.array(stores)[pictures.table["store"]]
    if not inside.any():
        return {}
    said = run.predictions().set_index("view_id")
    said = said[~said.index.duplicated()].reindex(pictures.table["view_id"])
    targets = [name.removeprefix("label/") for name in said.columns if name.startswith("label/")]
    return {
        name: np.where(inside, (said[f"label/{name}"] - said[f"probability/{name}"]).abs(), np.nan).astype(
            np.float32
        )
        for name in targets
    }


def error_name(run: Run, target: str) -> str:
    """Name the colouring by a fine-tuning's error."""
    return f"error of {run.id[-4:]}: {target}"


def find_colouring(known: Mapping[str, Colouring], name: str) -> tuple[Colouring, str]:
    """Return the colouring of a name and ""; of an unknown name the first colouring, and what to say."""
    first = next(iter(known.values()))
    if not name or name in known:
        return known.get(name, first), ""
    return first, f"These pictures cannot be told apart by {name!r}; they can by {', '.join(known)}."


def _alone(pictures: Pictures) -> Colouring:
    """Return which finding a study has, where it has one alone: the ConVIRT paper's categories."""
    positive = pictures.labels == 1
    names = [*pictures.label_names, SEVERAL, NONE]
    only = np.where(positive.sum(axis=1) == 1, positive.argmax(axis=1), len(names) - 2)
    codes = np.where(positive.any(axis=1), only, len(names) - 1)
    return _common(ALONE, np.array(names)[codes], last=(SEVERAL, NONE))


def _finding(name: str, labels: np.ndarray) -> Colouring:
    codes = np.where(np.isnan(labels), 2, np.where(labels == 1, 0, 1))
    return _common(name, np.array(["present", "absent", UNKNOWN])[codes], last=("absent", UNKNOWN))


def _classes(
    name: str, values: Sequence[str], *, empty: str = UNKNOWN, order: Sequence[str] = ()
) -> Colouring:
    values = np.asarray(values, str)
    return _common(name, np.where(values == "", empty, values), last=(UNKNOWN, NONE), order=order)


def _common(
    name: str, values: np.ndarray, *, last: Sequence[str] = (), order: Sequence[str] = ()
) -> Colouring:
    """Make a colouring by names: common ones first, rare ones together, those of `last` grey at the end."""
    names, counts = np.unique(values, return_counts=True)
    ranked = [names[place] for place in np.argsort(-counts, kind="stable") if names[place] not in last]
    shown, rest = ranked[:MOST_CLASSES], ranked[MOST_CLASSES:]
    if order:
        shown.sort(key=list(order).index)
    quiet = [*[OTHER] * bool(rest), *(one for one in last if one in names)]
    classes = tuple(map(str, (*shown, *quiet)))
    place = {one: index for index, one in enumerate(classes)}
    codes = np.array([place.get(one, place.get(OTHER, 0)) for one in values], np.int64)
    return Colouring(name, classes, codes, quiet=tuple(quiet))


def _error(run: Run, target: str, values: np.ndarray) -> Colouring:
    return Colouring(error_name(run, target), values=values)


def _tells(colouring: Colouring) -> bool:
    """Return whether it is not the same for all."""
    if colouring.is_number:
        known = colouring.values[np.isfinite(colouring.values)]
        return known.size > 1 and bool(np.ptp(known) > 0)
    return len(colouring.classes) > 1
