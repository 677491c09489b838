"""Which studies of a store a person wants to see: conditions on labels, people, pictures and reports."""

import dataclasses
import math
import re
from collections.abc import Collection

import numpy as np

from lib.data.curation.flags import FLAGS
from lib.data.splits import SPLITS, UNUSED, Manifest, flagged_studies
from lib.data.store import Store

ANY = "any"
"""As a flag or a reader of boxes: whichever."""

NO_SPLIT = "no split"
"""As a split: the studies that the manifest leaves out."""

PRESENCE = {"present": 1.0, "absent": 0.0, "not known": math.nan}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyFilter:
    """Conditions that a study must meet, all of them; "" asks for nothing.

    Attributes:
        label: whose presence is asked for.
        presence: of that label, a key of `PRESENCE`.
        split: of the manifest, or `NO_SPLIT`.
        position: of at least one view.
        sex: as the store spells it.
        youngest: years; with a limit on either side, studies of unknown age are left out.
        oldest: years.
        flag: of at least one view, or `ANY`.
        words: in the findings or in the impression, whatever the case and the line breaks.
        reader: of at least one box, or `ANY`.
    """

    label: str = ""
    presence: str = "present"
    split: str = ""
    position: str = ""
    sex: str = ""
    youngest: float = 0.0
    oldest: float = math.inf
    flag: str = ""
    words: str = ""
    reader: str = ""

    def rows(self, store: Store, manifest: Manifest | None = None) -> np.ndarray:
        """Return the study rows that meet every condition, ascending.

        Args:
            store: the studies.
            manifest: its splits; needed where a split is asked for.

        Raises:
            ValueError: a label, split, position, sex, flag or reader that the store does not have.
        """
        return np.flatnonzero(_all(self._conditions(store, manifest).values(), len(store)))

    def loosened(self, store: Store, manifest: Manifest | None = None) -> dict[str, int]:
        """Return condition -> how many studies there would be without it; only those that would help."""
        conditions = self._conditions(store, manifest)
        now = np.count_nonzero(_all(conditions.values(), len(store)))
        counts = {
            name: int(
                np.count_nonzero(_all([conditions[one] for one in conditions if one != name], len(store)))
            )
            for name in conditions
        }
        return {name: count for name, count in counts.items() if count > now}

    def _conditions(self, store: Store, manifest: Manifest | None) -> dict[str, np.ndarray]:
        """Return for each condition that asks for something a mask over the studies, `[len(store)]`."""
        studies, views, boxes = store.studies, store.views, store.boxes
        masks = {}
        if self.label:
            _check("label", self.label, store.label_names)
            _check("presence", self.presence, PRESENCE)
            values = store.labels[:, list(store.label_names).index(self.label)]
            wanted = PRESENCE[self.presence]
            masks["label"] = np.isnan(values) if math.isnan(wanted) else values == wanted
        if self.split:
            _check("split", self.split, () if manifest is None else (*SPLITS, NO_SPLIT))
            masks["split"] = manifest.split == (
                UNUSED if self.split == NO_SPLIT else SPLITS.index(self.split)
            )
        if self.position:
            positions = views["position"].to_numpy(str)
            _check("view position", self.position, sorted(set(positions)))
            masks["view position"] = _studies_of(store, np.flatnonzero(positions == self.position))
        if self.sex:
            sexes = studies["sex"].to_numpy(str)
            _check("sex", self.sex, sorted(set(sexes) - {""}))
            masks["sex"] = sexes == self.sex
        if self.youngest > 0 or self.oldest < math.inf:
            ages = studies["age"].to_numpy()
            masks["age"] = (ages >= self.youngest) & (ages <= self.oldest)
        if self.flag:
            _check("flag", self.flag, (*FLAGS, ANY))
            masks["flag"] = np.zeros(len(store), bool)
            masks["flag"][flagged_studies(store, FLAGS if self.flag == ANY else [self.flag])] = True
        if self.words.strip():
            pattern = words_pattern(self.words).pattern
            contains = (
                studies[name].str.contains(pattern, case=False) for name in ("findings", "impression")
            )
            masks["words"] = np.logical_or(*(found.to_numpy(bool) for found in contains))
        if self.reader:
            readers = boxes["reader"].to_numpy(str)
            _check("reader", self.reader, (*sorted(set(readers)), ANY))
            marked = boxes["view_row"].to_numpy()[(readers == self.reader) | (self.reader == ANY)]
            masks["boxes"] = _studies_of(store, marked)
        return masks


def words_pattern(words: str) -> re.Pattern:
    """Return what finds words in a report, whatever the case and the line breaks between them."""
    return re.compile(r"\s+".join(map(re.escape, words.split())), re.IGNORECASE)


def _studies_of(store: Store, view_rows: np.ndarray) -> np.ndarray:
    """Return a mask over the studies, `[len(store)]`: those with one of some views."""
    mask = np.zeros(len(store), bool)
    mask[store.views["study_row"].to_numpy()[view_rows]] = True
    return mask


def _all(masks: Collection[np.ndarray], size: int) -> np.ndarray:
    return np.logical_and.reduce([np.ones(size, bool), *masks])


def _check(kind: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise ValueError(f"There is no {kind} {value!r} here; there are {', '.join(known) or 'none'}.")
