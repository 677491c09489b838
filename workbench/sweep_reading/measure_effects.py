"""What a changed setting does to a pre-training that is judged without training on."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from workbench.measures import measures_of
from workbench.published import PrintedTable

COLUMNS = ("method", "series", "difference", "low", "high")

SHOWN = {
    "linear mean AUROC, 1 % of the labels": {"protocol": "linear", "label_ratio": 0.01},
    "image-image precision@10": {"retrieval": "image_image", "k": 10},
    "text-image precision@10": {"retrieval": "text_image", "k": 10},
}
"""Measures of ConVIRT's Table 3 -> its columns."""


def measure_effects(judged: Mapping[str, Mapping[str, Any]], comparator: str) -> pd.DataFrame:
    """Return each variant minus the comparator in the measures of `SHOWN`.

    Judgements keep no case by case answers, so the interval takes the two as judged on different test
    patients. They were judged on the same ones, which makes it too wide rather than too narrow.

    Args:
        judged: variant -> what `workbench.judging.judge_pairs` returns.
        comparator: one of them; where it is not judged, there is no row.

    Returns:
        method, series (the measure), difference, low, high.
    """
    rows = []
    measures = {name: {one.title: one for one in measures_of(report)} for name, report in judged.items()}
    whole = measures.pop(comparator, {})
    for name, found in measures.items():
        for title in SHOWN:
            if title in found and title in whole:
                ours, other = found[title], whole[title]
                difference = ours.estimate - other.estimate
                below = math.hypot(ours.estimate - ours.low, other.high - other.estimate)
                above = math.hypot(ours.high - ours.estimate, other.estimate - other.low)
                rows.append((name, title, difference, difference - below, difference + above))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def printed_measure_effects(
    table: PrintedTable, variants: Sequence[str], comparator: str
) -> dict[tuple[str, str], float]:
    """Return (variant, measure) -> printed value minus that of the comparator, in points."""
    rows = {name: values for name, values in zip(table.names, table.values, strict=True)}
    places = {title: table.column(**wanted) for title, wanted in SHOWN.items()}
    if comparator not in rows:
        return {}
    return {
        (name, title): round(float(rows[name][place] - rows[comparator][place]), 1)
        for name in variants
        if name in rows and name != comparator
        for title, place in places.items()
        if place is not None
    }
