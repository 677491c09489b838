"""The numbers of judged maps as a table for a page: two lines a cell, so that no number is wrapped."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from workbench import theme
from workbench.figures.html_table import html_table
from workbench.figures.localization import Judged, describe_judged, judged_ones, unjudged

WITH_INTERVAL = {
    "IoU": ("iou", "mean IoU of found and marked boxes"),
    "- centre": ("iou - center", "IoU minus that of a box in the middle of the picture"),
    "- mean box": ("iou - mean_box", "IoU minus that of the mean training box"),
    "pointing": ("pointing", "share of cases with the maximum of the map in a box"),
    "- its centre": ("pointing - center", "pointing minus that of the middle of the picture"),
}
"""Head of a column -> the number that stands in it, and what appears under the pointer."""

ALONE = {
    "readers": ("reader_iou", "IoU of one reader with another"),
    "CNR": ("cnr", "contrast to noise ratio of the map"),
    "mIoU": ("map_iou", "IoU of the pixels that reach 0.1 to 0.5 of the maximum"),
    "> 0.5": ("iou>0.5", "share of cases with an IoU above 0.5"),
    "P@.3": ("precision@0.3", "precision of boxes, a match has an IoU of 0.3"),
    "R@.3": ("recall@0.3", "recall of boxes, a match has an IoU of 0.3"),
}
"""The same without intervals."""

WIDEST = "readers"


def localization_tables(judged: Judged) -> list[Any]:
    """Return the numbers of each model as a table, a row for each finding and each mean.

    Args:
        judged: of `workbench.box_reading.judged.judge_maps`.
    """
    some = judged_ones(judged)
    tables = [_table(name, one.summary, describe_judged({name: one})) for name, one in some.items()]
    return tables + unjudged(judged)


def _table(name: str, summary: Mapping[str, Any], note: str) -> str:
    numbers, localised = summary["numbers"], summary["localised"]
    rows = [
        _row(f"{finding}{' *' if finding in localised else ''}", one)
        for finding, one in numbers["findings"].items()
    ]
    rows += [
        _row(f"{mean}{' *' if 'localised' in mean else ''}", one, strong=True)
        for mean, one in numbers.items()
        if mean != "findings"
    ]
    head = {"": "15%", _head("cases", "marked findings of a picture"): "5.5%"}
    head |= {_head(title, hint): "9%" for title, (_, hint) in WITH_INTERVAL.items()}
    head |= {_head(title, hint): "7%" if title == WIDEST else "5.4%" for title, (_, hint) in ALONE.items()}
    if localised:
        note += " | * localised: its mean training box fits badly"
    return html_table(head, rows, title=name, note=note, name="wb-localization")


def _row(name: str, one: Mapping[str, Any], *, strong: bool = False) -> Sequence[str]:
    name = html.escape(name)
    return [
        f'<b style="color:{theme.INK}">{name}</b>' if strong else name,
        _kept(f"{one['num_cases']:,}"),
        *(_spread(one[key], "+" if " - " in key else "") for key, _ in WITH_INTERVAL.values()),
        *(_alone(one[key]["estimate"]) for key, _ in ALONE.values()),
    ]


def _spread(value: Mapping[str, float | None], sign: str) -> str:
    """Return a number with its interval below; a difference is bold where that leaves 0 out."""
    if value["estimate"] is None:
        return ""
    estimate, low, high = (f"{value[key]:{sign}.2f}" for key in ("estimate", "low", "high"))
    if sign and not value["low"] <= 0 <= value["high"]:
        estimate = f"<b>{estimate}</b>"
    interval = f'<span style="font-size:11px;color:{theme.QUIET}">{low}, {high}</span>'
    return _kept(f"{estimate}<br>{interval}")


def _alone(value: float | None) -> str:
    return "" if value is None else _kept(f"{value:.2f}")


def _head(title: str, hint: str) -> str:
    return f'<span title="{html.escape(hint)}" style="white-space:nowrap">{html.escape(title)}</span>'


def _kept(content: str) -> str:
    """Return content that is not wrapped."""
    return f'<span style="white-space:nowrap;font-variant-numeric:tabular-nums">{content}</span>'
