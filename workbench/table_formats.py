"""One table in the formats that people paste: text, Markdown, LaTeX, CSV."""

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

FORMATS = ("text", "markdown", "latex", "csv")
SUFFIXES = {".txt": "text", ".md": "markdown", ".tex": "latex", ".csv": "csv"}
BOLD = "**{}**"
"""How the best of a column is marked for Markdown and LaTeX; text and CSV have no bold."""

LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
LATEX |= {sign: f"\\{sign}" for sign in "&%$#_{}"}


class TextTable(NamedTuple):
    """A table of texts.

    Attributes:
        corner: what the names of the rows are.
        columns: names.
        rows: name -> cells.
    """

    corner: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]


def check_format(form: str) -> None:
    """Refuse a format that there is not.

    Raises:
        ValueError: unknown format.
    """
    if form not in FORMATS:
        raise ValueError(f"Unknown format {form!r}. Known: {', '.join(FORMATS)}.")


def format_of(path: Path | str) -> str:
    """Return the format that the name of a file ends with.

    Raises:
        ValueError: another ending.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path} ends with {suffix!r}; give a file that ends with {', '.join(SUFFIXES)}.")
    return SUFFIXES[suffix]


def write_table(table: TextTable, form: str) -> str:
    """Return a table in one of the formats.

    Raises:
        ValueError: unknown format.
    """
    check_format(form)
    lines = [(table.corner, *table.columns), *((name, *cells) for name, cells in table.rows.items())]
    if form == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        return text.getvalue().rstrip("\n")
    if form == "text":
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = [[cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
        return "\n".join(
            "  ".join([line[0].ljust(widths[0]), *rest[1:]]).rstrip()
            for line, rest in zip(lines, padded, strict=True)
        )
    if form == "markdown":
        lines.insert(1, ("---",) * len(lines[0]))
        return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
    head, *body = [" & ".join(map(_latex, line)) + r" \\" for line in lines]
    start = rf"\begin{{tabular}}{{{'l' * len(lines[0])}}}"
    return "\n".join([start, r"\toprule", head, r"\midrule", *body, r"\bottomrule", r"\end{tabular}"])


def _latex(cell: str) -> str:
    text = "".join(LATEX.get(sign, sign) for sign in cell)
    return re.sub(r"\*\*(.+?)\*\*", r"\\textbf{\1}", text).replace("+-", r"$\pm$")
