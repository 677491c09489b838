"""Manifests beside a store: each plan has its own name, and what lies there is never overwritten."""

import shutil

import numpy as np
import pytest
from tiny_flags import flag_views
from tiny_studies import TinyStudies

from lib.data.ingest import ingest
from lib.data.splits import Manifest, make_manifest
from lib.data.store import Store
from workbench.manifests import OtherManifest, SplitPlan, freeze_manifest, has_own_split, manifest_path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "tiny"
    ingest(TinyStudies(60), path, image_size=36, workers=0, progress=False)
    flag_views(path, {0: "inverted", 5: "blank", 20: "inverted"})
    return path


@pytest.fixture
def store(made, tmp_path):
    shutil.copytree(made, tmp_path / "tiny")
    return Store(tmp_path / "tiny")


def name_of(store, **values):
    return (
        SplitPlan(**values).path(store).name.removeprefix("tiny.split-").removesuffix(f"-{store.id[:8]}.json")
    )


def test_the_defaults_are_those_of_make_manifest(store):
    assert SplitPlan().make(store).id == make_manifest(store).id
    assert SplitPlan(seed=3).path(store) == manifest_path(store, 3)


def test_the_name_says_what_differs_from_the_default(store):
    assert name_of(store) == "0"
    assert name_of(store, seed=7, official=False) == "7"  # no split of its own to keep
    assert name_of(store, shares=(80, 10, 10)) == "0-80-10-10"
    assert name_of(store, leave_out=("blank", "inverted")) == "0-without-inverted-blank"
    assert name_of(store, seed=7, leave_out=("blank",), name="mine") == "mine"
    store.studies["split"] = "train"
    assert has_own_split(store)
    assert name_of(store, official=False) == "0-drawn"


def test_flagged_studies_are_in_no_split(store):
    manifest = SplitPlan(leave_out=("inverted",)).save(store)
    flagged = store.views["study_row"].to_numpy()[[0, 20]]
    assert np.flatnonzero(manifest.split < 0).tolist() == sorted(set(flagged.tolist()))
    assert Manifest.load(SplitPlan(leave_out=("inverted",)).path(store), store).left_out == ("inverted",)
    assert freeze_manifest(store, 0, ["inverted"]).id == manifest.id != freeze_manifest(store, 0).id


def test_the_same_again_is_left_alone_and_another_one_is_refused(store):
    plan = SplitPlan(name="mine")
    plan.save(store)
    before = plan.path(store).stat().st_mtime_ns
    assert plan.save(store).id == SplitPlan().make(store).id
    other = SplitPlan(name="mine", seed=1)
    with pytest.raises(OtherManifest, match=r"tiny.split-mine-\w{8}.json is there already .* kept"):
        other.save(store)
    assert plan.path(store).stat().st_mtime_ns == before
    assert other.load_or_save(store).seed == 0  # what lies there, whatever made it


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"shares": (70, 10, 25)},
            r"70 \+ 10 \+ 25 = 105: the shares of train, validation, test must make 100",
        ),
        ({"shares": (0, 50, 50)}, "training above 0"),
        ({"name": "../mine"}, "name '../mine' is no file name"),
        ({"name": "a b"}, "name 'a b' is no file name"),
        ({"leave_out": ("odd",)}, "no flag 'odd'"),
    ],
)
def test_what_gives_no_manifest_is_refused_and_writes_nothing(store, values, message):
    with pytest.raises(ValueError, match=message):
        SplitPlan(**values).load_or_save(store)
    assert [path.name for path in store.path.parent.glob("*.json")] == []
