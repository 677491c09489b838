"""What ingest left out, as a table to read: each rule, what it means, how often, and cases of it."""

import html

import pandas as pd

from lib.data.chunk import RULES
from workbench import theme
from workbench.figures.html_table import html_table


def drop_table(drops: pd.DataFrame, *, examples: int, title: str, note: str = "") -> str:
    """Return an HTML table of one row a rule, the most frequent first.

    Args:
        drops: columns study_id, view_id, rule, detail; nothing of them becomes markup.
        examples: of each rule, at most.
        title: heading above the table.
        note: quiet line under the heading.
    """
    rows = []
    for rule, count in drops["rule"].value_counts().items():
        cases = drops[drops["rule"] == rule].head(examples)
        shown = "".join(map(_case, cases.itertuples()))
        more = (
            f'<div style="color:{theme.QUIET}">and {count - len(cases):,} more</div>'
            if count > len(cases)
            else ""
        )
        meaning = f"<b>{html.escape(rule.replace('_', ' '))}</b><br>{html.escape(RULES.get(rule, ''))}"
        rows.append((f"{count:,}", meaning, shown + more))
    return html_table(
        {"entries": "8%", "why": "36%", "for example": "56%"}, rows, title=title, note=note, name="wb-drops"
    )


def _case(drop) -> str:
    view = f", view {drop.view_id}" if drop.view_id else ""
    return (
        f'<div><span style="color:{theme.QUIET}">study {html.escape(drop.study_id + view)}:</span> '
        f"{html.escape(drop.detail)}</div>"
    )
