"""The cells of a sweep, each a square: finished with its AUROC, running, failed, missing."""

import html
import math
import textwrap
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from workbench import theme
from workbench.sweep_reading.run_index import FAILED, FINISHED, MISSING, RUNNING, RunState
from workbench.sweep_reading.watch import CellState
from workbench.tables import method_name

LOOKS = {
    FINISHED: ("#cfe3f1", "#cfe3f1", theme.INK),
    RUNNING: ("#fbe3c0", theme.COLOURS[5], theme.INK),
    FAILED: (theme.WARNING, theme.WARNING, theme.PAPER),
    MISSING: (theme.PAPER, theme.GRID, theme.INK),
}
"""State -> fill, border and text."""
SIGNS = {FINISHED: "ok", RUNNING: "...", FAILED: "x", MISSING: ""}
"""What stands in a square that has no AUROC."""
ROW, SQUARE, LINE = 40, 34, 16
"""Pixels of a row, of a square at most, and of a line of the note."""
EDGE = 190
"""Pixels left of the squares, for the names."""
PRETRAINING = "pre-training"


def sweep_matrix(
    cells: Sequence[CellState],
    pretrainings: Mapping[str, RunState],
    *,
    title: str,
    note: str = "",
) -> go.Figure:
    """Draw the states of a sweep, a row for each method, columns by target, label ratio and seed.

    Args:
        cells: all of one sweep.
        pretrainings: method -> its pre-training.
        title: plain text.
        note: plain text under it; its lines stay.

    Returns:
        One trace for each state; `customdata` holds the id of the run, "" where there is none.
    """
    methods = list(dict.fromkeys(one.method for one in cells))
    columns, heads = _columns(cells)
    width = max(columns.values()) + 1
    square = min(SQUARE, 0.86 * (theme.WIDTH - EDGE - 24) / width)
    rows = {method: -index for index, method in enumerate(methods)}
    squares = [(0.0, rows[name], f"pre-training of {name}", one) for name, one in pretrainings.items()]
    squares += [
        (columns[one.place[0], *one.place[2:]], rows[one.method], one.title, one.found) for one in cells
    ]
    figure = go.Figure()
    for state, (fill, border, ink) in LOOKS.items():
        these = [one for one in squares if one[3].state == state]
        figure.add_scatter(
            x=[one[0] for one in these],
            y=[one[1] for one in these],
            mode="markers+text",
            marker={
                "symbol": "square",
                "size": square,
                "color": fill,
                "line": {"color": border, "width": 1.5},
            },
            text=[_sign(one[3], square) for one in these],
            textfont={"size": 11 if square > 30 else 9, "color": ink},
            customdata=[one[3].run.id if one[3].run else "" for one in these],
            hovertext=[_hover(one[2], one[3]) for one in these],
            hoverinfo="text",
            name=f"{state} ({sum(one.found.state == state for one in cells)})",
            showlegend=True,
            cliponaxis=False,
        )
    for place, text in heads:
        figure.add_annotation(
            text=html.escape(text, quote=False),
            x=place,
            y=1,
            yref="paper",  # plotly leaves out what lies beyond an axis
            yanchor="bottom",
            showarrow=False,
            font={"size": 12, "color": theme.QUIET},
        )
    seeds = {place: seed for (_, _, seed), place in columns.items()}
    figure.update_xaxes(
        range=[-0.8, width - 0.2],
        tickvals=list(seeds),
        ticktext=[str(seed) for seed in seeds.values()],
        showgrid=False,
        title="seed",
        fixedrange=True,
    )
    names = [html.escape(method_name(method), quote=False) for method in methods]
    figure.update_yaxes(
        tickvals=list(rows.values()),
        ticktext=names,
        range=[0.5 - len(methods), 0.7],
        showgrid=False,
        fixedrange=True,
        automargin=False,
    )
    return theme.style(
        figure,
        title=html.escape(title, quote=False),
        note=html.escape(note, quote=False).replace("\n", "<br>"),
        height=150 + LINE * note.count("\n") + ROW * len(methods),
        margin={"l": EDGE, "t": 96 + LINE * note.count("\n")},
        legend={
            "y": 1.0,
            "yref": "container",
            "yanchor": "top",
            "itemclick": False,
            "itemdoubleclick": False,
        },
    )


def _columns(
    cells: Sequence[CellState],
) -> tuple[dict[tuple[str, float, int], float], list[tuple[float, str]]]:
    """Return where each (target, label ratio, seed) stands, and the heads of groups with their middles."""
    columns: dict[tuple[str, float, int], float] = {}
    heads = [(0.0, PRETRAINING)]
    targets = list(dict.fromkeys(one.target for one in cells))
    ratios = sorted({one.label_ratio for one in cells})
    seeds = sorted({one.seed for one in cells})
    place = 1.8
    for target in targets:
        for label_ratio in ratios:
            columns |= {(target, label_ratio, seed): place + index for index, seed in enumerate(seeds)}
            first = f"{target}, " if len(targets) > 1 else ""
            heads.append((place + (len(seeds) - 1) / 2, f"{first}{100 * label_ratio:g} %"))
            place += len(seeds) + 0.6
        place += 0.4
    return columns, heads


def _sign(found: RunState, square: float) -> str:
    if math.isnan(found.auroc):
        return SIGNS[found.state]
    return f"{found.auroc:.3f}".lstrip("0") if square > 26 else f"{found.auroc:.2f}".lstrip("0")


def _hover(title: str, found: RunState) -> str:
    lines = [title, found.state]
    if not math.isnan(found.auroc):
        lines[-1] += f", AUROC {found.auroc:.3f}"
    if not math.isnan(found.seconds):
        lines[-1] += f", {found.seconds:.0f} s"
    lines += textwrap.wrap(found.reason, 80)
    if found.run:
        lines.append(found.run.id)
    return "<br>".join(html.escape(line, quote=False) for line in lines)
