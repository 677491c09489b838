"""Whose images a published test list holds: what predictions alone do not say."""

from pathlib import Path

import numpy as np
import pandas as pd

from lib.data.readers.nih import LABELS
from workbench.published.predictions import TargetPredictions

NIH_LIST = "nih/test.txt"


def nih_patients(folder: Path | str, predictions: TargetPredictions) -> np.ndarray | None:
    """Return the patient of each image of NIH's test list, which its file name begins with.

    Args:
        folder: of the published lists, such as `splits/`; `nih/test.txt` below it has a file name and 14
            labels a line, whitespace separated.
        predictions: on that list.

    Returns:
        str `[N]`; None where there is no such list.

    Raises:
        ValueError: the labels of the list are not those of the predictions.
    """
    path = Path(folder) / NIH_LIST
    if not path.is_file():
        return None
    table = pd.read_csv(path, sep=r"\s+", header=None, names=["file", *LABELS])
    columns = {name.casefold(): name for name in LABELS}
    labels = table[[columns[name.casefold()] for name in predictions.findings]].to_numpy(np.float64)
    if labels.shape != predictions.labels.shape or (labels != predictions.labels).any():
        raise ValueError(
            f"{path} is not the test list of these predictions: {labels.shape[0]:,} lines for "
            f"{len(predictions.labels):,} images, or other labels. Give the list that REFERS was tested on."
        )
    return table["file"].str.extract(r"([^/_]+)_[^/]*$")[0].to_numpy()
