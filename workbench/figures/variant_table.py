"""Hyper-parameters of ConVIRT: what we measured beside the paper's Table 3."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from workbench import theme
from workbench.figures.html_table import html_table
from workbench.measures import Measure, measures_of
from workbench.published import CONVIRT_TABLE_3, CONVIRT_TABLE_3_SOURCE
from workbench.variants import VariantRun

COLUMNS = {
    "linear AUROC, 1 % of the labels": ("linear mean AUROC, 1 % of the labels", "linear_auroc"),
    "image-image precision@10": ("image-image precision@10", "image_image"),
    "text-image precision@10": ("text-image precision@10", "text_image"),
}
"""Heading -> title of our measure, field of the paper's."""


def variant_table(
    variants: Sequence[VariantRun],
    judged: Mapping[str, Mapping[str, Any]],
    *,
    command: str = "",
    note: str = "",
) -> str:
    """Return an HTML table, a row a variant: ours with its interval, below it the paper's value.

    Args:
        variants: in the order of the table.
        judged: name of a trained variant -> what `workbench.judging.judge_pairs` returns.
        command: that trains those which are missing; stands below the table where some are.
        note: our data; the paper's source is added.
    """
    printed = {row.setting: row for row in CONVIRT_TABLE_3}
    rows = []
    for one in variants:
        paper = printed.get(one.name)
        found = {measure.title: measure for measure in measures_of(judged[one.name])} if one.run else {}
        cells = [
            f"{_ours(found.get(title), bool(one.run))}<br>{_paper(paper and getattr(paper, field))}"
            for title, field in COLUMNS.values()
        ]
        rows.append((f"{html.escape(one.name)}<br>{html.escape(' '.join(one.changes))}", *cells))
    head = {"setting": "34%", **dict.fromkeys(COLUMNS, "22%")}
    table = html_table(
        head,
        rows,
        title="Hyper-parameters in per cent: ours with its interval, below it the paper's",
        note=". ".join(filter(None, (note, f"Paper: {CONVIRT_TABLE_3_SOURCE}"))),
        name="wb-variants",
    )
    missing = sum(one.run is None for one in variants)
    if not command or not missing:
        return table
    return (
        f'{table}<div style="font-size:12px;color:{theme.QUIET};max-width:{theme.WIDTH}px;margin-top:8px">'
        f"{missing} of {len(variants)} are not trained; this trains them, one after another: "
        f"<code>{html.escape(command)}</code></div>"
    )


def _ours(measure: Measure | None, trained: bool) -> str:
    if measure is None:
        return "not judged" if trained else "not trained"
    estimate, low, high = (100 * value for value in (measure.estimate, measure.low, measure.high))
    return f"{estimate:.1f} [{low:.1f}, {high:.1f}]"


def _paper(value: float | None) -> str:
    shown = "-" if value is None else f"{100 * value:.1f}"
    return f'<span style="color:{theme.QUIET}">paper: {shown}</span>'
