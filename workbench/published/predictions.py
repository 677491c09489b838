"""Published predictions, one row an image and finding, in one Parquet file; everything odd is refused.

Letters: `N` images, `K` findings.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = ("target", "label_ratio", "method", "finding", "row", "label", "score")
GROUP = ["target", "label_ratio", "method", "finding"]
RATIO_DECIMALS = 6
"""Label ratios come as float32; 0.01 must be 0.01."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TargetPredictions:
    """What was predicted on one test set.

    Attributes:
        findings: K names, sorted; spelled as the first file spells them.
        labels: 1 or 0 `[N, K]`.
        scores: (method, label ratio) -> `[N, K]`; not always between 0 and 1.
    """

    findings: tuple[str, ...]
    labels: np.ndarray
    scores: Mapping[tuple[str, float], np.ndarray]

    @property
    def label_ratios(self) -> list[float]:
        """Label ratios for which there is a prediction."""
        return sorted({label_ratio for _, label_ratio in self.scores})

    def methods(self, label_ratio: float) -> list[str]:
        """Return the methods that have a prediction at a label ratio."""
        return [method for method, ratio in self.scores if ratio == label_ratio]


Predictions = Mapping[str, TargetPredictions]
"""Target -> what was predicted on it."""


def read_predictions(path: Path | str) -> Predictions:
    """Read and check predictions.

    Args:
        path: Parquet with the columns target, label_ratio (1.0 is all labels), method, finding, row (place of
            the image in the test list, from 0), label (0 or 1), score (of the finding). Names of findings
            that differ in capital letters only are one finding.

    Raises:
        FileNotFoundError: no file there.
        ValueError: a column is missing, a score is NaN, a label is neither 0 nor 1, an image is there twice
            or not at all, or the labels of one target differ between methods.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There are no predictions at {path}. docs/statistics.md says how to get them."
        )
    table = _read(path)
    _check_values(table, path)
    by_target: dict[str, TargetPredictions] = {}
    for target, rows in table.groupby("target", sort=True, observed=True):
        by_target[str(target)] = _of_target(rows, path)
    return by_target


def _read(path: Path) -> pd.DataFrame:
    """Return the table with findings in one spelling and label ratios as float64."""
    table = pd.read_parquet(path)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise ValueError(
            f"{path} lacks the column {missing[0]!r}; published predictions have {', '.join(COLUMNS)}."
        )
    table = table[list(COLUMNS)]
    table["label_ratio"] = table["label_ratio"].astype(np.float64).round(RATIO_DECIMALS)
    names = table["finding"].astype("category").cat
    spelling: dict[str, str] = {}
    for name in names.categories:
        spelling.setdefault(str(name).casefold(), str(name))
    places = [list(spelling).index(str(name).casefold()) for name in names.categories]
    codes = np.append(places, -1)[names.codes]  # code -1 is no name at all
    table["finding"] = pd.Categorical.from_codes(codes, list(spelling.values()))
    return table


def _check_values(table: pd.DataFrame, path: Path) -> None:
    """Refuse scores and labels that say nothing."""
    for name, wrong, reason in (
        ("finding", table["finding"].isna(), "no name"),
        ("score", ~np.isfinite(table["score"]), "no number"),
        ("label", ~table["label"].isin((0, 1)), "neither 0 nor 1"),
        ("row", table["row"].isna() | (table["row"] < 0), "no place in a test list"),
    ):
        if wrong.any():
            first = table[wrong.to_numpy()].iloc[0]
            raise ValueError(
                f"{path}: {int(wrong.sum())} of {len(table)} rows have a {name} that is {reason}, the first "
                f"{first[name]} in {_place(first)}, row {first['row']}."
            )


def _of_target(rows: pd.DataFrame, path: Path) -> TargetPredictions:
    """Make matrices of the rows of one target, and check that each cell is there once."""
    findings = tuple(sorted(rows["finding"].unique(), key=str.casefold))
    num_images = int(rows["row"].max()) + 1
    labels, scores = None, {}
    for (method, label_ratio), part in rows.groupby(["method", "label_ratio"], sort=True, observed=True):
        names = part["finding"].cat
        places = [findings.index(name) if name in findings else -1 for name in names.categories]
        column = np.array(places)[names.codes]
        cell = part["row"].to_numpy(np.int64) * len(findings) + column
        count = np.bincount(cell, minlength=num_images * len(findings))
        if (count != 1).any():
            wrong = int(np.flatnonzero(count != 1)[0])
            row, place = divmod(wrong, len(findings))
            state = "missing" if count[wrong] == 0 else f"there {count[wrong]} times"
            where = _place({**part.iloc[0], "finding": findings[place]})
            raise ValueError(
                f"{path}: row {row} of {where} is {state}; each of {num_images} images must be there "
                "once for every finding."
            )
        order = np.argsort(cell)
        shape = (num_images, len(findings))
        here = part["label"].to_numpy(np.float64)[order].reshape(shape)
        labels = here if labels is None else labels
        if (here != labels).any():
            row, place = np.argwhere(here != labels)[0]
            where = _place({**part.iloc[0], "finding": findings[place]})
            raise ValueError(
                f"{path}: the label of row {row} of {where} is not that of another method: they were not "
                "tested on the same images."
            )
        scores[str(method), float(label_ratio)] = part["score"].to_numpy(np.float64)[order].reshape(shape)
    return TargetPredictions(findings=findings, labels=labels, scores=scores)


def _place(row: Mapping[str, object]) -> str:
    return ", ".join(str(row[name]) for name in GROUP)
