"""Report text as HTML: sides made visible, lines wrapped, generated beside true."""

import html
import itertools
import re
import textwrap

import pandas as pd

from workbench import theme
from workbench.figures.html_table import html_table
from workbench.study_filter import words_pattern

_LEFT = re.compile(r"\b(?:left(?:wards?)?|L[UML]L)\b", re.IGNORECASE)
_RIGHT = re.compile(r"\b(?:right(?:wards?)?|R[UML]L)\b", re.IGNORECASE)
_TAGS = {
    "left": (f'<span style="color:{theme.LEFT}"><u>', "</u></span>"),
    "right": (f'<span style="color:{theme.RIGHT}"><b>', "</b></span>"),
    # A thick outline behind the letters: text in a figure has no background of its own.
    "found": (
        f'<span style="paint-order:stroke;stroke:{theme.MARKER};stroke-width:6px;stroke-linejoin:round">',
        "</span>",
    ),
}


def highlight_sides(text: str, words: str = "") -> str:
    """Return escaped HTML: words for left blue and underlined, words for right orange and bold.

    Args:
        text: of a report.
        words: looked for as `words_pattern` does; where they stand is marked too.
    """
    patterns = {"left": _LEFT, "right": _RIGHT} | ({"found": words_pattern(words)} if words.strip() else {})
    styles: list[tuple[str, ...]] = [()] * len(text)
    for name, pattern in patterns.items():
        for match in pattern.finditer(text):
            for place in range(*match.span()):
                styles[place] = (name, *styles[place]) if text[place] != "\n" else ()
    parts = []
    for names, run in itertools.groupby(range(len(text)), key=styles.__getitem__):
        part = html.escape("".join(text[place] for place in run), quote=False)
        for name in reversed(names):
            part = part.join(_TAGS[name])
        parts.append(part)
    return "".join(parts)


def report_html(findings: str, impression: str, *, width: int, words: str = "") -> str:
    """Return both sections of a report with headings, wrapped, sides highlighted.

    Args:
        findings: section text, "" where absent.
        impression: section text, "" where absent.
        width: characters per line.
        words: looked for; where they stand is marked.
    """
    blocks = []
    for heading, text in (("Findings", findings), ("Impression", impression)):
        if text.strip():
            lines = textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)
            marked = highlight_sides("\n".join(lines), words).replace("\n", "<br>")
            blocks.append(f"<b>{heading}</b><br>{marked}")
    return "<br><br>".join(blocks) or "<i>no report</i>"


def report_table(reports: pd.DataFrame, *, title: str, note: str = "") -> str:
    """Return an HTML table: one study a row, the true report beside the generated one.

    Args:
        reports: columns study_id, true, generated.
        title: heading above the table.
        note: quiet line under the heading.
    """
    rows = [
        (
            html.escape(str(row.study_id)),
            highlight_sides(row.true),
            highlight_sides(row.generated) or "<i>nothing</i>",
        )
        for row in reports.itertuples()
    ]
    head = {"study": "12%", "true report": "44%", "generated report": "44%"}
    return html_table(head, rows, title=title, note=note, name="wb-reports")
