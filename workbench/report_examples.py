"""Generated reports as text for people: what they are worth, and a few to read."""

import numpy as np
import pandas as pd

from lib.protocols.report_generation import GENERATED, NEAREST, SOURCES, GeneratedReports
from workbench.tables import SOURCE_NAMES, generation_table, method_name

EXAMPLES = {"a good one": 0.9, "a middling one": 0.5, "a bad one": 0.1}
"""Which reports are shown: quantiles of their CIDEr-D."""


def describe_generation(judged: GeneratedReports) -> str:
    """Return what was judged, its scores with intervals, how the reports vary, and three to read."""
    about = judged.summary
    kind = "synthetic studies" if about["synthetic"] else "studies"
    lines = [
        f"{about['run']} ({method_name(about['method'])}): {about['num_studies']} {kind} of "
        f"{about['num_patients']} patients, {about['store']}, {about['split']} split, beam of "
        f"{about['beam_size']}; 95 % intervals over patients",
        generation_table(about).to_string(),
        *(_describe_variety(SOURCE_NAMES[source], about["variety"][source]) for source in SOURCES),
        _describe_variety("true", about["variety"]["reference"]),
    ]
    for (title, quantile), row in zip(
        EXAMPLES.items(), example_reports(judged.table).itertuples(), strict=True
    ):
        lines += [
            f"\n{title} (CIDEr-D at its {quantile:.0%} quantile), study {row.study_id}",
            f"  generated: {getattr(row, GENERATED)}",
            f"  true:      {row.reference}",
            f"  nearest:   {getattr(row, NEAREST)}",
        ]
    return "\n".join(lines)


def example_reports(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `EXAMPLES`, chosen by the CIDEr-D of the generated reports."""
    order = np.argsort(table[f"{GENERATED}/cider_d"].to_numpy(), kind="stable")
    places = [order[round(quantile * (len(order) - 1))] for quantile in EXAMPLES.values()]
    return table.iloc[places].reset_index(drop=True)


def _describe_variety(title: str, variety: dict[str, float]) -> str:
    return (
        f"{title}: {variety['num_different']} different reports of {variety['mean_words']:.1f} words, "
        f"{variety['share_in_training']:.0%} of them word for word in the training"
    )
