"""What others published as tables: as printed, rebuilt beside printed, with the tests that a paper lacks."""

import html
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench import theme
from workbench.figures.html_table import html_table
from workbench.published.likeness import likeness
from workbench.published.printed import PrintedTable
from workbench.published.reading import FEW_POSITIVES, LEVEL, PublishedReading
from workbench.tables import method_name

TARGET_NAMES = {
    "nih": "NIH",
    "vinbigdata": "VinBigData",
    "shenzhen": "Shenzhen",
    "covid19_vs_rest": "COVID-19 vs. rest",
    "viral_vs_bacterial": "viral vs. bacterial",
    "rsna": "RSNA",
    "chexpert": "CheXpert",
    "covidx": "COVIDx",
    "mura": "MURA",
}
KIND_NAMES = {"image_image": "image-image", "text_image": "text-image"}
ALIKE = 0.99
"""Correlation above which two methods' scores are listed as alike."""


def missing_predictions(predictions: str) -> str:
    """Return what a page says where there are no predictions."""
    return (
        f'<div class="wb-missing" style="font-family:{theme.FONT};max-width:760px;color:{theme.INK}">'
        f"There are no predictions at <code>{html.escape(predictions) or '(nowhere)'}</code>, so below "
        "stand the printed tables alone. The authors of REFERS publish theirs as text files, one line an "
        "image, under <code>Results_of_fine-tuning</code> of github.com/funnyzhou/REFERS; "
        "<code>docs/statistics.md</code> says which Parquet table this page reads. Give its path as the "
        "parameter <code>predictions</code>.</div>"
    )


def place_name(target: str, label_ratio: float) -> str:
    """Return target and label ratio as people read them."""
    return f"{TARGET_NAMES.get(target, target)} {100 * label_ratio:g} %"


def printed_html(table: PrintedTable) -> str:
    """Return a table as printed, the best of each column bold."""
    best = np.nanmax(table.values, axis=0)
    rows = []
    for name, has, values in zip(table.names, table.has, table.values, strict=True):
        cells = [
            "-" if math.isnan(value) else f"<b>{value:.1f}</b>" if value == top else f"{value:.1f}"
            for value, top in zip(values, best, strict=True)
        ]
        rows.append((html.escape(name), *["yes" if part in has else "" for part in table.parts], *cells))
    if table.p_values:
        rows.append(("p-value", *[""] * len(table.parts), *[f"{value:.2e}" for value in table.p_values]))
    heads = [*table.parts, *[_column_name(column) for column in table.columns]]
    head = {"": "20%"} | {name: f"{80 / len(heads):.1f}%" for name in heads}
    return html_table(head, rows, title=table.source, note=table.about, name="wb-printed")


def rebuilt_html(reading: PublishedReading) -> str:
    """Return the table rebuilt from predictions, each cell above the printed one; marked where far off."""
    rebuilt = reading.rebuilt
    places = list(dict.fromkeys(zip(rebuilt["target"], rebuilt["label_ratio"], strict=True)))
    rows = []
    for method, of_method in rebuilt.groupby("method", sort=False):
        cells = {(row.target, row.label_ratio): _rebuilt_cell(row) for row in of_method.itertuples()}
        rows.append((html.escape(method_name(method)), *[cells.get(place, "-") for place in places]))
    sizes = []
    for target, label_ratio in places:
        row = rebuilt[(rebuilt["target"] == target) & rebuilt["auroc"].notna()]
        if len(row):
            unit = "patients" if row["clustered"].iloc[0] else "images"
            sizes.append(
                f'{_heading(target, label_ratio)}<br><span style="font-weight:400">'
                f"{int(row['num_patients'].iloc[0]):,} {unit}</span>"
            )
        else:
            sizes.append(_heading(target, label_ratio))
    head = {"": "11%"} | dict.fromkeys(sizes, f"{89 / len(places):.1f}%")
    marked = rebuilt["differs"].sum()
    found = rebuilt["auroc"].notna().sum()
    one_class = int(rebuilt["num_one_class"].sum())
    note = (
        "Mean AUROC over the findings in per cent from one training, 95 % interval from resampling the test "
        f"set, printed mean of three. {marked} of {found} cells are marked: more than {reading.tolerance:g} "
        "points from the printed one, on the same images"
    )
    if one_class:
        note += f". {one_class} times a finding has one class only and is left out"
    return html_table(head, rows, title=f"Rebuilt: {reading.printed.source}", note=note, name="wb-rebuilt")


def differences_html(reading: PublishedReading, other: str) -> str:
    """Return the method against one other: paired difference, interval, tests, and the paper's p-value."""
    found = reading.differences[reading.differences["other"] == other]
    rows = []
    for row in found.itertuples():
        apart = row.verdict if row.verdict != "not told apart" else f"<b>{row.verdict}</b>"
        counts = (
            "-"
            if row.num_findings == 1
            else f"{row.num_better} better, {row.num_worse} worse of {row.num_findings}"
        )
        rows.append(
            (
                _heading(row.target, row.label_ratio),
                f"{100 * row.difference:+.1f}",
                f"[{100 * row.low:+.1f}, {100 * row.high:+.1f}]",
                apart,
                _p(row.p_delong),
                counts,
                _p(row.p_paper),
            )
        )
    head = {
        "": "17%",
        "difference, points": "12%",
        "95 % interval": "14%",
        "verdict": "13%",
        "p, DeLong": "12%",
        "findings, DeLong and Holm": "20%",
        "p printed": "12%",
    }
    return html_table(
        head,
        rows,
        title=f"{method_name(reading.method)} minus {method_name(other)}, paired on the same resamples",
        note="The printed p-value is a t-test over three seeds against the best printed baseline, and empty "
        "where that is another one. It cannot see how few images there are",
        name="wb-differences",
    )


def findings_html(reading: PublishedReading, target: str, label_ratio: float, other: str) -> str:
    """Return a comparison finding by finding, with p-values before and after Holm's correction."""
    found = comparison(reading, target, label_ratio, other)
    rows = []
    for row in found.itertuples():
        few = f'<div style="color:{theme.WARNING}">few</div>' if row.num_positives < FEW_POSITIVES else ""
        holm = _p(row.p_holm)
        rows.append(
            (
                html.escape(row.finding.replace("_", " ")),
                f"{row.num_positives:,}{few}",
                f"{100 * row.auroc:.1f}",
                f"{100 * row.other_auroc:.1f}",
                f"{100 * row.difference:+.1f} [{100 * row.low:+.1f}, {100 * row.high:+.1f}]",
                _p(row.p),
                f"<b>{holm}</b>" if row.p_holm < LEVEL else holm,
                f"{row.num_dropped:,}",
            )
        )
    head = {
        "": "17%",
        "positives": "9%",
        html.escape(method_name(reading.method)): "10%",
        html.escape(method_name(other)): "10%",
        "difference, points, 95 % interval": "22%",
        "p, DeLong": "10%",
        "p, Holm": "10%",
        "lost resamples": "12%",
    }
    return html_table(
        head,
        rows,
        title=f"{place_name(target, label_ratio)}, finding by finding",
        note=f"Bold: below {LEVEL:g} after Holm's correction over {len(found)} findings. Lost: resamples of "
        f"{reading.replicates:,} without a positive or a negative. Few: below {FEW_POSITIVES} positives, "
        "where intervals are too narrow",
        name="wb-findings",
    )


def efficiency_html(reading: PublishedReading) -> str:
    """Return at which label ratio the method is not worse than the others with all labels."""
    table, rows = reading.efficiency, []
    ratios = sorted(table["label_ratio"].unique())
    for (target, other), steps in table.groupby(["target", "other"], sort=False):
        cells = {row.label_ratio: _step_cell(row) for row in steps.itertuples()}
        name = f"{TARGET_NAMES.get(target, target)}: {method_name(other)} 100 %"
        rows.append((html.escape(name), *[cells.get(ratio, "") for ratio in ratios]))
    method = method_name(reading.method)
    head = {"against": "31%"} | {
        f"{method} {100 * ratio:g} %": f"{69 / len(ratios):.0f}%" for ratio in ratios
    }
    return html_table(
        head,
        rows,
        title=f"How few labels {method} needs",
        note="Difference in points to the other method with all labels, 95 % interval. Bold: the smallest "
        "ratio from which on it is not worse. Not told apart is not equal: the interval says what it may be",
        name="wb-efficiency",
    )


def likeness_html(reading: PublishedReading) -> str:
    """Return the pairs of methods whose scores are alike as those of separate trainings are not."""
    rows, apart = [], []
    for target, one in reading.predictions.items():
        for label_ratio in one.label_ratios:
            for pair in likeness(one, label_ratio).itertuples():
                if pair.correlation > ALIKE or max(pair.same_positives, pair.same_negatives) == 1:
                    rows.append(
                        (
                            _heading(target, label_ratio),
                            html.escape(f"{method_name(pair.a)} and {method_name(pair.b)}"),
                            f"{pair.correlation:.4f}",
                            _share(pair.same_positives),
                            _share(pair.same_negatives),
                        )
                    )
                else:
                    apart.append(pair.correlation)
    head = {
        "": "22%",
        "methods": "36%",
        "correlation": "12%",
        "equal scores, positives": "15%",
        "equal scores, negatives": "15%",
    }
    return html_table(
        head,
        rows,
        title=f"Predictions that are alike: {len(rows)} of {len(rows) + len(apart)} pairs of methods",
        note=f"Pearson's correlation above {ALIKE:g} (median over findings), or every score of one class "
        f"equal to the last place. Median correlation of the other pairs: {np.median(apart or [np.nan]):.2f}",
        name="wb-likeness",
    )


def comparison(reading: PublishedReading, target: str, label_ratio: float, other: str) -> pd.DataFrame:
    """Return one comparison of `by_finding`, the largest difference first.

    Raises:
        ValueError: there is none.
    """
    table = reading.by_finding
    chosen = table[
        (table["target"] == target) & (table["label_ratio"] == label_ratio) & (table["other"] == other)
    ]
    if chosen.empty:
        reading.scores(target, label_ratio, reading.method)  # these say what is missing
        reading.scores(target, label_ratio, other)
        raise ValueError(f"{other!r} is the method itself; choose another one.")
    return chosen.sort_values("difference", ascending=False, ignore_index=True)


def _rebuilt_cell(row: Any) -> str:
    printed = "" if math.isnan(row.printed) else f"{row.printed:.1f}"
    if math.isnan(row.auroc):
        return f'<span style="color:{theme.QUIET}">printed {printed}<br>no file</span>'
    small = f'style="font-size:11px;color:{theme.QUIET}"'
    cell = f"<b>{100 * row.auroc:.2f}</b><br><span {small}>[{100 * row.low:.1f}, {100 * row.high:.1f}]</span>"
    if not row.differs:
        return f"{cell}<br><span {small}>printed {printed}</span>"
    return (
        f'{cell}<br><span class="wb-differs" style="font-size:11px;color:{theme.WARNING};font-weight:600">'
        f"printed {printed}<br>differs {row.gap:+.1f}</span>"
    )


def _step_cell(row: Any) -> str:
    text = f"{100 * row.difference:+.1f} [{100 * row.low:+.1f}, {100 * row.high:+.1f}], {row.verdict}"
    return f"<b>{text}</b>" if row.enough else text


def _column_name(column: Mapping[str, Any]) -> str:
    if "retrieval" in column:
        return f"{KIND_NAMES[column['retrieval']]} @{column['k']}"
    return _heading(column["target"], column["label_ratio"])


def _heading(target: str, label_ratio: float) -> str:
    """Return target and label ratio as HTML, the latter on one line."""
    return html.escape(place_name(target, label_ratio)).replace(" %", "&nbsp;%")


def _p(value: float) -> str:
    if math.isnan(value):
        return "-"
    return "&lt; 1e-10" if value < 1e-10 else f"{value:.2g}" if value >= 1e-3 else f"{value:.1e}"


def _share(value: float) -> str:
    return "<b>all</b>" if value == 1 else f"{100 * value:.0f} %"
