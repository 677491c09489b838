"""One fine-tuning opened: what it is, and the test pictures that it is most wrong about."""

import html

import plotly.graph_objects as go

from workbench import theme
from workbench.figures import curation
from workbench.figures.html_table import html_table
from workbench.figures.studies import contact_sheet
from workbench.finetuning_page import COPY
from workbench.runs import PROJECT, Run
from workbench.sweep_reading.worst_errors import WorstErrors
from workbench.tables import value_table

COLUMNS = 8
"""Pictures in a row."""


def run_card(run: Run, *, place: str = "") -> str:
    """Return what a run is as HTML: state, result, files, and the whole config folded away.

    Args:
        run: finished or not, a pre-training or a fine-tuning.
        place: where it stands in a sweep, plain text.
    """
    rows = [("run", f"<b>{html.escape(run.id)}</b>"), ("state", html.escape(_state(run)))]
    if place:
        rows.append(("place in the sweep", html.escape(place)))
    for key, title in (("recipe", "recipe"), ("init", "began with")):
        if key in run.config:
            rows.append((title, html.escape(str(run.config[key]))))
    result = _result(run)
    for key, title in (("num_train_images", "training images"), ("num_images", "test images")):
        if key in result:
            rows.append((title, f"{result[key]:,}"))
    rows.append(("folder", f"<code>{html.escape(_shown(run.folder))}</code>"))
    page = run.folder / COPY
    kept = f"<code>{html.escape(_shown(page))}</code>" if page.is_file() else "none was kept"
    rows.append(("executed notebook", kept))
    rows.append(("config", _folded(run)))
    return html_table(
        {"": "20%", " ": "80%"}, rows, title=f"One run: {_headline(run, result)}", name="wb-run"
    )


def worst_error_sheet(errors: WorstErrors, *, title: str, note: str = "") -> go.Figure:
    """Show the test pictures with the highest loss, below each what is true and what was said.

    Args:
        errors: of a run.
        title: plain text.
        note: plain text.
    """
    if errors.images is None:
        return curation.nothing(f"{title}: no pictures", note=html.escape(errors.missing, quote=False))
    below, captions = [], []
    for row in errors.table.itertuples():
        truth = "is there" if row.label else "is not there"
        below.append(f"{row.finding} {truth}, said {row.probability:.2f}")
        captions.append(
            f"{row.finding} {truth}\nprobability {row.probability:.3f}, loss {row.loss:.2f}\n"
            f"study {row.study_id}\npatient {row.patient_id}\nview {row.view_id}"
        )
    return contact_sheet(
        errors.images,
        captions,
        below=below,
        columns=COLUMNS,
        title=html.escape(title, quote=False),
        note=html.escape(note, quote=False),
    ).update_layout(width=theme.WIDTH)


def _headline(run: Run, result: dict) -> str:
    if run.config.get("task") != "finetune":
        return f"pre-training {run.config.get('recipe', '')}"
    area = result.get("auroc") or {}
    said = f", AUROC {area['estimate']:.3f} [{area['low']:.3f}, {area['high']:.3f}]" if area else ""
    return f"{run.config['method']}, {100 * run.config['finetune']['label_ratio']:g} % of the labels{said}"


def _result(run: Run) -> dict:
    try:
        return run.result()
    except (ValueError, OSError):
        return {}


def _state(run: Run) -> str:
    reason = run.status.get("reason", "")
    return f"{run.state}: {reason}" if reason else run.state


def _shown(path) -> str:
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else str(path)


def _folded(run: Run) -> str:
    values = value_table(run.config)["value"]
    lines = "".join(
        f'<tr><td style="padding:0 18px 0 0;color:{theme.QUIET}">{html.escape(key)}</td>'
        f"<td>{html.escape(str(value))}</td></tr>"
        for key, value in values.items()
    )
    head = f'<summary style="cursor:pointer">{len(values)} values</summary>'
    return f"<details>{head}<table>{lines}</table></details>"
