"""Which labels a fine-tuning predicts, and which studies can serve for it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from lib.data.splits import SPLITS, Manifest
from lib.data.store import Store
from lib.objectives.label_classifier import TASKS


class TargetChoice(Protocol):
    """What a protocol's config says of its targets; see `FinetuneConfig`."""

    task: str
    targets: list[str]
    label_ratio: float
    draw: int
    positions: list[str]
    min_positives: int


def choose_rows(
    store: Store, manifest: Manifest, choice: TargetChoice
) -> tuple[list[str], dict[str, np.ndarray]]:
    """Return the targets, and the study rows of each split that can serve for them.

    Raises:
        ValueError: nothing is left, or what `choose_targets` and `labelled_rows` refuse.
    """
    positions = choice.positions
    rows = {name: studies_in_positions(store, manifest.rows(name), positions) for name in SPLITS}
    _refuse_empty(rows, f"a view in {', '.join(positions)}")
    targets = choose_targets(
        store, rows, task=choice.task, names=choice.targets, min_positives=choice.min_positives
    )
    # The targets are chosen at label ratio 1, so that all ratios share them; only now the subset.
    rows["train"] = studies_in_positions(store, manifest.subset(choice.label_ratio, choice.draw), positions)
    rows = {
        name: labelled_rows(store, members, task=choice.task, targets=targets)
        for name, members in rows.items()
    }
    _refuse_empty(rows, f"known {', '.join(targets)} at label ratio {choice.label_ratio:g}")
    return targets, rows


def _refuse_empty(rows: Mapping[str, np.ndarray], wanted: str) -> None:
    if empty := [name for name, members in rows.items() if len(members) == 0]:
        raise ValueError(f"No study with {wanted} in {', '.join(empty)}.")


def studies_in_positions(store: Store, rows: np.ndarray, positions: Sequence[str]) -> np.ndarray:
    """Return those of the study rows that have a view in one of the positions."""
    views = store.views
    return rows[np.isin(rows, views["study_row"].to_numpy()[views["position"].isin(positions).to_numpy()])]


def choose_targets(
    store: Store, rows: Mapping[str, np.ndarray], *, task: str, names: Sequence[str], min_positives: int
) -> list[str]:
    """Return the labels to predict.

    Args:
        store: has the labels.
        rows: split -> study rows.
        task: one of `TASKS`.
        names: as configured; empty: all labels that can be trained and judged.
        min_positives: studies with the label, and without it, that such a label has in every split.

    Raises:
        ValueError: unknown task or label, a number of labels that does not fit the task, or none left.
    """
    if task not in TASKS:
        raise ValueError(f"finetune.task is {task!r}; it must be one of {', '.join(TASKS)}.")
    known = list(store.label_names)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"finetune.targets names {unknown}; store {store.name} has {', '.join(known)}.")
    chosen = list(names) or [name for name in known if _is_usable(store, rows, name, min_positives)]
    if not chosen:
        raise ValueError(
            f"No label of store {store.name} has {min_positives} studies with and without it in each of "
            f"{', '.join(rows)}. Lower finetune.min_positives or name the targets."
        )
    if task == "binary" and len(chosen) != 1:
        raise ValueError(f'Task "binary" takes one label, finetune.targets gives {chosen}.')
    if task == "multi_class" and len(chosen) < 2:
        raise ValueError(f'Task "multi_class" takes two or more labels, finetune.targets gives {chosen}.')
    return chosen


def labelled_rows(store: Store, rows: np.ndarray, *, task: str, targets: Sequence[str]) -> np.ndarray:
    """Return the study rows whose targets are known: all of them, or for "multi_label" at least one.

    Raises:
        ValueError: "multi_class" and a study that has none or several of the targets.
    """
    labels = target_labels(store, rows, targets)
    is_known = ~np.isnan(labels)
    rows_known = is_known.any(1) if task == "multi_label" else is_known.all(1)
    if task == "multi_class":
        wrong = rows[rows_known & (np.nansum(labels, axis=1) != 1)]
        if wrong.size:
            study = store.studies["study_id"].iloc[wrong[0]]
            raise ValueError(
                f'Task "multi_class" needs exactly one of {", ".join(targets)}; {wrong.size} studies '
                f"have none or several, the first is {study}."
            )
    return rows[rows_known]


def target_labels(store: Store, rows: np.ndarray, targets: Sequence[str]) -> np.ndarray:
    """Return the labels of some studies, columns in the order of the targets: float32 `[len(rows), K]`."""
    return store.labels[rows][:, [store.label_names.index(name) for name in targets]]


def _is_usable(store: Store, rows: Mapping[str, np.ndarray], name: str, min_positives: int) -> bool:
    column = store.labels[:, store.label_names.index(name)]
    counts = [(column[members] == value).sum() for members in rows.values() for value in (0, 1)]
    return min(counts) >= min_positives
