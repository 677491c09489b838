"""One page for a browser: figures and tables in a single file that needs nothing from anywhere."""

import dataclasses
import html
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from lib.atomic import write_text
from workbench import theme


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section:
    """One part of the page.

    Attributes:
        heading: one line.
        prose: plain text below it.
        content: a figure, a table, or HTML.
    """

    heading: str
    prose: str
    content: go.Figure | pd.DataFrame | str


def write_page(path: Path, title: str, lead: str, sections: Sequence[Section]) -> None:
    """Write the page; plotly's library stands in it once, whatever the number of figures.

    Args:
        path: of the HTML file.
        title: of the page.
        lead: plain text below the title.
        sections: in order.
    """
    body = "".join(
        f"<section><h2>{html.escape(section.heading)}</h2><p>{html.escape(section.prose)}</p>"
        f"{_content(section.content)}</section>"
        for section in sections
    )
    write_text(
        path,
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style><script>{get_plotlyjs()}</script></head>'
        f"<body><main><h1>{html.escape(title)}</h1><p>{html.escape(lead)}</p>{body}</main></body></html>\n",
    )


def table_html(table: pd.DataFrame) -> str:
    """Return a table as HTML, numbers with three places, empty where nothing is known."""
    return table.to_html(index=False, border=0, na_rep="", float_format="{:.3f}".format, classes="wb-table")


def _content(content: go.Figure | pd.DataFrame | str) -> str:
    if isinstance(content, go.Figure):
        return content.to_html(full_html=False, include_plotlyjs=False, config={"displaylogo": False})
    return table_html(content) if isinstance(content, pd.DataFrame) else content


_STYLE = f"""
body {{ margin: 0; background: {theme.PAPER}; color: {theme.INK}; font: 15px/1.55 {theme.FONT}; }}
main {{ max-width: 1040px; margin: 0 auto; padding: 32px 24px 64px; }}
h1 {{ font-size: 26px; font-weight: 600; margin: 0 0 8px; }}
h2 {{ font-size: 19px; font-weight: 600; margin: 48px 0 4px; }}
p {{ max-width: 760px; margin: 0 0 12px; }}
table.wb-table {{ border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }}
table.wb-table th, table.wb-table td {{ text-align: right; padding: 6px 14px 6px 0;
  border-bottom: 1px solid {theme.GRID}; }}
table.wb-table :is(th, td):nth-child(-n+2) {{ text-align: left; }}
table.wb-table th {{ color: {theme.QUIET}; font-weight: 600; }}
"""
