"""What maps keep of the features, and what can be read from the features, checkpoints side by side."""

import html
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from workbench import theme
from workbench.embedding_reading.atlas import METHOD_TITLES
from workbench.figures import curation
from workbench.figures.html_table import html_table


def quality_table(quality: pd.DataFrame, *, note: str = "") -> str:
    """Return an HTML table of what each map keeps.

    Args:
        quality: as `workbench.embedding_reading.measures.map_quality` returns it.
        note: which pictures.
    """
    rows = [
        (
            html.escape(row.checkpoint),
            METHOD_TITLES[row.method],
            f"{row.trustworthiness:.3f}",
            f"{row.continuity:.3f}",
            f"{row.neighbours:.2f} <span style='color:{theme.QUIET}'>(by chance {row.chance:.2f})</span>",
            f"{row.places:.2f}",
        )
        for row in quality.itertuples()
    ]
    head = {
        "checkpoint": "20%",
        "map": "18%",
        "trustworthiness": "14%",
        "continuity": "12%",
        "neighbours that come again": "22%",
        "places that come again": "14%",
    }
    return html_table(head, rows, title="What the maps keep", note=note, name="wb-map-quality")


def agreement_figure(agreement: pd.DataFrame, *, note: str = "") -> go.Figure:
    """Show how often neighbours share a property, among features and on the map.

    Args:
        agreement: as `workbench.embedding_reading.measures.neighbour_agreement` returns it.
        note: which pictures, how many neighbours.
    """
    return _rows(
        agreement,
        title="Do neighbours share it?",
        axis="share of neighbours of the same kind, each kind counting alike; tick: by chance",
        note=note,
        hollow="on the map",
    )


def probe_figure(probes: pd.DataFrame, *, note: str = "") -> go.Figure:
    """Show how well each property can be read from the features.

    Args:
        probes: as `workbench.embedding_reading.measures.probe_features` returns it.
        note: which pictures.
    """
    return _rows(
        probes,
        title="What a linear layer reads from the features",
        axis="AUROC (0.5: guessing), 95 % interval over patients",
        note=note,
    )


def _rows(table: pd.DataFrame, *, title: str, axis: str, note: str, hollow: str = "") -> go.Figure:
    """Show estimates with intervals, a row for each property, the checkpoints below each other.

    Args:
        table: columns checkpoint, property, is_finding, estimate, low, high, chance and, where `hollow` says
            what it is, map.
        title: one line.
        axis: what is measured.
        note: under the title.
        hollow: name of the hollow dots; "" for none.
    """
    if table.empty:
        return curation.nothing(f"{title} Too few pictures of each kind", note=note)
    names = _ordered(table)
    place = {name: -number for number, name in enumerate(names)}
    checkpoints = list(table["checkpoint"].unique())
    colours = theme.method_colours(checkpoints)
    figure = go.Figure()
    chance = table.drop_duplicates("property")
    figure.add_scatter(
        x=chance["chance"],
        y=[place[name] for name in chance["property"]],
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 15, "color": theme.INK, "line": {"width": 1.5}},
        name="by chance",
        hovertemplate="by chance: %{x:.2f}<extra></extra>",
    )
    for number, name in enumerate(checkpoints):
        rows = table[table["checkpoint"] == name]
        offset = 0.22 * ((len(checkpoints) - 1) / 2 - number)
        heights = [place[one] + offset for one in rows["property"]]
        colour = colours[name]
        figure.add_scatter(
            x=rows["estimate"],
            y=heights,
            mode="markers",
            name=html.escape(name, quote=False),
            error_x={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["estimate"],
                "arrayminus": rows["estimate"] - rows["low"],
                "color": colour,
                "thickness": 1.5,
                "width": 0,
            },
            marker={"color": colour, "size": 9, "line": {"color": "white", "width": 1}},
            text=[
                f"{html.escape(row.property)}<br>{row.estimate:.3f} [{row.low:.3f}, {row.high:.3f}]<br>"
                f"{html.escape(row.classes)}"
                for row in rows.itertuples()
            ],
            hovertemplate="%{text}<extra></extra>",
        )
        if hollow:
            figure.add_scatter(
                x=rows["map"],
                y=heights,
                mode="markers",
                name=hollow,
                showlegend=number == 0,
                marker={"color": colour, "size": 9, "symbol": "circle-open", "line": {"width": 1.5}},
                hovertemplate=f"{hollow}: %{{x:.3f}}<extra></extra>",
            )
    border = -sum(not one for one in _is_finding(table, names)) + 0.5
    if 0.5 > border > 0.5 - len(names):
        figure.add_hline(y=border, line={"color": theme.QUIET, "width": 1, "dash": "dot"})
    figure.update_xaxes(title=axis, tickformat=".2f")
    figure.update_yaxes(
        tickvals=list(place.values()),
        ticktext=[html.escape(name, quote=False) for name in names],
        range=[0.4 - len(names), 0.6],
        ticklabelstandoff=8,
        showgrid=False,
    )
    theme.style(figure, title=title, note=note, height=150 + 30 * len(names), margin={"t": 84})
    return figure.update_layout(title={"xref": "container", "x": 0.016})


def _ordered(table: pd.DataFrame) -> list[str]:
    """Return the properties: first what no finding should need, then the findings, the best read first."""
    best = table.groupby("property", sort=False).agg({"is_finding": "first", "estimate": "max"})
    return list(best.sort_values(["is_finding", "estimate"], ascending=[True, False], kind="stable").index)


def _is_finding(table: pd.DataFrame, names: Sequence[str]) -> list[bool]:
    about = table.drop_duplicates("property").set_index("property")["is_finding"]
    return [bool(about[name]) for name in names]
