"""What pictures are told apart by, and what a group is beside the others."""

import numpy as np
import pytest

from workbench.embedding_reading import groups
from workbench.embedding_reading.colours import Colouring, colourings, errors, find_colouring

pytestmark = pytest.mark.usefixtures("one_thread", "roots")


def test_findings_splits_and_the_only_finding_are_offered(atlas):
    known = colourings(atlas.pictures)
    # One store, one position, no sex, no age, one size: nothing to tell apart.
    assert list(known) == ["the only finding", "opacity", "device", "rare", "split"]
    labels = atlas.pictures.labels
    opacity = known["opacity"]
    assert opacity.classes == ("present", "absent") and opacity.quiet == ("absent",)
    np.testing.assert_array_equal(opacity.names() == "present", labels[:, 0] == 1)
    alone = known["the only finding"]
    for place in range(40):
        present = [
            name for name, one in zip(atlas.pictures.label_names, labels[place], strict=True) if one == 1
        ]
        assert alone.of(place) == (present[0] if len(present) == 1 else ("several" if present else "none"))
    assert known["split"].classes == ("train", "validation", "test")


def test_errors_are_distances_of_probability_and_label(atlas, tuned):
    known = colourings(atlas.pictures, [tuned])
    assert [name for name in known if name.startswith("error of")] == [
        f"error of {tuned.id[-4:]}: {target}" for target in ("opacity", "device")
    ]
    said = tuned.predictions().set_index("view_id")
    values = errors(atlas.pictures, tuned)["device"]
    for place, view in enumerate(atlas.pictures.table["view_id"]):
        if view in said.index:
            row = said.loc[view]
            assert values[place] == pytest.approx(
                abs(row["label/device"] - row["probability/device"]), abs=1e-6
            )
        else:
            assert np.isnan(values[place])
    assert np.isfinite(values).sum() == len(set(said.index) & set(atlas.pictures.table["view_id"])) > 20


def test_numbers_are_told_apart_at_their_median():
    age = Colouring("age", values=np.array([20, 40, 60, 80, np.nan], np.float32))
    assert age.known().tolist() == [0, 0, 1, 1, -1]
    assert age.names().tolist() == ["50 and below"] * 2 + ["above 50"] * 2 + [""]
    assert age.of(0) == "20" and age.of(4) == "not known"


def test_rare_classes_are_one():
    from workbench.embedding_reading.colours import _classes

    sizes = [str(number) for number in range(10) for _ in range(10 - number)] + [""]
    one = _classes("size", sizes)
    assert one.classes == (*map(str, range(7)), "other", "not known")
    assert (one.known() >= 0).sum() == 10 + 9 + 8 + 7 + 6 + 5 + 4
    assert one.of(len(sizes) - 2) == "other"


def test_a_property_that_is_not_there_is_said(atlas):
    known = colourings(atlas.pictures)
    one, message = find_colouring(known, "Edema")
    assert one.name == "the only finding" and "'Edema'" in message and "opacity" in message
    assert find_colouring(known, "device") == (known["device"], "")


def test_a_group_of_one_finding_is_told_by_it_and_by_its_words(atlas):
    known = colourings(atlas.pictures)
    group = np.flatnonzero(known["opacity"].names() == "present")
    traits = groups.telling_traits(known, group, len(atlas.pictures))
    first = traits.iloc[0]
    assert (first["term"], first["inside"], first["outside"]) == ("opacity", 1.0, 0.0)
    assert not traits["term"].str.contains("absent").any()
    words = groups.telling_words(atlas, group)
    assert "opacity" in words["term"][0] or "left" in words["term"][0]
    assert (words.loc[words["term"].str.contains("clear"), "z"] < 0).all()
    everybody = np.arange(len(atlas.pictures))
    assert groups.telling_words(atlas, everybody).empty
    assert groups.telling_traits(known, everybody, len(everybody)).empty


def test_the_typical_come_first(atlas):
    features, group = atlas.features(0), np.arange(5, 60)
    order = groups.typical_first(features, group)
    assert sorted(order) == sorted(group)
    mean = features[group].mean(axis=0)
    assert (np.diff(features[order] @ mean) <= 1e-6).all()


def test_a_study_list_has_each_study_once(atlas):
    group = np.array([7, 3, 5])
    listed = groups.study_list(atlas.pictures, group)
    table = atlas.pictures.table.iloc[[3, 5, 7]]
    assert listed["study_id"].tolist() == table["study_id"].tolist()
    assert listed["view_ids"].tolist() == table["view_id"].tolist()
    assert set(listed["store_id"]) == {atlas.pictures.stores[0].id} and set(listed["store"]) == {"source"}
