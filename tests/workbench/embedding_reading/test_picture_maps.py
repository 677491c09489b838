"""Maps of single pictures: those of the model itself, computed when asked for and not twice."""

import numpy as np
import pytest
import torch
from tiny_atlas import make_atlas

from lib.data.augment import center_crop, normalize
from lib.data.ingest import ingest
from lib.explain.boxes import scale_maps
from lib.explain.explain import explain
from lib.models.heads import Classifier
from tests.tiny_studies import TinyStudies
from workbench.embedding_reading import picture_maps
from workbench.embedding_reading.checkpoints import find_checkpoints
from workbench.embedding_reading.picture_maps import PictureMaps
from workbench.locating import open_classifier
from workbench.reopen import load_objective, open_data

pytestmark = pytest.mark.usefixtures("one_thread", "roots")

PLACES = [7, 2, 40]


def maps_of(atlas, name) -> PictureMaps:
    return PictureMaps(find_checkpoints([name])[0], atlas.pictures, device="cpu")


@pytest.fixture
def images(convirt, atlas):
    store, _ = open_data(convirt.run)
    rows = atlas.pictures.table["view_row"].to_numpy()[PLACES]
    return normalize(center_crop(torch.from_numpy(np.asarray(store.images)[rows])[:, None], 32))


def test_maps_of_a_fine_tuning_are_those_of_its_classifier(atlas, tuned, images):
    maps = maps_of(atlas, tuned.id)
    assert maps.findings == ["opacity", "device"] and {"cam", "relevance", "rollout"} <= set(maps.methods)
    classifier = open_classifier(tuned).classifier
    for method in ("cam", "relevance"):
        expected = explain(classifier, images, method, targets=torch.tensor([1, 1, 1])).numpy()
        found = maps.maps(PLACES, method, "device")
        np.testing.assert_allclose([one.values for one in found], scale_maps(expected), atol=1e-5)
        assert [one.is_zero for one in found] == [not one.any() for one in expected]
        with torch.no_grad():
            logits = Classifier.forward(classifier, images)
        known = [one.probability for one in found]
        np.testing.assert_allclose(known, logits.sigmoid()[:, 1].numpy(), atol=1e-5)
    assert all(one.probability is None for one in maps.maps(PLACES, "eigen_cam", "device"))


def test_a_pre_training_has_the_maps_that_look_at_no_finding(convirt, atlas, images):
    maps = maps_of(atlas, convirt.run.id)
    assert maps.findings == [] and maps.methods == ["attention", "eigen_cam", "rollout"]
    double = Classifier(load_objective(convirt.run).encoder, 1).eval()
    for method in maps.methods:
        expected = explain(double, images, method, targets=torch.zeros(3, dtype=torch.long)).numpy()
        found = [one.values for one in maps.maps(PLACES, method)]
        np.testing.assert_allclose(found, scale_maps(expected), atol=1e-5)
    before = maps_of(atlas, f"{convirt.run.id}@initial").maps(PLACES, "rollout")
    assert np.abs(before[0].values - found[0]).max() > 0.001  # those of the weights that were asked for


def test_only_what_was_not_seen_is_computed(convirt, atlas, monkeypatch):
    asked = []

    def count(model, images, *rest, **options):
        asked.append(len(images))
        return explain(model, images, *rest, **options)

    monkeypatch.setattr(picture_maps, "explain", count)
    maps = maps_of(atlas, convirt.run.id)
    assert maps.maps([], "rollout") == [] and asked == []
    first = maps.maps([3, 5, 3], "rollout")
    assert asked == [2] and first[0] is first[2]
    again = maps.maps([5, 9], "rollout")
    assert asked == [2, 1] and again[0] is first[1]
    maps.maps([3], "rollout", "a finding that this method does not look at")
    assert asked == [2, 1]


def test_a_map_lies_where_the_model_looked(convirt, atlas):
    maps = maps_of(atlas, convirt.run.id)
    (one,) = maps.maps([4], "rollout")
    laid = maps.laid(4, one)
    assert laid.shape == (36, 36) and laid.max() == pytest.approx(1)
    assert not laid[:2].any() and not laid[:, -2:].any()  # beside the crop of 32
    row, column = np.unravel_index(one.values.argmax(), one.values.shape)
    peak = np.unravel_index(laid.argmax(), laid.shape)
    assert abs(peak[0] - (2 + 8 * row + 3.5)) <= 4 and abs(peak[1] - (2 + 8 * column + 3.5)) <= 4


def test_what_does_not_fit_is_said(convirt, atlas, tuned):
    with pytest.raises(ValueError, match="no map by 'cam'; it has attention, eigen_cam, rollout"):
        maps_of(atlas, convirt.run.id).maps([1], "cam")
    with pytest.raises(ValueError, match="does not know 'Edema'; it knows opacity, device"):
        maps_of(atlas, tuned.id).maps([1], "cam", "Edema")


def test_pictures_of_two_stores_lie_each_on_its_own(convirt, tmp_path):
    ingest(TinyStudies(20, seed=8), tmp_path / "wide", image_size=48, workers=0, progress=False)
    stores = [convirt.made.store, str(tmp_path / "wide")]
    atlas = make_atlas(convirt.run, weights=("",), stores=stores)
    last = len(atlas.pictures) - 1
    maps = PictureMaps(atlas.checkpoints[0], atlas.pictures, device="cpu")
    found = maps.maps([last, 0], "rollout")
    assert maps.laid(last, found[0]).shape == (48, 48) and maps.laid(0, found[1]).shape == (36, 36)
    np.testing.assert_array_equal(maps.maps([0], "rollout")[0].values, found[1].values)
