"""Figures of a store: its studies, its sheet, its counts."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lib.data.reports import count_tokens
from lib.data.splits import SPLITS, Manifest
from lib.data.store import Store
from workbench import theme
from workbench.figures import curation, studies


def note_of(store: Store) -> str:
    """Return the line under a title that says where the numbers come from."""
    return theme.provenance(store.name, store.synthetic)


def study(store: Store, row: int) -> go.Figure:
    """Show the views of one study with boxes and report.

    Args:
        store: holds it.
        row: of `store.studies`.
    """
    record = store.studies.iloc[row]
    start, stop = store.view_offsets[row], store.view_offsets[row + 1]
    boxes = store.boxes
    boxes = boxes[(boxes["view_row"] >= start) & (boxes["view_row"] < stop)]
    present = [name for name in store.label_names if record[f"label/{name}"] == 1]
    return studies.study_figure(
        list(store.images[start:stop]),
        list(store.views["position"].iloc[start:stop]),
        boxes.assign(view=boxes["view_row"] - start),
        findings=record["findings"],
        impression=record["impression"],
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
    rows = store.view_offsets[chosen]
    captions = [
        f"{store.studies['study_id'].iloc[study_row]}<br>{store.views['position'].iloc[view_row]}"
        for study_row, view_row in zip(chosen, rows, strict=True)
    ]
    title = f"{len(chosen):,} of {len(store):,} studies, first view of each"
    return studies.contact_sheet(store.images[rows], captions, title=title, note=note_of(store))


def drops(store: Store) -> go.Figure:
    """Show what ingest left out, by rule."""
    counts = store.drops["rule"].value_counts().to_dict()
    return curation.drop_reasons(counts, kept=len(store), note=note_of(store))


def report_lengths(store: Store) -> go.Figure:
    """Show how long the reports are, where the data set has any."""
    lengths = [count_tokens(text) for text in store.texts if text]
    return curation.report_lengths(lengths, note=note_of(store))


def split_balance(store: Store, manifest: Manifest) -> go.Figure:
    """Show the studies and patients of each split."""
    return curation.split_balance(store.studies, rows_of_splits(manifest), note=note_of(store))


def label_prevalence(store: Store, manifest: Manifest) -> go.Figure:
    """Show how common each label is in each split."""
    splits = rows_of_splits(manifest)
    return curation.label_prevalence(store.labels, store.label_names, splits, note=note_of(store))


def rows_of_splits(manifest: Manifest) -> dict[str, np.ndarray]:
    """Return split -> study rows, in the order in which they are used."""
    return {split: manifest.rows(split) for split in SPLITS}


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
