"""One look for every figure: quiet ground, few lines, colours that colour-blind readers can tell apart."""

from typing import Any

import plotly.graph_objects as go

INK = "#1f2933"
QUIET = "#6b7785"
GRID = "#e6e9ed"
PAPER = "#ffffff"

# Okabe and Ito's palette (2008) without its yellow, which is lost on white.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#4d4d4d")
BASELINE = "#8a929b"
"""The comparator (random initialisation) is always this grey, whatever else is in the figure."""

TRAIN, VALIDATION, TEST = "#0072b2", "#d55e00", "#009e73"
SPLITS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
LEFT, RIGHT = "#0072b2", "#b84a00"
"""Sides in report text; also told apart by weight and underline, not by colour alone."""
READERS = ("#f0e442", "#56b4e9", "#e69f00")
"""Boxes lie on dark pictures, so the light half of the palette."""
READER_BOX, MODEL_BOX = "#ff5a4a", "#35e0a1"
"""Where a reader's box lies on a model's; solid and dashed too, for red and green alone are lost on many."""
MARKER = "#ffe38f"
"""Behind words that were looked for."""
WARNING = "#a33b00"
"""Text that says what is odd; it is never colour alone."""

WIDTH = 1000
"""Pixels; fits the page of JupyterLab beside its file browser, and keeps text and pictures in proportion."""

FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"

_AXIS = {
    "gridcolor": GRID,
    "linecolor": GRID,
    "zeroline": False,
    "ticks": "",
    "automargin": True,
    "title": {"font": {"size": 12, "color": QUIET}, "standoff": 10},
    "tickfont": {"size": 12, "color": QUIET},
}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "colorway": COLOURS,
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "title": {
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 14},
            "font": {"size": 16, "color": INK},
        },
        "legend": {
            "orientation": "h",
            "x": 1,
            "xanchor": "right",
            "y": 1.0,
            "yanchor": "bottom",
            "font": {"size": 12},
            "title": {"font": {"size": 12}},
        },
        "hoverlabel": {
            "bgcolor": PAPER,
            "bordercolor": GRID,
            "font": {"family": FONT, "size": 12, "color": INK},
        },
        "margin": {"l": 60, "r": 24, "t": 76, "b": 48},
        "bargap": 0.35,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#b6bec7", "activecolor": QUIET},
    }
)


def style(figure: go.Figure, *, title: str, note: str = "", height: int = 360, **layout: Any) -> go.Figure:
    """Give a figure the common look.

    Args:
        figure: changed in place.
        title: one line that says what is shown.
        note: where the numbers come from; synthetic studies are named here.
        height: pixels.
        layout: further plotly layout values.
    """
    figure.update_layout(
        template=TEMPLATE, title={"text": title_text(title, note)}, width=WIDTH, height=height
    )
    return figure.update_layout(**layout)


def title_text(title: str, note: str = "") -> str:
    """Return a title with its note below it."""
    # A second line of the title sits closer than plotly's own subtitle does.
    return f'{title}<br><span style="font-size:12px;color:{QUIET}">{note}</span>' if note else title


def provenance(name: str, synthetic: bool) -> str:
    """Return the note under a title: the data set, and that it is synthetic where it is."""
    return f"{name} - synthetic studies, not patients" if synthetic else name


def method_colours(methods: list[str]) -> dict[str, str]:
    """Return a fixed colour for each method: grey for random initialisation, then the palette in order."""
    others = [method for method in methods if not is_baseline(method)]
    return {method: BASELINE for method in methods if is_baseline(method)} | {
        method: COLOURS[index % len(COLOURS)] for index, method in enumerate(others)
    }


def is_baseline(method: str) -> bool:
    """Return whether a method's name means random initialisation."""
    return method.lower().startswith(("random", "scratch"))
