"""Figures of a store: its studies, its sheet, its counts."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lib.data.curation.flags import COPIES, FLAGS
from lib.data.reports import count_tokens
from lib.data.splits import SPLITS, UNUSED, Manifest, flagged_studies
from lib.data.store import Store
from workbench import theme
from workbench.figures import curation, studies
from workbench.figures.drop_table import drop_table
from workbench.figures.heat import Cover
from workbench.figures.split_table import HALF, balance_table, rare_labels, rare_table
from workbench.study_filter import NO_SPLIT


def note_of(store: Store) -> str:
    """Return the line under a title that says where the numbers come from."""
    return theme.provenance(store.name, store.synthetic)


def study(store: Store, row: int, *, words: str = "", covers: Mapping[int, Cover] | None = None) -> go.Figure:
    """Show the views of one study with boxes, flags and report; a copy has the earlier picture beside it.

    Args:
        store: holds it.
        row: of `store.studies`.
        words: looked for; marked in the report.
        covers: view row -> the map that lies on that view.
    """
    record = store.studies.iloc[row]
    start, stop = store.view_offsets[row], store.view_offsets[row + 1]
    boxes, flags = (
        table[(table["view_row"] >= start) & (table["view_row"] < stop)]
        for table in (store.boxes, store.flags)
    )
    shown, captions, warnings, place = [], [], [], {}
    for view in range(start, stop):
        here = flags[flags["view_row"] == view]
        place[view] = len(shown)
        shown.append(view)
        captions.append(store.views["position"].iloc[view] or "position not known")
        warnings.append(_lines(*map(_flag_line, here.itertuples())))
        for twin in here["twin"][here["twin"] != ""].unique():
            earlier = _view_row(store, twin)
            shown.append(earlier)
            captions.append(f"{twin}, study {store.views['study_id'].iloc[earlier]}")
            warnings.append("the earlier picture")
    present = [name for name in store.label_names if record[f"label/{name}"] == 1]
    return studies.study_figure(
        list(store.images[shown]),
        captions,
        boxes.assign(view=boxes["view_row"].map(place)),
        findings=record["findings"],
        impression=record["impression"],
        warnings=warnings,
        covers=[(covers or {}).get(view) for view in shown],
        words=words,
        title=f"Study {record['study_id']}",
        note=f"{note_of(store)} | labels: {', '.join(present) or 'none positive'}",
    )


def telling_study(store: Store) -> int:
    """Return the row of a study worth showing first: with a report if there are any, two findings boxed.

    Several views are better than one, and one or three findings better than none or a heap of them.
    """
    boxes = store.boxes.assign(study_row=store.views["study_row"].to_numpy()[store.boxes["view_row"]])
    findings = boxes.groupby("study_row")["finding"].nunique().reindex(range(len(store)), fill_value=0)
    views = np.diff(store.view_offsets)
    has_words = np.array([bool(text) for text in store.texts]) | (not store.has_reports)
    return int(np.argmax(2 * has_words + (views > 1) - np.abs(findings.to_numpy() - 2)))


def contact_sheet(store: Store, *, count: int = 48, seed: int = 0) -> go.Figure:
    """Show the first view of some studies, drawn at random.

    Args:
        store: the studies.
        count: how many; all if there are fewer.
        seed: of the draw.
    """
    chosen = np.random.default_rng(seed).permutation(len(store))[:count]
    return sheet(store, chosen, title=f"{len(chosen):,} of {len(store):,} studies, first view of each")


def sheet(store: Store, rows: Sequence[int], *, title: str) -> go.Figure:
    """Show the first view of some studies.

    Args:
        store: the studies.
        rows: of `store.studies`, at least one.
        title: one line.
    """
    views = store.view_offsets[np.asarray(rows)]
    captions = [
        _lines(store.studies["study_id"].iloc[study_row], store.views["position"].iloc[view_row])
        for study_row, view_row in zip(rows, views, strict=True)
    ]
    return studies.contact_sheet(store.images[views], captions, title=title, note=note_of(store))


def flag_examples(store: Store, flag: str, *, count: int = 24) -> go.Figure:
    """Show the pictures that have a flag, the surest first; copies stand right of the earlier picture.

    Args:
        store: the pictures.
        flag: a key of `lib.data.curation.flags.FLAGS`.
        count: how many at most.
    """
    found = store.flags[store.flags["flag"] == flag].sort_values("score", ascending=False, kind="stable")
    title = f"{flag.replace('_', ' ').capitalize()}: {FLAGS[flag]}"
    if found.empty:
        return curation.nothing(f"{title} - no picture", note=note_of(store))
    worst = found.iloc[:count]
    number = f"{len(worst):,} of {len(found):,}" if len(worst) < len(found) else f"{len(found):,}"
    views = worst["view_row"].to_numpy()
    images, names = store.images[views], list(store.views["study_id"].iloc[views])
    if flag in COPIES:
        twins = [_view_row(store, twin) for twin in worst["twin"]]
        edge = np.full((len(views), store.image_size, max(1, store.image_size // 60)), 255, np.uint8)
        images = np.concatenate([store.images[twins], edge, images], axis=2)
        earlier = store.views["study_id"].iloc[twins]
        names = [f"{one} | {two}" for one, two in zip(earlier, names, strict=True)]
    positions = store.views["position"].iloc[views]
    per_row = 4 if flag in COPIES else 8
    few = len(worst) <= per_row  # so many that they can be large
    return studies.contact_sheet(
        images,
        [_lines(row.view_id, _flag_line(row)) for row in worst.itertuples()],
        below=[
            _lines(f"study {name}", f"{position} {row.score:.2f}", row.detail)
            for name, position, row in zip(names, positions, worst.itertuples(), strict=True)
        ],
        columns=per_row // 2 if few else per_row,
        tile=236 if few else 117,
        title=f"{title} - {number} {'picture' if number == '1' else 'pictures'}",
        note=note_of(store),
    )


def flag_counts(store: Store) -> dict[str, int]:
    """Return flag -> number of studies with a view that has it, in the order of `FLAGS`; none without."""
    counts = {flag: len(flagged_studies(store, [flag])) for flag in FLAGS}
    return {flag: count for flag, count in counts.items() if count}


def drops(store: Store, rule: str = "", *, examples: int = 3) -> str:
    """Return an HTML table of what ingest left out, by rule.

    Args:
        store: what is left.
        rule: the only one to show; "" shows all that took something out.
        examples: of each rule, at most.
    """
    rows = store.drops
    number = f"{len(rows):,} {'entry' if len(rows) == 1 else 'entries'}" if len(rows) else "none"
    title = f"{len(store):,} studies kept, {number} left out"
    if rule:
        rows = rows[rows["rule"] == rule]
    return drop_table(rows, examples=examples, title=title, note=note_of(store))


def report_lengths(store: Store) -> go.Figure:
    """Show how long the reports are, where the data set has any."""
    lengths = [count_tokens(text) for text in store.texts if text]
    return curation.report_lengths(lengths, note=note_of(store))


def split_tables(store: Store, manifest: Manifest) -> str:
    """Return HTML: the size of each split and of what is in none, and the rarest labels of each."""
    splits = rows_of_splits(manifest)
    unused = np.flatnonzero(manifest.split == UNUSED)
    parts = splits | ({NO_SPLIT: unused} if len(unused) else {})
    flags = ", ".join(flag.replace("_", " ") for flag in manifest.left_out)
    note = " | ".join(
        [
            note_of(store),
            f"seed {manifest.seed}",
            *[f"the data set's own: {', '.join(manifest.official)}"] * bool(manifest.official),
            *[f"left out: {flags}"] * bool(flags),
        ]
    )
    balance = balance_table(store.studies, parts, title="Who is in which split", note=note)
    rare = rare_labels(store.labels, store.label_names, splits)
    tables = [balance, *[rare_table(rare)] * bool(len(rare))]
    beside = f"display:flex;flex-wrap:wrap;gap:0 {theme.WIDTH - 2 * HALF}px;max-width:{theme.WIDTH}px"
    return f'<div style="{beside}">{"".join(tables)}</div>'


def label_prevalence(store: Store, manifest: Manifest) -> go.Figure:
    """Show how common each label is in each split."""
    splits = rows_of_splits(manifest)
    return curation.label_prevalence(store.labels, store.label_names, splits, note=note_of(store))


def rows_of_splits(manifest: Manifest) -> dict[str, np.ndarray]:
    """Return split -> study rows, in the order in which they are used."""
    return {split: manifest.rows(split) for split in SPLITS}


def _flag_line(flag) -> str:
    """Return a row of `store.flags` in words."""
    twin = f" of {flag.twin}" if flag.twin else ""
    detail = f": {flag.detail}" if flag.detail else ""
    return f"flag: {flag.flag.replace('_', ' ')} ({flag.score:.2f}){twin}{detail}"


def _view_row(store: Store, view_id: str) -> int:
    return int(np.flatnonzero(store.views["view_id"] == view_id)[0])


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


def summary(store: Store) -> pd.DataFrame:
    """Return one row of facts about a store, as a table to look at."""
    positions = ", ".join(
        f"{name} {count:,}" for name, count in store.views["position"].value_counts().items()
    )
    facts = {
        "studies": f"{len(store):,}",
        "patients": f"{store.studies['patient_id'].nunique():,}",
        "views": f"{len(store.views):,} ({positions})",
        "image size": f"{store.image_size} px",
        "reports": "yes" if store.has_reports else "no",
        "boxes": f"{len(store.boxes):,}",
        "dropped": f"{len(store.drops):,}",
        "id": store.id[:12],
    }
    return pd.DataFrame({store.name: facts})
