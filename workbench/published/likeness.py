"""How alike the predictions of different methods are: a check of the files, not of the methods."""

import itertools

import numpy as np
import pandas as pd

from workbench.published.predictions import TargetPredictions


def likeness(predictions: TargetPredictions, label_ratio: float) -> pd.DataFrame:
    """Compare the scores of each pair of methods at one label ratio.

    Networks that were trained apart from each other agree on easy images and scatter on the others. Where
    two agree nearly exactly, or have the very same numbers for one class only, comparing them says nothing.

    Args:
        predictions: on one test set.
        label_ratio: of the methods.

    Returns:
        One row a pair: a, b, correlation (Pearson's, the median over findings), same_positives and
        same_negatives (share of the images of each class whose scores are equal to the last printed place).
    """
    rows = []
    positive = predictions.labels == 1
    for a, b in itertools.combinations(predictions.methods(label_ratio), 2):
        first, second = predictions.scores[a, label_ratio], predictions.scores[b, label_ratio]
        same = first == second
        correlations = [_correlation(*columns) for columns in zip(first.T, second.T, strict=True)]
        rows.append(
            {
                "a": a,
                "b": b,
                "correlation": float(np.median(correlations)),
                "same_positives": float(same[positive].mean()),
                "same_negatives": float(same[~positive].mean()),
            }
        )
    return pd.DataFrame(rows, columns=["a", "b", "correlation", "same_positives", "same_negatives"])


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation; 0 where one of them does not vary."""
    first, second = first - first.mean(), second - second.mean()
    scale = np.sqrt((first @ first) * (second @ second))
    return float(first @ second / scale) if scale > 0 else 0.0
