"""Tables of predictions: their columns, and one row for a study or a patient instead of one per image."""

import numpy as np
import pandas as pd

UNITS = ("", "study", "patient")
"""What predictions may be averaged over; "" leaves every image by itself."""

ID_COLUMNS = ("study_id", "patient_id", "view_id")


def target_names(table: pd.DataFrame) -> list[str]:
    """Return the targets of a table of predictions."""
    return [name.removeprefix("label/") for name in table if name.startswith("label/")]


def target_values(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities of a table of predictions, float64 `[N, K]` each."""
    names = target_names(table)
    labels, probabilities = ([f"{kind}/{name}" for name in names] for kind in ("label", "probability"))
    return table[labels].to_numpy(np.float64), table[probabilities].to_numpy(np.float64)


def check_average(average_by: str, task: str) -> None:
    """Refuse what cannot be averaged over, before anything is trained.

    Raises:
        ValueError: no such unit, or one that may have several classes where they exclude each other.
    """
    if average_by not in UNITS:
        raise ValueError(f"average_by is {average_by!r}; it must be study, patient or empty.")
    if average_by == "patient" and task == "multi_class":
        raise ValueError(
            'average_by "patient" and task "multi_class" contradict each other: studies of one patient may '
            'be of different classes. Take average_by "study".'
        )


def average_cases(table: pd.DataFrame, average_by: str) -> pd.DataFrame:
    """Average the probabilities of all images of a study or of a patient (ConVIRT, appendix B, for MURA).

    Studies are labelled, so all images of one have the same labels. A patient has a finding where one of the
    studies has it, and where it is known of none of them, it stays unknown.

    Args:
        table: as `lib.protocols.predictions.prediction_table` returns it.
        average_by: one of `UNITS`.

    Returns:
        One row per study or patient, sorted by its id, with the columns of the table; study_id and view_id
        are those of the first image. The table itself for "".
    """
    assert average_by in UNITS
    if not average_by:
        return table
    first = {name: "first" for name in ID_COLUMNS}
    labels = {name: "max" for name in table if name.startswith("label/")}  # leaves out what is NaN
    probabilities = {name: "mean" for name in table if name.startswith("probability/")}
    exact = table.astype(dict.fromkeys(probabilities, np.float64))
    averaged = exact.groupby(f"{average_by}_id", sort=True).agg({**first, **labels, **probabilities})
    return averaged.reset_index(drop=True)[list(table)]


def check_predictions(table: pd.DataFrame) -> None:
    """Refuse a table whose numbers would be wrong without anybody noticing.

    Raises:
        ValueError: columns that are missing, an image twice, a label that is neither 0, 1 nor unknown, a
            probability that is none.
    """
    names = target_names(table)
    wanted = [*ID_COLUMNS, *(f"probability/{name}" for name in names)]
    if missing := [name for name in wanted if name not in table]:
        raise ValueError(f"it has no column {', '.join(missing)}")
    if not names or not len(table):
        raise ValueError("it has no targets (columns label/...)" if len(table) else "it has no rows")
    twice = table["view_id"][table["view_id"].duplicated()]
    if len(twice):
        raise ValueError(f"it has image {twice.iloc[0]} more than once ({len(twice)} rows too many)")
    labels, probabilities = target_values(table)
    strange = labels[~(np.isin(labels, (0.0, 1.0)) | np.isnan(labels))]
    if strange.size:
        raise ValueError(f"a label is {strange[0]:g}; it must be 0, 1 or unknown")
    rows, columns = np.nonzero(~np.isfinite(probabilities))
    if len(rows):
        raise ValueError(
            f"{len(rows)} probabilities are no numbers, first that of {names[columns[0]]} for image "
            f"{table['view_id'].iloc[rows[0]]}"
        )
