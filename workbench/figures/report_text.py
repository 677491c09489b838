"""Report text as HTML: sides made visible, lines wrapped, generated beside true."""

import html
import re
import textwrap

import pandas as pd

from workbench import theme

_LEFT = re.compile(r"\b(left(?:wards?)?|L[UML]L)\b", re.IGNORECASE)
_RIGHT = re.compile(r"\b(right(?:wards?)?|R[UML]L)\b", re.IGNORECASE)


def highlight_sides(text: str) -> str:
    """Return escaped HTML: words for left blue and underlined, words for right orange and bold."""
    marked = html.escape(text, quote=False)
    marked = _LEFT.sub(rf'<span style="color:{theme.LEFT}"><u>\1</u></span>', marked)
    return _RIGHT.sub(rf'<span style="color:{theme.RIGHT}"><b>\1</b></span>', marked)


def report_html(findings: str, impression: str, *, width: int) -> str:
    """Return both sections of a report with headings, wrapped, sides highlighted.

    Args:
        findings: section text, "" where absent.
        impression: section text, "" where absent.
        width: characters per line.
    """
    blocks = []
    for heading, text in (("Findings", findings), ("Impression", impression)):
        if text.strip():
            lines = textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False) or [""]
            blocks.append(f"<b>{heading}</b><br>" + "<br>".join(highlight_sides(line) for line in lines))
    return "<br><br>".join(blocks) or "<i>no report</i>"


def report_table(reports: pd.DataFrame, *, title: str, note: str = "") -> str:
    """Return an HTML table: one study a row, the true report beside the generated one.

    Args:
        reports: columns study_id, true, generated.
        title: heading above the table.
        note: quiet line under the heading.
    """
    cell = f"padding:8px 14px 8px 0;vertical-align:top;text-align:left;border-top:1px solid {theme.GRID};"
    head = "".join(
        f'<th style="{cell}border-top:none;color:{theme.QUIET};font-weight:600;width:{width}">{name}</th>'
        for name, width in (("study", "12%"), ("true report", "44%"), ("generated report", "44%"))
    )
    named = f"{cell}color:{theme.QUIET};overflow-wrap:anywhere"
    rows = "".join(
        f'<tr><td style="{named}">{html.escape(str(row.study_id))}</td>'
        f'<td style="{cell}">{highlight_sides(row.true)}</td>'
        f'<td style="{cell}">{highlight_sides(row.generated) or "<i>nothing</i>"}</td></tr>'
        for row in reports.itertuples()
    )
    text = (
        f"font-family:{theme.FONT};font-size:13px;line-height:1.45;color:{theme.INK};background:{theme.PAPER}"
    )
    return (
        f'<div class="wb-reports" style="{html.escape(text)};max-width:1040px">'
        f'<div style="font-size:16px;margin:10px 0 2px">{html.escape(title)}</div>'
        f'<div style="font-size:12px;color:{theme.QUIET};margin-bottom:8px">{html.escape(note)}</div>'
        f'<table style="{html.escape(text)};border-collapse:collapse;width:100%;table-layout:fixed">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
