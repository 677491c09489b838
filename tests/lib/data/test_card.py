"""The card counts what is in a store, over each split, and says what was left out and what is odd."""

import numpy as np
import pandas as pd
import pytest
from tiny_reader import TinyReader, make_study
from tiny_store import make_store

from lib.data.card import count_sections, summarise, write_card
from lib.data.report_statistics import report_statistics


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("card") / "store")


def test_it_counts(store):
    card = (store.path / "card.md").read_text()
    assert "SYNTHETIC" in card and store.id in card and "Drawn for tests." in card and "CC0" in card
    assert "None: the labels are drawn." in card
    for row in (
        "| studies | 12 |",
        "| patients | 6 |",
        "| views | 30 |",
        "| M | 4 |",  # sex
        "| not known | 4 |",
        "| 18 to 39 | 9 |",  # ages 21..31 but for multiples of five
        "| not known | 3 |",
        "| PA | 12 |",
        "| UNKNOWN | 3 |",
        "| Edema | 4 of 12 (33.3 %) |",
        "| Pneumothorax | 3 of 3 (100.0 %) |",
        "| Edema | 12 |",  # boxes
        "| without findings | 0 |",
        "| different texts | 12 |",
        "| sentences, median (5 to 95 %) | 2 (2 to 2) |",
    ):
        assert row in card, row
    assert card.endswith("## Left out\n\nNothing.\n")


def test_every_split_of_the_data_set_has_a_column(tmp_path):
    names = ("train", "train", "train", "validation", "test", "test", "", "train")
    studies = [make_study(number, split=split, patient_id=f"p{number}") for number, split in enumerate(names)]
    store = make_store(tmp_path / "store", studies=studies)
    card = (store.path / "card.md").read_text()
    assert "|  | all | train | validation | test |" in card
    assert "| studies | 8 | 4 | 1 | 2 |" in card
    assert "| views | 16 | 8 | 2 | 4 |" in card
    assert "| PA | 8 | 4 | 1 | 2 |" in card
    labels = store.studies["label/Edema"].to_numpy()
    shares = [
        f"{int(labels[rows].sum())} of {len(rows)} ({100 * labels[rows].mean():.1f} %)"
        for rows in (list(range(8)), [0, 1, 2, 7], [3], [4, 5])
    ]
    assert f"| Edema | {' | '.join(shares)} |" in card


def test_counts_over_a_manifest(store):
    text = count_sections(store.studies, store.views, {"train": np.arange(8), "test": np.array([9, 11])})
    assert "| studies | 12 | 8 | 2 |" in text
    offsets = store.view_offsets
    in_test = sum(int(offsets[row + 1] - offsets[row]) for row in (9, 11))
    assert f"| views | 30 | {offsets[8]} | {in_test} |" in text


def test_what_was_left_out_and_what_is_odd(store):
    tables = {name: getattr(store, name) for name in ("studies", "views", "boxes")}
    tables["boxes"] = store.boxes.iloc[:0]
    tables["drops"] = pd.DataFrame({"rule": ["no_views", "missing_image", "missing_image"]})
    tables["flags"] = pd.DataFrame({"flag": ["rotated", "identical", "rotated"]})
    reports = report_statistics(zip(store.studies["findings"], store.studies["impression"], strict=True))
    about = store.about | {"synthetic": False, "not_looked_for": ["This.", "That."]}
    card = write_card(about, tables, reports)
    assert "| kind | real |" in card and "## Boxes" not in card
    assert "| missing_image | 2 | the table names a picture that is not there" in card
    assert card.index("| identical | 1 | the same pixels") < card.index("| rotated | 2 | looks turned")
    assert "Not looked for. This. That.\n" in card
    assert summarise(store.about, tables["drops"], tables["flags"]).splitlines() == [
        "tiny: kept 12 studies with 30 views",
        "  dropped by missing_image: 2",
        "  dropped by no_views: 1",
        "  flagged rotated: 2",
        "  flagged identical: 1",
    ]


def test_without_reports_it_says_so(tmp_path):
    store = make_store(tmp_path / "store", has_reports=False)
    assert "## Reports\n\nNone.\n" in (store.path / "card.md").read_text()


def test_a_bar_in_a_name_does_not_break_a_table(tmp_path):
    reader = TinyReader([make_study(number) for number in range(3)], licence="a | b")
    store = make_store(tmp_path / "store", studies=reader.studies, licence=reader.licence)
    assert "| licence | a / b |" in (store.path / "card.md").read_text()
