"""Tables of a sweep as HTML: what it says so far, what is missing, how many labels are enough."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lib.metrics.label_efficiency import LabelStep, enough_labels
from workbench import theme
from workbench.figures.html_table import html_table
from workbench.sweep_reading.run_index import FAILED, RunState
from workbench.sweep_reading.watch import CellState
from workbench.tables import method_name

MOST = 12
"""Lines of a list of problems."""


def result_table(
    summarised: pd.DataFrame,
    target: str,
    *,
    methods: Sequence[str],
    num_seeds: int,
    comparator: str,
    note: str,
) -> str:
    """Return the table of one target as papers print it, with what they leave out.

    Args:
        summarised: as `workbench.sweep_tables.sweep_summary` returns it.
        target: its name.
        methods: rows, also those without a number yet.
        num_seeds: that a finished cell has.
        comparator: the method that the others are compared with.
        note: where the numbers come from, plain text.
    """
    part = summarised[summarised["target"] == target]
    ratios = sorted(part["label_ratio"].unique())
    best = part.groupby("label_ratio")["auroc"].max()
    found = {(row.method, row.label_ratio): row for row in part.itertuples()}
    rows = [
        (
            html.escape(method_name(method)),
            *(
                _result(found.get((method, ratio)), best[ratio], num_seeds, method == comparator)
                for ratio in ratios
            ),
        )
        for method in methods
    ]
    head = {"method": "22%"} | {
        f"{100 * ratio:g} % of the labels": f"{78 / len(ratios):.1f}%" for ratio in ratios
    }
    return html_table(
        head, rows, title=f"Mean AUROC on {target}, mean over seeds", note=note, name="wb-sweep-table"
    )


def _result(row: Any, best: float, num_seeds: int, is_comparator: bool) -> str:
    """Return one cell: mean +- spread, interval, difference and p; and how many seeds, where not all."""
    if row is None:
        return _quiet("not yet")
    spread = "" if pd.isna(row.spread) else f" &plusmn; {row.spread:.3f}"
    mean = f"{row.auroc:.3f}{spread}"
    lines = [f"<b>{mean}</b>" if row.auroc == best else mean, _quiet(f"[{row.low:.3f}, {row.high:.3f}]")]
    if is_comparator:
        lines.append(_quiet("comparator"))
    elif not pd.isna(row.difference):
        p = "" if pd.isna(row.p_seeds) else f", p {_p(row.p_seeds)}"
        low, high = row.difference_low, row.difference_high
        lines.append(_quiet(f"{row.difference:+.3f} [{low:+.3f}, {high:+.3f}]{p}"))
    if row.num_seeds < num_seeds:
        lines.append(f'<span style="color:{theme.WARNING}">{row.num_seeds} of {num_seeds} seeds</span>')
    return "<br>".join(lines)


def problems(
    cells: Sequence[CellState], pretrainings: Mapping[str, RunState], *, command: str, note: str = ""
) -> str:
    """Return what is not there and why, and which command makes it; "" where nothing is missing.

    Args:
        cells: all of a sweep.
        pretrainings: method -> its pre-training.
        command: that does what is missing.
        note: plain text.
    """
    waiting = [one for one in cells if one.found.state not in ("finished", "running")]
    if not waiting:
        return ""
    failed = [
        (f"pre-training of {html.escape(name)}", one)
        for name, one in pretrainings.items()
        if one.state == FAILED
    ]
    failed += [(html.escape(one.title), one.found) for one in waiting if one.found.state == FAILED]
    rows = [(name, _failure(one)) for name, one in failed[:MOST]]
    if len(failed) > MOST:
        rows.append(("", _quiet(f"and {len(failed) - MOST} more")))
    number = f"{len(waiting)} of {len(cells)} fine-tunings are missing"
    number += f"; failed: {len(failed)}" if failed else ""
    table = html_table(
        {"failed": "38%", "why": "62%"} if rows else {},
        rows,
        title=number,
        note=note,
        name="wb-problems",
    )
    return f"{table}{_line(f'This does what is missing, and only that: {_code(command)}')}"


def _failure(found: RunState) -> str:
    reason = html.escape(found.reason)
    folder = f"<br>{_quiet(html.escape(str(found.run.folder)))}" if found.run else ""
    return f"{reason}{folder}"


def efficiency_table(
    enough: Mapping[tuple[str, str], float | None], *, methods: Sequence[str], target: str, note: str = ""
) -> str:
    """Return the label ratios from which on the method of a row is not worse than that of a column with all.

    Args:
        enough: (method, other) -> label ratio, None where none is enough; see
            `workbench.sweep_reading.resamples.TargetResamples.enough`.
        methods: in the order of rows and columns.
        target: its name.
        note: plain text.
    """
    rows_of = [name for name in methods if any(name == one for one, _ in enough)]
    others = [name for name in methods if any(name == one for _, one in enough)]
    rows = [
        (html.escape(method_name(method)), *(_enough(enough, method, other) for other in others))
        for method in rows_of
    ]
    width = f"{84 / max(1, len(others)):.1f}%"
    small = '<span style="font-size:11px;font-weight:normal;overflow-wrap:anywhere">'
    head = {"labels of": "16%"}
    head |= {f"{small}{html.escape(method_name(other))}</span>": width for other in others}
    title = f"How many labels are enough on {target} to be not worse than another method with all of them"
    return html_table(head, rows, title=title, note=note, name="wb-efficiency")


def _enough(enough: Mapping[tuple[str, str], float | None], method: str, other: str) -> str:
    if method == other:
        return _quiet("-")
    ratio = enough.get((method, other))
    return _quiet("not even all") if ratio is None else f"{100 * ratio:g} %"


def label_steps(steps: Mapping[str, Sequence[LabelStep]], *, method: str, target: str, note: str = "") -> str:
    """Return one method at each label ratio against others with all labels, with intervals.

    Args:
        steps: other method -> as `lib.metrics.label_efficiency.label_efficiency` returns them.
        method: whose labels are counted.
        target: its name.
        note: plain text.
    """
    ratios = sorted({step.label_ratio for some in steps.values() for step in some})
    rows = []
    for other, some in steps.items():
        enough = enough_labels(some)
        cells = {step.label_ratio: _step(step, enough) for step in some}
        rows.append((html.escape(method_name(other)), *(cells.get(ratio, "") for ratio in ratios)))
    name = method_name(method)
    head = {"with all labels": "22%"}
    head |= {f"{html.escape(name)} with {100 * ratio:g} %": f"{78 / len(ratios):.1f}%" for ratio in ratios}
    title = f"{name} with fewer labels against others with all, on {target}"
    return html_table(head, rows, title=title, note=note, name="wb-label-steps")


def _step(step: LabelStep, enough: float | None) -> str:
    found = step.difference
    said = f"{found.estimate:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    said = f"<b>{said}</b>" if step.label_ratio == enough else said
    return f"{said}<br>{_quiet(step.verdict)}"


def _p(value: float) -> str:
    return "&lt; 0.0001" if value < 1e-4 else f"{value:.2g}"


def _quiet(text: str) -> str:
    return f'<span style="color:{theme.QUIET};font-size:12px">{text}</span>'


def _code(text: str) -> str:
    return f"<code>{html.escape(text)}</code>"


def _line(text: str) -> str:
    return (
        f'<div style="font-family:{theme.FONT};font-size:12px;color:{theme.QUIET};'
        f'max-width:{theme.WIDTH}px;margin:6px 0 2px">{text}</div>'
    )
