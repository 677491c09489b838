"""Audit: does anything of a test set stand on the other side of its border, and do the sides differ?

Borders lie between what is learnt from (pre-training, training), what checkpoints are chosen by (validation)
and what is judged on (test). What two stages learn from may be the same, and so may what they choose by.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from lib.data.curation.copies import Pictures, find_copies
from lib.data.splits import SPLITS, Manifest
from lib.data.store import Store

LEARNING, CHOOSING, JUDGING = range(3)
STAGE = {
    "pretraining": LEARNING,
    "train": LEARNING,
    "pretraining validation": CHOOSING,
    "validation": CHOOSING,
    "test": JUDGING,
    "boxes": JUDGING,
}
"""What is done with the studies of each role."""

SHARED = {
    "identical": "identical image",
    "near_identical": "near-identical image",
    "mirrored": "mirrored image",
}
"""Kind of copies -> finding."""

LEAKS = ("same patient", "same study", *SHARED.values())
"""Findings that make a training refuse to start."""

WARNINGS = ("prevalence drift", "view mix", "boxes outside test")
DRIFT = 0.05
"""Difference of a label's prevalence between training and test that is worth a warning ..."""

DRIFT_P_VALUE = 0.001
"""... where chance would not give it (Fisher's exact test)."""

MIX = 0.2
"""Share of views that would have to change position to make two parts alike (total variation)."""

EXAMPLES = 3


@dataclasses.dataclass(frozen=True)
class Part:
    """Studies that play one role.

    Attributes:
        role: a key of `STAGE`.
        store: where they lie.
        rows: study rows, ascending.
    """

    role: str
    store: Store
    rows: np.ndarray

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.role} of {self.store.path.name}"

    def view_rows(self) -> np.ndarray:
        """Return the rows of their views, ascending."""
        return np.flatnonzero(np.isin(self.store.views["study_row"].to_numpy(), self.rows))


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that an audit found.

    Attributes:
        kind: one of `LEAKS` or `WARNINGS`.
        border: the two parts, for people.
        count: of the patients, studies, images or labels that it concerns.
        examples: some of them, in words.
    """

    kind: str
    border: str
    count: int
    examples: tuple[str, ...]

    @property
    def is_leak(self) -> bool:
        """Whether a training must not start on it."""
        return self.kind in LEAKS

    def __str__(self) -> str:
        return f"{self.kind}, {self.border}: {self.count} (for example {'; '.join(self.examples)})"


class LeakFound(ValueError):
    """An audit found something of one side of a border on the other."""


def parts_of(store: Store, manifest: Manifest) -> list[Part]:
    """Return training, validation and test of a store."""
    return [Part(split, store, manifest.rows(split)) for split in SPLITS]


def pretraining_parts(store: Store, manifest: Manifest) -> list[Part]:
    """Return what a pre-training has seen: it learns from its training and chooses by its validation."""
    return [
        Part("pretraining", store, manifest.rows("train")),
        Part("pretraining validation", store, manifest.rows("validation")),
    ]


def box_part(store: Store) -> Part:
    """Return the studies of a store that have boxes: a localisation is judged by all of them.

    Raises:
        ValueError: the store has none.
    """
    if store.boxes.empty:
        raise ValueError(f"{store.path} has no boxes; --boxes takes a store with boxes.")
    views = store.boxes["view_row"].to_numpy()
    return Part("boxes", store, np.unique(store.views["study_row"].to_numpy()[views]))


def audit(parts: Sequence[Part]) -> list[Finding]:
    """Look at every border between the parts.

    Patients and studies are compared by id inside one data set; ids of different data sets say nothing.
    Images are compared wherever they come from.

    Args:
        parts: of any number of stores, see `parts_of` and `pretraining_parts`.

    Returns:
        Leaks first.
    """
    parts = [part for part in parts if len(part.rows)]
    found: list[Finding] = []
    for first, second in itertools.combinations(parts, 2):
        if _is_border(first, second):
            found += _shared_ids(first, second)
            found += _shared_images(first, second)
    found += itertools.chain.from_iterable(_differences(parts))
    found += _boxes_outside_test(parts)
    return sorted(found, key=lambda finding: not finding.is_leak)


def refuse_leaks(findings: Sequence[Finding], allow_leak: str = "") -> None:
    """Raise on a leak, unless somebody gave a reason to go on.

    Raises:
        LeakFound: lists the leaks and says how to go on.
    """
    leaks = [finding for finding in findings if finding.is_leak]
    if leaks and not allow_leak:
        listed = "\n  ".join(map(str, leaks))
        raise LeakFound(
            f"The audit found {len(leaks)} leaks:\n  {listed}\nTake them out of one side, or give "
            'allow_leak="reason", which is recorded with the run.'
        )


def _pictures(part: Part) -> Pictures:
    rows = part.view_rows()
    return Pictures(
        part.store.images, rows, part.store.views["sha1"].to_numpy(str)[rows], part.store.sketches[rows]
    )


def _is_border(first: Part, second: Part) -> bool:
    """Say whether nothing of one part may be in the other."""
    stages = {STAGE[first.role], STAGE[second.role]}
    # A pre-training may choose by what the next stage learns from; the other way round it would be too late.
    may_choose = {first.role, second.role} == {"pretraining validation", "train"}
    return len(stages) == 2 and not may_choose


def _border(first: Part, second: Part) -> str:
    return f"{first.name} and {second.name}"


def _shared_ids(first: Part, second: Part) -> Iterator[Finding]:
    if first.store.name != second.store.name:
        return
    for kind, column in (("same patient", "patient_id"), ("same study", "study_id")):
        names = (set(part.store.studies[column].to_numpy(str)[part.rows]) for part in (first, second))
        if shared := sorted(set.intersection(*names)):
            yield Finding(kind, _border(first, second), len(shared), tuple(shared[:EXAMPLES]))


def _shared_images(first: Part, second: Part) -> Iterator[Finding]:
    names = [part.store.views["view_id"].to_numpy(str)[part.view_rows()] for part in (first, second)]
    for found in find_copies(_pictures(first), _pictures(second)):
        if len(found.pairs):
            examples = tuple(f"{names[0][i]} is {names[1][j]}" for i, j in found.pairs[:EXAMPLES])
            count = len(np.unique(found.pairs[:, 0]))
            yield Finding(SHARED[found.kind], _border(first, second), count, examples)


def _differences(parts: Sequence[Part]) -> Iterator[list[Finding]]:
    """Compare training with validation and test of the same store: labels and view positions."""
    for first, second in itertools.permutations(parts, 2):
        if first.role != "train" or second.role not in ("validation", "test"):
            continue
        if first.store.id == second.store.id:
            yield _prevalence_drift(first, second)
            yield _view_mix(first, second)


def _prevalence_drift(first: Part, second: Part) -> list[Finding]:
    drifting = []
    for column, name in enumerate(first.store.label_names):
        counts = []
        for part in (first, second):
            values = part.store.labels[part.rows, column]
            counts.append((int((values == 1).sum()), int((values == 0).sum())))
        totals = [sum(pair) for pair in counts]
        if min(totals) == 0:
            continue
        shares = [positives / total for (positives, _), total in zip(counts, totals, strict=True)]
        if abs(shares[0] - shares[1]) >= DRIFT and stats.fisher_exact(counts).pvalue < DRIFT_P_VALUE:
            drifting.append(f"{name} {shares[0]:.0%} and {shares[1]:.0%}")
    border = _border(first, second)
    return (
        [Finding("prevalence drift", border, len(drifting), tuple(drifting[:EXAMPLES]))] if drifting else []
    )


def _view_mix(first: Part, second: Part) -> list[Finding]:
    shares = pd.concat(
        [
            part.store.views["position"].iloc[part.view_rows()].value_counts(normalize=True)
            for part in (first, second)
        ],
        axis=1,
    ).fillna(0.0)
    differences = (shares.iloc[:, 0] - shares.iloc[:, 1]).abs()
    if differences.sum() / 2 < MIX:
        return []
    worst = differences.idxmax()
    example = f"{worst} {shares.iloc[:, 0][worst]:.0%} and {shares.iloc[:, 1][worst]:.0%}"
    return [Finding("view mix", _border(first, second), len(shares), (example,))]


def _boxes_outside_test(parts: Sequence[Part]) -> list[Finding]:
    """Warn of images whose boxes a localisation would be judged by, although they were learnt from."""
    found = []
    for part in parts:
        if STAGE[part.role] == JUDGING or part.store.boxes.empty:
            continue
        boxed = np.intersect1d(part.store.boxes["view_row"].to_numpy(), part.view_rows())
        if len(boxed):
            names = part.store.views["view_id"].to_numpy()[boxed[:EXAMPLES]]
            found.append(Finding("boxes outside test", part.name, len(boxed), tuple(names)))
    return found
