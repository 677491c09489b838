"""Choosing studies: every condition and their combinations against a loop that asks study by study."""

import itertools
import math
import random

import numpy as np
import pytest
from tiny_flags import flag_views

from lib.data.ingest import ingest
from lib.data.readers import open_reader
from lib.data.splits import SPLITS, make_manifest
from lib.data.store import Store
from workbench.study_filter import ANY, NO_SPLIT, PRESENCE, StudyFilter, words_pattern


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return phantom studies with every tenth label unknown, some ages too, and some flags."""
    reader = open_reader("phantom", studies=90, image_size=32)
    path = tmp_path_factory.mktemp("store") / "phantom"
    ingest(reader, path, image_size=32, workers=0, progress=False)
    flag_views(path, {3: "inverted", 4: "blank", 40: "inverted", 100: "rotated"})
    store = Store(path)
    for column, name in enumerate(store.label_names):
        store.studies.loc[store.studies.index % 10 == column, f"label/{name}"] = np.nan
    store.studies.loc[store.studies.index % 7 == 0, "age"] = np.nan
    return store


@pytest.fixture(scope="module")
def manifest(store):
    return make_manifest(store, leave_out=("blank", "rotated"))


def naive(wanted, store, manifest):
    """Ask one study after the other."""
    rows = []
    for row in range(len(store)):
        values = store.studies.iloc[row]
        views = store.views[store.views.study_row == row]
        boxes = store.boxes[store.boxes.view_row.isin(views.index)]
        flags = list(store.flags.flag[store.flags.view_row.isin(views.index)])
        value = values[f"label/{wanted.label}"] if wanted.label else None
        code = manifest.split[row]
        text = [" ".join(part.lower().split()) for part in (values["findings"], values["impression"])]
        words = " ".join(wanted.words.lower().split())
        limited = wanted.youngest > 0 or wanted.oldest < math.inf
        if (
            (
                not wanted.label
                or value == PRESENCE[wanted.presence]
                or (wanted.presence == "not known" and value != value)
            )
            and (not wanted.split or wanted.split == (NO_SPLIT if code < 0 else SPLITS[code]))
            and (not wanted.position or wanted.position in list(views.position))
            and (not wanted.sex or values["sex"] == wanted.sex)
            and (not limited or wanted.youngest <= values["age"] <= wanted.oldest)
            and (not wanted.flag or (len(flags) > 0 if wanted.flag == ANY else wanted.flag in flags))
            and any(words in part for part in text)
            and (
                not wanted.reader
                or (len(boxes) > 0 if wanted.reader == ANY else wanted.reader in list(boxes.reader))
            )
        ):
            rows.append(row)
    return rows


CONDITIONS = [
    {"label": "Cardiomegaly"},
    {"label": "Cardiomegaly", "presence": "absent"},
    {"label": "Pleural Effusion", "presence": "not known"},
    {"split": "train"},
    {"split": "test"},
    {"split": NO_SPLIT},
    {"position": "LATERAL"},
    {"position": "AP"},
    {"sex": "F"},
    {"youngest": 40},
    {"youngest": 30, "oldest": 60.5},
    {"flag": ANY},
    {"flag": "inverted"},
    {"words": "  The  HEART "},
    {"words": "left"},
    {"words": "(.*"},
    {"reader": ANY},
    {"reader": "R2"},
]


@pytest.mark.parametrize("conditions", CONDITIONS, ids=str)
def test_one_condition_keeps_what_a_loop_keeps(store, manifest, conditions):
    wanted = StudyFilter(**conditions)
    rows = wanted.rows(store, manifest).tolist()
    assert rows == naive(wanted, store, manifest)
    assert (0 < len(rows) < len(store)) == ("(.*" not in wanted.words)


def test_several_conditions_keep_what_a_loop_keeps(store, manifest):
    pairs = list(itertools.combinations(CONDITIONS, 3))
    for chosen in random.Random(0).sample(pairs, 12):
        wanted = StudyFilter(**{name: value for part in chosen for name, value in part.items()})
        assert wanted.rows(store, manifest).tolist() == naive(wanted, store, manifest), wanted


def test_nothing_asked_keeps_everything(store):
    assert StudyFilter().rows(store).tolist() == list(range(len(store)))


def test_it_is_said_what_there_would_be_without_each_condition(store, manifest):
    wanted = StudyFilter(sex="F", words="no such words", split="train")
    assert wanted.rows(store, manifest).tolist() == []
    women = StudyFilter(sex="F", split="train").rows(store, manifest)
    assert wanted.loosened(store, manifest) == {"words": len(women)}
    assert StudyFilter(words="no such words", flag="mirrored").loosened(store) == {}


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"label": "Fracture"}, "no label 'Fracture' here; there are Cardiomegaly"),
        (
            {"label": "Cardiomegaly", "presence": "maybe"},
            "no presence 'maybe' here; there are present, absent",
        ),
        ({"split": "dev"}, "no split 'dev' here; there are train, validation, test, no split"),
        ({"position": "OBLIQUE"}, "no view position 'OBLIQUE' here; there are AP, LATERAL, PA"),
        ({"sex": "X"}, "no sex 'X' here; there are F, M"),
        ({"flag": "odd"}, "no flag 'odd' here; there are identical"),
        ({"reader": "R9"}, "no reader 'R9' here; there are R1, R2, R3, any"),
    ],
)
def test_what_the_store_does_not_have_is_refused(store, manifest, conditions, message):
    with pytest.raises(ValueError, match=message):
        StudyFilter(**conditions).rows(store, manifest)


def test_a_split_needs_a_manifest(store):
    with pytest.raises(ValueError, match="no split 'train' here; there are none"):
        StudyFilter(split="train").rows(store)


def test_words_are_found_across_line_breaks():
    assert words_pattern("pleural effusion").search("Pleural\n  EFFUSION")
    assert not words_pattern("a.c").search("abc")
