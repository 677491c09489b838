"""Which views a pre-training takes: no other is read in training, or shown as one of its pictures."""

import shutil

import numpy as np
import pytest

from lib.data.store import Store
from lib.protocols.targets import studies_in_positions
from workbench.batch_similarity import batch_similarity
from workbench.pair_examples import example_pairs
from workbench.plan import plan
from workbench.reopen import open_data
from workbench.train import pretrain
from workbench.view_choice import studies_seen

pytestmark = pytest.mark.usefixtures("one_thread")

FEW = (
    "train.steps=3",
    "train.validate_every=3",
    "train.checkpoint_every=3",
    "train.log_every=1",
    "optimizer.warmup_steps=1",
)


@pytest.fixture(scope="module")
def lateral(convirt, tmp_path_factory):
    """Return a ConVIRT of a few steps that takes lateral views, which half of the studies have."""
    folder = tmp_path_factory.mktemp("lateral")
    return pretrain(
        convirt.made.recipe, [*FEW, "loader.positions=[LATERAL]"], root=folder / "runs", progress=False
    )


def test_other_views_are_never_read(convirt, tmp_path):
    store = shutil.copytree(convirt.made.store, tmp_path / "source")
    is_lateral = (Store(store).views["position"] == "LATERAL").to_numpy()
    assert 0.2 < is_lateral.mean() < 0.8
    images = np.load(store / "images.npy", mmap_mode="r+")
    images[is_lateral] = 0
    images.flush()

    def losses(number: int, *overrides: str) -> list[float]:
        root = tmp_path / f"runs{number}"
        run = pretrain(convirt.made.recipe, [*FEW, *overrides], root=root, progress=False)
        return run.metrics()["loss"].tolist()

    spoilt = f"store={store}"
    assert losses(0, "loader.positions=[PA]") == losses(1, "loader.positions=[PA]", spoilt)
    assert losses(2) != losses(3, spoilt)


def test_studies_without_such_a_view_are_left_out(lateral):
    store, manifest = open_data(lateral)
    for split, name in (("train", "num_train_studies"), ("validation", "num_validation_studies")):
        rows = manifest.rows(split)
        expected = studies_in_positions(store, rows, ["LATERAL"])
        np.testing.assert_array_equal(studies_seen(lateral.config, store, rows), expected)
        assert 0 < lateral.result()[name] == len(expected) < len(rows)


def test_pictures_of_the_training_are_of_these_views(lateral):
    store, _ = open_data(lateral)
    pairs = [pair for example in example_pairs(lateral.config, count=4) for pair in example.pairs]
    assert len(pairs) == 16
    assert {store.views["position"].iloc[pair.view_row] for pair in pairs} == {"LATERAL"}
    shown = batch_similarity(lateral).study_ids
    rows = np.flatnonzero(store.studies["study_id"].isin(shown))
    assert len(studies_seen(lateral.config, store, rows)) == len(rows) == len(shown)


def test_an_unknown_position_is_refused_by_its_name(convirt):
    with pytest.raises(ValueError, match=r"loader\.positions 'FRONT' is no position .*PA, AP, FRONTAL"):
        plan(convirt.made.recipe, ["loader.positions=[FRONT]"])


def test_visual_words_choose_their_own_views():
    with pytest.raises(ValueError, match="visual words lie in frontal views"):
        plan("baselines/transvw_phantom", ["loader.positions=[PA]"])
