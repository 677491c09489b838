"""Tables as HTML in the common look, for text that is longer than a number."""

import html
from collections.abc import Mapping, Sequence

from workbench import theme


def html_table(
    head: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    *,
    title: str,
    note: str = "",
    name: str = "wb-table",
    width: int = theme.WIDTH,
) -> str:
    """Return a table as HTML.

    Args:
        head: column -> its width in CSS; the first column is quiet, it names the row.
        rows: cells as HTML: text of a data set goes through `html.escape` before.
        title: plain text above the table.
        note: plain quiet line under the title.
        name: CSS class of the whole.
        width: pixels at most.
    """
    padding = "8px 14px 8px 0" if width == theme.WIDTH else "4px 14px 4px 0"
    # JupyterLab colours rows by its own theme, and the dark one would leave dark text on dark ground.
    ground = f"background:{theme.PAPER};color:{theme.INK};"
    cell = f"{ground}padding:{padding};vertical-align:top;text-align:left;border-top:1px solid {theme.GRID};"
    quiet = f"{cell}color:{theme.QUIET};overflow-wrap:anywhere"
    heads = "".join(
        f'<th style="{cell}border-top:none;color:{theme.QUIET};font-weight:600;width:{share}">{column}</th>'
        for column, share in head.items()
    )
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td style="{cell if index else quiet};overflow-wrap:anywhere">{content}</td>'
            for index, content in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    style = html.escape(
        f"font-family:{theme.FONT};font-size:13px;line-height:1.45;color:{theme.INK};background:{theme.PAPER}"
    )
    table = (
        f'<table style="{style};border-collapse:collapse;width:100%;table-layout:fixed">'
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
    )
    return (
        f'<div class="{name}" style="{style};width:100%;max-width:{width}px">'
        f'<div style="font-size:16px;margin:10px 0 2px">{html.escape(title)}</div>'
        f'<div style="font-size:12px;color:{theme.QUIET};margin-bottom:8px">{html.escape(note)}</div>'
        f"{table if rows else ''}</div>"
    )
