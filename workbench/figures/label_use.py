"""Which labels a training learns from, and how many studies say so."""

import html

import plotly.graph_objects as go

from workbench import theme
from workbench.baselines.shown import LabelUse

PARTS = {"positive": theme.COLOURS[0], "negative": "#c9d0d8", "unknown": theme.PAPER}


def label_use(shown: LabelUse, *, note: str = "") -> go.Figure:
    """Show of how many training studies each label is there, is not, or is not known; the rest says why not.

    Args:
        shown: at least one label.
        note: where they come from.
    """
    table = shown.table.sort_values("positive", kind="stable")
    number = int(table[list(PARTS)].iloc[0].sum())
    names = [html.escape(name, quote=False) for name in table["label"]]
    figure = go.Figure(
        [
            go.Bar(
                x=100 * table[part] / number,
                y=names,
                orientation="h",
                name=part if part != "unknown" else "not known",
                marker={
                    "color": colour,
                    "opacity": [0.4 if reason else 1.0 for reason in table["reason"]],
                    "pattern": {"shape": "/" if part == "unknown" else "", "fgcolor": theme.BASELINE},
                },
                customdata=table[part],
                hovertemplate=f"%{{y}}: {part} in %{{customdata:,}} (%{{x:.1f}} %)<extra></extra>",
            )
            for part, colour in PARTS.items()
        ]
    )
    for name, reason in zip(names, table["reason"], strict=True):
        if reason:
            figure.add_annotation(
                text=f"left out: {reason}",
                x=99,
                y=name,
                xanchor="right",
                showarrow=False,
                font={"size": 12, "color": theme.INK},
                bgcolor=theme.PAPER,
                borderpad=2,
            )
    figure.update_xaxes(title="training studies, %", range=[0, 100])
    figure.update_yaxes(ticklabelstandoff=6)
    learnt = int((table["reason"] == "").sum())
    return theme.style(
        figure,
        title=f"{learnt} of {len(table)} labels are learnt",
        note=f"{note} | {number:,} training studies",
        height=150 + 26 * len(table),
        barmode="stack",
        legend={"traceorder": "normal"},
    )
