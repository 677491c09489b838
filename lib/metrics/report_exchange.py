"""Reports out and scores in, for metrics that run elsewhere: CheXbert, RadGraph, GREEN.

Their weights and packages are no part of this project. `write_reports_csv` writes one row per study with the
columns `study_id`, `true` and `generated`. RadGraph and GREEN take the two text columns as lists; write what
they return beside `study_id` and read it with `read_scores_csv`.

CheXbert reads one column, `Report Impression`, and gives labels back without ids: `write_chexbert_csv` lays
true and generated reports below each other, and `read_chexbert_csv` compares the texts row by row.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lib.atomic import atomic_path

ID = "study_id"
TEXTS = ("true", "generated")
CHEXBERT_TEXT = "Report Impression"
CHEXBERT_VALUES = (1.0, 0.0, -1.0)
"""Present, denied, unsure; what a report does not mention is blank."""

NUM_EXAMPLES = 3


def write_reports_csv(
    path: Path | str, study_ids: Sequence[str], true: Sequence[str], generated: Sequence[str]
) -> None:
    """Write the true and the generated report of each study.

    Raises:
        ValueError: different numbers of ids and reports, or an id that stands twice.
    """
    _check_ids(study_ids)
    table = {ID: _texts(study_ids, len(study_ids), ID)}
    for name, texts in zip(TEXTS, (true, generated), strict=True):
        table[name] = _texts(texts, len(study_ids), name)
    _write(path, table)


def read_scores_csv(
    path: Path | str, study_ids: Sequence[str], columns: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Read scores that were computed elsewhere.

    Args:
        path: a table with the column `study_id` and a column of numbers per score, rows in any order.
        study_ids: the studies, and the order of the result.
        columns: the scores to read; None reads every column but `study_id`, `true` and `generated`.

    Returns:
        Column -> float64 `[studies]`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a column is missing or holds something else than numbers, a study has no row or two, or a
            row belongs to none of the studies; names them.
    """
    _check_ids(study_ids)
    table = _read(path)
    if ID not in table:
        raise ValueError(f"{path} has no column {ID!r} (found: {', '.join(table.columns)}).")
    columns = [name for name in table.columns if name not in (ID, *TEXTS)] if columns is None else columns
    if missing := [name for name in columns if name not in table]:
        raise ValueError(f"{path} has no column {missing[0]!r} (found: {', '.join(table.columns)}).")
    if not len(columns):
        raise ValueError(f"{path} has no column of scores beside {', '.join(table.columns)}.")
    ids = pd.Index(table[ID].str.strip())
    wanted = pd.Index([str(name) for name in study_ids])
    for problem, named in (
        ("has more than one row for", ids[ids.duplicated()].unique()),
        ("has no row for", wanted[~wanted.isin(ids)]),
        ("has rows of other studies:", ids[~ids.isin(wanted)]),
    ):
        if len(named):
            raise ValueError(f"{path} {problem} {_some(named)}. Were the scores made from these reports?")
    order = ids.get_indexer(wanted)
    return {name: _numbers(table[name], path)[order] for name in columns}


def write_chexbert_csv(path: Path | str, true: Sequence[str], generated: Sequence[str]) -> None:
    """Write the reports as CheXbert reads them (`label.py -d`): all true ones, then all generated ones."""
    _write(path, {CHEXBERT_TEXT: _chexbert_rows(true, generated)})


def read_chexbert_csv(
    path: Path | str, true: Sequence[str], generated: Sequence[str], label_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Read the `labeled_reports.csv` that CheXbert made of `write_chexbert_csv`.

    Args:
        path: of the table.
        true: the reports as they were written.
        generated: the reports as they were written.
        label_names: K labels, the order of the result.

    Returns:
        Labels of the true and of the generated reports, float64 `[studies, K]` each: 1, 0, -1 (unsure) and
        NaN (not mentioned). `np.isin(labels, (1, -1))` is what `label_f1` takes, unsure counted as present.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a column is missing, the table is of other reports, or a cell holds no label of CheXbert.
    """
    rows = _chexbert_rows(true, generated)
    table = _read(path)
    if missing := [name for name in (CHEXBERT_TEXT, *label_names) if name not in table]:
        raise ValueError(f"{path} has no column {missing[0]!r} (found: {', '.join(table.columns)}).")
    if len(table) != len(rows):
        raise ValueError(f"{path} has {len(table)} rows, {len(rows)} were written: it is of other reports.")
    for row, (found, written) in enumerate(zip(table[CHEXBERT_TEXT], rows, strict=True), start=1):
        if found.split() != written.split():
            raise ValueError(
                f"{path}, row {row}: the report is {found[:80]!r}, {written[:80]!r} was written there. "
                "The rows must keep their order."
            )
    labels = np.stack([_numbers(table[name], path, blank=True) for name in label_names], axis=1)
    strange = labels[~(np.isin(labels, CHEXBERT_VALUES) | np.isnan(labels))]
    if strange.size:
        raise ValueError(f"{path} holds the label {strange[0]}; CheXbert writes 1, 0, -1 and blanks.")
    return labels[: len(true)], labels[len(true) :]


def _check_ids(study_ids: Sequence[str]) -> None:
    ids = pd.Index([str(name).strip() for name in study_ids])
    if not ids.is_unique:
        raise ValueError(f"Study ids stand twice: {_some(ids[ids.duplicated()].unique())}.")


def _texts(texts: Sequence[str], count: int, name: str) -> list[str]:
    if len(texts) != count:
        raise ValueError(f"{len(texts)} reports in {name!r} for {count} studies.")
    return [" ".join(str(text).split()) for text in texts]  # one line each: not every program reads quotes


def _chexbert_rows(true: Sequence[str], generated: Sequence[str]) -> list[str]:
    # A blank cell would be read as a number that is missing, and CheXbert fails on it.
    rows = _texts(true, len(true), "true") + _texts(generated, len(true), "generated")
    return [row or "." for row in rows]


def _write(path: Path | str, table: dict[str, list[str]]) -> None:
    with atomic_path(path) as temporary:
        pd.DataFrame(table).to_csv(temporary, index=False)


def _read(path: Path | str) -> pd.DataFrame:
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist; run the metric first and write its scores there.")
    table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=True)
    table.columns = [name.strip() for name in table.columns]
    return table


def _numbers(column: pd.Series, path: Path | str, *, blank: bool = False) -> np.ndarray:
    """Return a column as float64; blanks are NaN where they mean something, else refused."""
    values = pd.to_numeric(column.str.strip(), errors="coerce").to_numpy(np.float64)
    wrong = np.isnan(values) & ~(blank & (column.str.strip() == "").to_numpy(bool))
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(f"{path}, row {row + 1}: {column.name} is {column.iloc[row]!r}, not a number.")
    return values


def _some(names: Sequence[str]) -> str:
    """Count names and show the first."""
    shown = ", ".join(map(str, names[:NUM_EXAMPLES]))
    return f"{len(names)}: {shown}" + (" ..." if len(names) > NUM_EXAMPLES else "")
