"""The card of a store: what is in it, where it comes from and what was left out, for people."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.data.chunk import RULES
from lib.data.curation.flags import FLAGS
from lib.data.report_statistics import ReportStatistics
from lib.data.splits import SPLITS
from lib.data.store import LABEL_PREFIX

AGE_EDGES = (0, 18, 40, 60, 80, 200)
AGE_NAMES = ("0 to 17", "18 to 39", "40 to 59", "60 to 79", "80 and over")
EVERY = "all"
NOT_KNOWN = "not known"


def card_columns(label_names: Sequence[str]) -> dict[str, list[str]]:
    """Return for each table the columns that the card counts; texts and hashes need not be read."""
    return {
        "studies": ["patient_id", "split", "sex", "age", *(LABEL_PREFIX + name for name in label_names)],
        "views": ["study_row", "position"],
        "boxes": ["finding", "reader"],
        "drops": ["rule"],
        "flags": ["flag"],
    }


def write_card(about: dict, tables: Mapping[str, pd.DataFrame], reports: ReportStatistics) -> str:
    """Return card.md.

    Args:
        about: the content of store.json.
        tables: those of a store, with the columns of `card_columns` at least.
        reports: statistics of its reports.
    """
    studies, boxes = tables["studies"], tables["boxes"]
    kind = "SYNTHETIC: generated pictures, not patients" if about["synthetic"] else "real"
    own = {split: np.flatnonzero(studies["split"] == split) for split in SPLITS}
    parts = [
        f"# {about['name']}",
        markdown_table(
            ("", ""),
            [
                ("kind", kind),
                ("source", about["source"]),
                ("licence", about["licence"]),
                ("image size", f"{about['image_size']} px, grey, 8 bit, aspect kept by zero padding"),
                ("boxes", len(boxes)),
                ("id", f"`{about['id']}`"),
            ],
        ),
        count_sections(studies, tables["views"], {split: rows for split, rows in own.items() if len(rows)}),
        "## Label noise",
        about["label_noise"],
        "## Reports",
        _reports(reports) if about["has_reports"] else "None.",
    ]
    if len(boxes):
        counts = {name: boxes[name].value_counts().sort_index() for name in ("finding", "reader")}
        parts += ["## Boxes", *(markdown_table((name, "boxes"), counts[name].items()) for name in counts)]
    parts += ["## Odd pictures", _flags(tables["flags"], about["not_looked_for"])]
    parts += ["## Left out", _left_out(tables["drops"])]
    return "\n\n".join(parts) + "\n"


def count_sections(studies: pd.DataFrame, views: pd.DataFrame, splits: Mapping[str, Sequence[int]]) -> str:
    """Return the sections Counts and Labels in Markdown: over all studies, and over each split.

    Args:
        studies: table of a store.
        views: table of a store.
        splits: name -> study rows; may be empty.
    """
    columns = {EVERY: np.arange(len(studies)), **splits}
    views_of = {
        name: views[np.isin(views["study_row"].to_numpy(), rows)] if name != EVERY else views
        for name, rows in columns.items()
    }
    parts = {name: studies.iloc[rows] for name, rows in columns.items()}
    totals = [
        ("studies", *(len(part) for part in parts.values())),
        ("patients", *(part["patient_id"].nunique() for part in parts.values())),
        ("views", *(len(part) for part in views_of.values())),
    ]
    ages = {
        name: pd.cut(part["age"], AGE_EDGES, right=False, labels=AGE_NAMES).astype(object)
        for name, part in parts.items()
    }
    per_study = {name: part.groupby("study_row").size() for name, part in views_of.items()}
    positions = {name: part["position"] for name, part in views_of.items()}
    return "\n\n".join(
        [
            "## Counts",
            markdown_table(("", *columns), totals),
            _counts("sex", {name: part["sex"] for name, part in parts.items()}),
            _counts("age", ages),
            _counts("view position", positions),
            _counts("views per study", per_study),
            "## Labels",
            "Positive studies, of those where the label is known.",
            _prevalence(parts),
        ]
    )


def summarise(about: dict, drops: pd.DataFrame, flags: pd.DataFrame | None = None) -> str:
    """Return what an ingest kept, dropped and, where pictures were compared, flagged; a line for each."""
    lines = [f"{about['name']}: kept {about['num_studies']} studies with {about['num_views']} views"]
    lines += [f"  dropped by {rule}: {count}" for rule, count in drops["rule"].value_counts().items()]
    if flags is not None:
        lines += [f"  flagged {flag}: {count}" for flag, count in flags["flag"].value_counts().items()]
    return "\n".join(lines)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence]) -> str:
    """Return rows as a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in line) + " |" for line in lines)


def _counts(title: str, columns: Mapping[str, pd.Series]) -> str:
    """Return a table of value counts, one column per split: named values in order, then what is empty."""
    counts = {
        name: values.astype(object).where(values.notna() & (values != ""), NOT_KNOWN).value_counts()
        for name, values in columns.items()
    }
    values = sorted(counts[EVERY].index, key=lambda value: (value == NOT_KNOWN, value))
    rows = [(value, *(int(counts[name].get(value, 0)) for name in columns)) for value in values]
    return markdown_table((title, *columns), rows)


def _prevalence(parts: Mapping[str, pd.DataFrame]) -> str:
    names = [name for name in parts[EVERY] if name.startswith(LABEL_PREFIX)]
    rows = [
        (name.removeprefix(LABEL_PREFIX), *(_share(part[name].to_numpy()) for part in parts.values()))
        for name in names
    ]
    return markdown_table(("label", *parts), rows)


def _share(values: np.ndarray) -> str:
    known, positive = int(np.isfinite(values).sum()), int(np.nansum(values > 0.5))
    return f"{positive} of {known} ({100 * positive / known:.1f} %)" if known else NOT_KNOWN


def _reports(reports: ReportStatistics) -> str:
    def spread(counts: Sequence[float]) -> str:
        low, middle, high = (f"{count:.0f}" for count in counts)
        return f"{middle} ({low} to {high})"

    return markdown_table(
        ("", "studies"),
        [
            ("without findings", reports.no_findings),
            ("without impression", reports.no_impression),
            ("without both", reports.no_text),
            ("with words that were removed (`XXXX`, `___`)", reports.removed),
            ("whose text another study has word for word", reports.repeated),
            ("different texts", reports.distinct),
            ("tokens, median (5 to 95 %)", spread(reports.tokens)),
            ("sentences, median (5 to 95 %)", spread(reports.sentences)),
        ],
    )


def _flags(flags: pd.DataFrame, unseen: Sequence[str]) -> str:
    counts = flags["flag"].value_counts()
    rows = [(flag, counts[flag], said) for flag, said in FLAGS.items() if flag in counts]
    found = markdown_table(("flag", "pictures", "what it says"), rows) if rows else "None found."
    return "\n\n".join([found, *([f"Not looked for. {' '.join(unseen)}"] if unseen else [])])


def _left_out(drops: pd.DataFrame) -> str:
    if drops.empty:
        return "Nothing."
    counts = drops["rule"].value_counts()
    rows = [(rule, counts[rule], said) for rule, said in RULES.items() if rule in counts]
    return (
        markdown_table(("rule", "number", "what it means"), rows)
        + "\n\nEvery case is a row of drops.parquet."
    )
