"""No patient in two splits, smaller ratios inside larger ones, and nothing of it ever changes."""

import dataclasses
import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_store import make_store

from lib.data.splits import SPLITS, UNUSED, Manifest, make_manifest


@dataclasses.dataclass
class Tables:
    """As much of a store as splits look at."""

    studies: pd.DataFrame
    views: pd.DataFrame
    flags: pd.DataFrame
    id: str = "ab" * 32
    name: str = "tables"
    path: str = "outputs/stores/tables"


def tables(
    patients: list[str], split: list[str] | None = None, flags: Sequence[tuple[int, str, str]] = ()
) -> Tables:
    """Return studies of one view each; `flags` are study row, flag and the patient of the twin."""
    names = [str(row) for row in range(len(patients))]
    return Tables(
        pd.DataFrame({"patient_id": patients, "split": split or [""] * len(patients)}),
        pd.DataFrame({"study_row": np.arange(len(patients)), "view_id": names}),
        pd.DataFrame(flags, columns=["view_row", "flag", "twin"]).astype({"view_row": np.int64}),
    )


cohorts = st.lists(st.integers(0, 30), min_size=1, max_size=120).map(
    lambda numbers: [f"p{number}" for number in numbers] + ["a", "b", "c"]
)


@settings(deadline=None, max_examples=60)
@given(patients=cohorts, seed=st.integers(0, 5))
def test_no_patient_is_in_two_splits_and_every_study_is_in_one(patients, seed):
    store = tables(patients)
    manifest = make_manifest(store, seed=seed)
    rows = [manifest.rows(name) for name in SPLITS]
    assert all(len(part) for part in rows)
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(len(patients)))
    members = [set(np.array(patients)[part]) for part in rows]
    assert not members[0] & members[1] and not members[0] & members[2] and not members[1] & members[2]


@settings(deadline=None, max_examples=60)
@given(patients=cohorts, ratios=st.tuples(st.floats(0.001, 1), st.floats(0.001, 1)), draw=st.integers(0, 2))
def test_smaller_ratios_lie_inside_larger_ones(patients, ratios, draw):
    manifest = make_manifest(tables(patients), draws=3)
    small, large = (manifest.subset(ratio, draw) for ratio in sorted(ratios))
    train = manifest.rows("train")
    assert 1 <= len(small) and set(small) <= set(large) <= set(train)
    np.testing.assert_array_equal(manifest.subset(1.0, draw), train)
    for part, ratio in ((small, min(ratios)), (large, max(ratios))):
        names, counts = np.unique(np.array(patients)[part], return_counts=True)
        wanted = max(1, round(ratio * len(train)))
        assert wanted <= len(part) < wanted + counts.max()  # no patient more than needed
        for name, count in zip(names, counts, strict=True):
            assert count == patients.count(name)  # a patient is taken whole


@settings(deadline=None, max_examples=60)
@given(patients=cohorts)
def test_the_order_of_the_studies_does_not_matter(patients):
    first = make_manifest(tables(patients))
    second = make_manifest(tables(patients[::-1]))
    for name in SPLITS:
        np.testing.assert_array_equal(first.rows(name), np.sort(len(patients) - 1 - second.rows(name)))


def test_fractions_are_of_patients():
    manifest = make_manifest(tables([f"p{number // 2}" for number in range(2000)]))
    assert [len(manifest.rows(name)) for name in SPLITS] == [1400, 200, 400]
    assert len(manifest.subset(0.01)) == 14 and len(manifest.subset(0.1)) == 140
    whole = make_manifest(tables([f"p{number}" for number in range(10)]), fractions=(0.8, 0.0, 0.2))
    assert [len(whole.rows(name)) for name in SPLITS] == [8, 0, 2]


def test_seeds_and_draws_differ():
    store = tables([f"p{number}" for number in range(200)])
    first, same, other = (make_manifest(store, seed=seed) for seed in (0, 0, 1))
    assert first.id == same.id != other.id
    assert set(first.rows("test")) != set(other.rows("test"))
    draws = {tuple(first.subset(0.1, draw)) for draw in range(5)}
    assert len(draws) == 5
    # More draws do not change the first ones.
    np.testing.assert_array_equal(make_manifest(store, draws=9).draws[:5], first.draws)


def test_a_complete_official_split_is_kept():
    split = ["train"] * 5 + ["validation"] * 2 + ["test"] * 3 + [""]
    manifest = make_manifest(tables([f"p{number}" for number in range(11)], split))
    assert [list(manifest.rows(name)) for name in SPLITS] == [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]
    assert manifest.official == SPLITS
    drawn = make_manifest(tables([f"p{number}" for number in range(11)], split), official=False)
    assert sum(len(drawn.rows(name)) for name in SPLITS) == 11 and drawn.official == ()


def test_studies_without_an_official_split_are_left_out():
    patients = [f"p{number // 2}" for number in range(20)]
    manifest = make_manifest(tables(patients, ["train", ""] * 10), fractions=(0.5, 0.25, 0.25))
    rows = np.concatenate([manifest.rows(name) for name in SPLITS])
    np.testing.assert_array_equal(np.sort(rows), np.arange(0, 20, 2))


def test_missing_validation_comes_from_training_by_patient():
    patients = [f"p{number // 2}" for number in range(160)] + [f"q{number}" for number in range(40)]
    manifest = make_manifest(tables(patients, ["train"] * 160 + ["test"] * 40))
    np.testing.assert_array_equal(manifest.rows("test"), np.arange(160, 200))
    validation = manifest.rows("validation")
    assert len(validation) == 20 and validation.max() < 160  # 0.1 / (0.7 + 0.1) of 80 patients
    np.testing.assert_array_equal(validation[::2] + 1, validation[1::2])
    assert len(manifest.rows("train")) == 140 and manifest.official == ("train", "test")


def test_missing_test_comes_from_training_by_patient():
    patients = [f"p{number}" for number in range(100)]
    manifest = make_manifest(tables(patients, ["train"] * 90 + ["validation"] * 10))
    assert [len(manifest.rows(name)) for name in SPLITS] == [70, 10, 20]
    only_train = make_manifest(tables(patients, ["train"] * 100))
    assert [len(only_train.rows(name)) for name in SPLITS] == [70, 10, 20]


@pytest.mark.parametrize(
    ("patients", "split", "message"),
    [
        (["a", "b"], None, "2 patients cannot fill 3 splits"),
        (["a", "b", "a"], ["train", "train", "test"], "'test' are in another part.*'a'.*official=False"),
        (["a", "b", "c"], ["train", "val", "test"], "splits .*'val'"),
        (["a", "b", "c"], ["validation", "validation", "test"], "training is needed"),
    ],
)
def test_impossible_splits_are_refused(patients, split, message):
    with pytest.raises(ValueError, match=message):
        make_manifest(tables(patients, split))


@pytest.mark.parametrize("fractions", [(0.7, 0.3), (0.7, 0.1, 0.1), (1.2, -0.1, -0.1), (0.0, 0.5, 0.5)])
def test_wrong_fractions_are_refused(fractions):
    with pytest.raises(ValueError, match="three shares"):
        make_manifest(tables(list("abcd")), fractions=fractions)


def test_rounding_leaves_a_training_patient():
    manifest = make_manifest(tables([f"p{number}" for number in range(10)]), fractions=(0.01, 0.495, 0.495))
    assert len(manifest.rows("train")) == 1


def test_what_is_saved_is_read_back(tmp_path):
    store = make_store(tmp_path / "store")
    manifest = make_manifest(store, seed=3, draws=2)
    manifest.save(tmp_path / "manifest.json")
    loaded = Manifest.load(tmp_path / "manifest.json", store)
    assert loaded.id == manifest.id and loaded.seed == 3
    for name in SPLITS:
        np.testing.assert_array_equal(loaded.rows(name), manifest.rows(name))
    for ratio in (0.01, 0.1, 0.5):
        np.testing.assert_array_equal(loaded.subset(ratio, 1), manifest.subset(ratio, 1))


def test_another_store_is_refused(tmp_path):
    store = make_store(tmp_path / "store")
    make_manifest(store).save(tmp_path / "manifest.json")
    other = make_store(tmp_path / "other", num_studies=11)
    with pytest.raises(ValueError, match=f"{store.id[:12]}.*{other.id[:12]}.*other studies"):
        Manifest.load(tmp_path / "manifest.json", other)
    Manifest.load(tmp_path / "manifest.json").check(store)


def test_files_that_are_no_manifest_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="make_manifest"):
        Manifest.load(tmp_path / "manifest.json")
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(ValueError, match="format 1"):
        Manifest.load(tmp_path / "manifest.json")


def test_wrong_questions_are_refused():
    manifest = make_manifest(tables(list("abcdefgh")))
    with pytest.raises(ValueError, match="'val'.*validation"):
        manifest.rows("val")
    for ratio in (0, 1.5, 10):
        with pytest.raises(ValueError, match="1 % is 0.01"):
            manifest.subset(ratio)
    with pytest.raises(ValueError, match="Draw 5"):
        manifest.subset(0.1, draw=5)


def test_flagged_studies_are_in_no_split_and_the_others_stay_where_they_were():
    patients = [f"p{number}" for number in range(40)]
    store = tables(patients, flags=[(3, "inverted", ""), (7, "rotated", ""), (9, "blank", "")])
    whole = make_manifest(store, seed=2)
    left = make_manifest(store, seed=2, leave_out=["rotated", "inverted"])
    assert left.left_out == ("inverted", "rotated")
    assert left.split[[3, 7]].tolist() == [UNUSED, UNUSED]
    others = np.setdiff1d(np.arange(40), [3, 7])
    np.testing.assert_array_equal(left.split[others], whole.split[others])
    assert not {3, 7} & set(left.subset(1.0).tolist())
    assert left.id != whole.id


def test_a_manifest_says_what_it_left_out(tmp_path):
    store = tables([f"p{number}" for number in range(10)], flags=[(3, "inverted", "")])
    manifest = make_manifest(store, leave_out=["inverted"])
    manifest.save(tmp_path / "split.json")
    assert Manifest.load(tmp_path / "split.json").left_out == ("inverted",)


def test_an_unknown_flag_is_named():
    with pytest.raises(ValueError, match="no flag 'upside_down'; there are identical"):
        make_manifest(tables(["a", "b", "c", "d"]), leave_out=["upside_down"])


def test_patients_that_share_a_picture_stay_together():
    patients = [f"p{number}" for number in range(60)]
    flags = [(10, "identical", "0"), (20, "near_identical", "10"), (31, "mirrored", "30"), (40, "blank", "")]
    for seed in range(20):
        manifest = make_manifest(tables(patients, flags=flags), seed=seed)
        assert len(set(manifest.split[[0, 10, 20]])) == 1
        assert manifest.split[30] == manifest.split[31]
        for ratio in (0.05, 0.3):
            chosen = set(manifest.subset(ratio).tolist())
            assert len(chosen & {0, 10, 20}) in (0, 3)


def test_an_official_split_is_kept_even_where_a_picture_is_on_both_sides():
    split = ["train"] * 8 + ["test"] * 4
    manifest = make_manifest(tables(list("abcdefghijkl"), split, [(9, "identical", "0")]))
    assert (manifest.split[8:] == SPLITS.index("test")).all()
    assert manifest.split[0] in (0, 1)
