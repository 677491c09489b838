"""Planted among phantom and real pictures, every kind of oddity is flagged, and little else."""

import dataclasses
import functools

import numpy as np
import pandas as pd
import pytest

from lib.data.audit import parts_of
from lib.data.curation.flags import FLAGS
from lib.data.ingest import ingest
from lib.data.readers import open_reader
from lib.data.splits import flagged_studies, make_manifest
from lib.data.study import View
from tests.lib.data.curation.drawn_slice import draw_slice
from tests.lib.data.tiny_pictures import Pictures, show

NUM_STUDIES = 240
LABELS = open_reader("phantom", studies=4).label_names


def rendered(view: View, pixels: np.ndarray) -> View:
    return dataclasses.replace(view, path=None, render=functools.partial(show, np.ascontiguousarray(pixels)))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return phantom studies with one of each kind of oddity among them."""
    studies = list(open_reader("phantom", studies=NUM_STUDIES, image_size=64))
    pictures = {place: studies[place].views[0].render() for place in (3, 10, 11, 12, 30, 31, 32, 33)}
    planted = {
        20: pictures[10],  # identical
        21: np.clip(pictures[11].astype(int) + 7, 0, 255).astype(np.uint8),  # near-identical
        22: pictures[12][:, ::-1],  # mirrored
        30: 255 - pictures[30],  # inverted
        31: np.rot90(pictures[31]),  # rotated
        32: draw_slice(np.random.default_rng(1), 64),
        33: np.full((64, 64), 9, np.uint8),  # blank
    }
    for place, pixels in planted.items():
        views = (rendered(studies[place].views[0], pixels), *studies[place].views[1:])
        studies[place] = dataclasses.replace(studies[place], views=views)
    wrong = dataclasses.replace(studies[3].views[0], position="LATERAL")
    studies[3] = dataclasses.replace(studies[3], views=(wrong, *studies[3].views[1:]))
    folder = tmp_path_factory.mktemp("curate")
    return ingest(
        Pictures("set", studies, LABELS), folder / "store", image_size=64, workers=2, progress=False
    )


def test_each_is_flagged_for_what_it_is(store):
    first = store.view_offsets
    names = store.views["view_id"].to_numpy()
    flags = store.flags.set_index("view_row")
    expected = {
        "identical": (20, 10),
        "near_identical": (21, 11),
        "mirrored": (22, 12),
        "inverted": (30, None),
        "rotated": (31, None),
        "not_a_radiograph": (32, None),
        "blank": (33, None),
        "view_position": (3, None),
    }
    assert set(expected) == set(FLAGS)
    for flag, (study, twin) in expected.items():
        row = flags.loc[[first[study]]].query("flag == @flag")
        assert len(row) == 1, flag
        assert row["view_id"].item() == names[first[study]]
        assert row["twin"].item() == ("" if twin is None else names[first[twin]]), flag
        assert 0 < row["score"].item() <= 1
    assert flags.loc[first[31], "detail"] == "a quarter, against the clock"
    assert flags.loc[first[3], "detail"] == "looks frontal, filed as lateral"


def test_little_else_is_flagged(store):
    planted = store.view_offsets[[20, 21, 22, 30, 31, 32, 33, 3]]
    others = store.flags[~store.flags["view_row"].isin(planted)]
    # At 64 pixels two views of one phantom study can be as alike as copies are.
    across = others[others["flag"] != "near_identical"]
    assert across.empty, across
    assert len(others) <= 0.01 * len(store.views)


def test_studies_with_copies_of_one_another_stay_together(store):
    for seed in range(10):
        manifest = make_manifest(store, seed=seed)
        for study, twin in ((20, 10), (21, 11), (22, 12)):
            assert manifest.split[study] == manifest.split[twin]
    assert {part.role for part in parts_of(store, manifest)} == {"train", "validation", "test"}


def test_flagged_studies_can_be_left_out(store):
    assert flagged_studies(store, ["inverted", "blank"]).tolist() == [30, 33]
    assert flagged_studies(store, ["identical"]).tolist() == [20]
    assert flagged_studies(store, []).tolist() == []


def test_a_copy_inside_a_study_is_flagged_and_costs_no_study(tmp_path):
    studies = list(open_reader("phantom", studies=6, image_size=64))
    first = studies[2].views[0]
    again = rendered(dataclasses.replace(first, view_id="again"), first.render())
    studies[2] = dataclasses.replace(studies[2], views=(*studies[2].views, again))
    store = ingest(Pictures("set", studies, LABELS), tmp_path / "s", image_size=64, workers=0, progress=False)
    found = store.flags[store.flags["flag"] == "identical"]
    assert found["view_id"].tolist() == ["again"] and found["twin"].tolist() == [first.view_id]
    assert 2 not in flagged_studies(store, ["identical"])


def test_the_odd_ones_of_the_real_pictures(shared, tmp_path):
    """Looked at one by one: 43 of NIH lie on their side, and of covid19 two patients are one."""
    nih = ingest(
        open_reader("nih", shared / "data/nih-chestxray14"), tmp_path / "nih", image_size=64, progress=False
    )
    assert nih.about["not_looked_for"] == [
        "Wrong view positions: that takes 100 frontal and 100 lateral pictures."
    ]
    assert nih.flags["flag"].value_counts().to_dict() == {"rotated": 43, "identical": 1}
    assert set(nih.flags.query("flag == 'rotated'")["detail"]) == {"a quarter, against the clock"}
    covid = ingest(
        open_reader("covid19", shared / "data/covid-chestxray"), tmp_path / "c", image_size=64, progress=False
    )
    copies = covid.flags.query("flag == 'near_identical'")
    patient = covid.studies["patient_id"].to_numpy()[covid.views["study_row"]]
    rows = pd.Index(covid.views["view_id"]).get_indexer(copies["twin"])
    pairs = {(patient[row], patient[twin]) for row, twin in zip(copies["view_row"], rows, strict=True)}
    assert pairs == {("178", "97")} and len(copies) == 4
    for seed in range(5):
        split = make_manifest(covid, seed=seed).split
        assert (
            len(
                {
                    code
                    for code, who in zip(split, covid.studies["patient_id"], strict=True)
                    if who in ("178", "97")
                }
            )
            == 1
        )
