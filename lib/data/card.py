"""The card of a store: what is in it, where it comes from and what was left out, for people."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.data.store import LABEL_PREFIX

AGE_EDGES = (0, 18, 40, 60, 80, 200)
AGE_NAMES = ("0 to 17", "18 to 39", "40 to 59", "60 to 79", "80 and over")


def card_columns(label_names: Sequence[str]) -> dict[str, list[str]]:
    """Return for each table the columns that the card counts; texts and hashes need not be read."""
    return {
        "studies": ["patient_id", "split", "sex", "age", *(LABEL_PREFIX + name for name in label_names)],
        "views": ["study_row", "position"],
        "boxes": ["finding", "reader"],
        "drops": ["rule"],
    }


def write_card(
    about: dict, studies: pd.DataFrame, views: pd.DataFrame, boxes: pd.DataFrame, drops: pd.DataFrame
) -> str:
    """Return card.md from the content of store.json and the tables of a store (see `card_columns`)."""
    kind = "SYNTHETIC: generated pictures, not patients" if about["synthetic"] else "real"
    parts = [
        f"# {about['name']}",
        _table(
            ("", ""),
            [
                ("kind", kind),
                ("source", about["source"]),
                ("licence", about["licence"]),
                ("studies", len(studies)),
                ("patients", studies["patient_id"].nunique()),
                ("views", len(views)),
                ("image size", f"{about['image_size']} px, grey, 8 bit, aspect kept by zero padding"),
                ("reports", "yes" if about["has_reports"] else "no"),
                ("boxes", len(boxes)),
                ("id", f"`{about['id']}`"),
            ],
        ),
        "## Counts",
        _counts("split (the data set's own)", studies["split"]),
        _counts("sex", studies["sex"]),
        _counts("age", _age_groups(studies["age"])),
        _counts("view position", views["position"]),
        _counts("views per study", views.groupby("study_row").size()),
        "## Labels",
        f"Label noise: {about['label_noise']}",
        _prevalence(studies, about["label_names"]),
    ]
    if len(boxes):
        parts += ["## Boxes", _counts("finding", boxes["finding"]), _counts("reader", boxes["reader"])]
    parts += ["## Left out", _left_out(drops)]
    return "\n\n".join(parts) + "\n"


def summarise(about: dict, drops: pd.DataFrame) -> str:
    """Return what an ingest kept and dropped, a few lines for the screen."""
    lines = [f"{about['name']}: kept {about['num_studies']} studies with {about['num_views']} views"]
    lines += [f"  dropped by {rule}: {count}" for rule, count in drops["rule"].value_counts().items()]
    return "\n".join(lines)


def _left_out(drops: pd.DataFrame) -> str:
    if drops.empty:
        return "Nothing."
    return _counts("rule", drops["rule"]) + "\n\nEvery case is a row of drops.parquet."


def _prevalence(studies: pd.DataFrame, label_names: Sequence[str]) -> str:
    rows = []
    for name in label_names:
        values = studies[LABEL_PREFIX + name].to_numpy()
        known = int(np.isfinite(values).sum())
        positive = int(np.nansum(values > 0.5))
        share = f"{100 * positive / known:.1f} %" if known else "-"
        rows.append((name, positive, known - positive, len(values) - known, share))
    return _table(("label", "positive", "negative", "not known", "prevalence where known"), rows)


def _age_groups(ages: pd.Series) -> pd.Series:
    return pd.cut(ages, AGE_EDGES, right=False, labels=AGE_NAMES).astype(object)


def _counts(title: str, values: pd.Series) -> str:
    """Return a table of value counts: named values in order, then what is empty."""
    counts = values.dropna().value_counts()
    named = sorted((value, count) for value, count in counts.items() if value != "")
    empty = len(values) - sum(count for _, count in named)
    return _table((title, "number"), named + ([("not known", empty)] if empty else []))


def _table(header: Sequence[str], rows: Sequence[Sequence]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in line) + " |" for line in lines)
