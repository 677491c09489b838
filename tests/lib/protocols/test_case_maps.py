"""Maps of marked cases: which cases there are, what is kept of them, and how they are read again."""

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_marked import MarkedStudies

from lib.data.augment import evaluation_view, normalize
from lib.data.ingest import ingest
from lib.data.store import Store
from lib.explain.explain import explain
from lib.explain.frame import Frame
from lib.models.radiograph_transformer import RadiographTransformer
from lib.objectives.label_classifier import LabelClassifier
from lib.protocols.case_maps import CaseMaps, compute_case_maps, find_cases

TARGETS = ["device", "opacity"]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("marked")
    return ingest(MarkedStudies(40), folder / "store", image_size=36, workers=0, progress=False)


@pytest.fixture(scope="module")
def frontal(store) -> np.ndarray:
    return np.flatnonzero(store.views["position"] == "PA")


@pytest.fixture(scope="module")
def classifier(store) -> LabelClassifier:
    torch.manual_seed(0)
    encoder = RadiographTransformer(32, 8, width=16, depth=1, num_heads=2, mlp_width=32)
    columns = [store.label_names.index(name) for name in TARGETS]
    classifier = LabelClassifier(encoder, "multi_label", columns, "batch").eval()
    torch.nn.init.normal_(classifier.head.weight)
    return classifier


@pytest.fixture(scope="module")
def maps(store, frontal, classifier) -> CaseMaps:
    frame = Frame(36, 32)
    return compute_case_maps(classifier, store, frontal, TARGETS, frame=frame, about={"run": "tiny"})


def test_a_case_is_a_view_and_a_finding_that_somebody_marked(store, frontal):
    cases = find_cases(store, frontal, TARGETS)
    boxes = store.boxes[store.boxes["view_row"].isin(frontal) & store.boxes["finding"].isin(TARGETS)]
    expected = sorted(set(zip(boxes["view_row"], boxes["finding"], strict=True)))
    assert list(zip(cases["view_row"], cases["finding"], strict=True)) == expected
    assert (cases["label"] == 1).all() and 10 < len(cases) < 2 * len(frontal)
    studies = store.studies.iloc[cases["study_row"]]
    assert cases["patient_id"].tolist() == studies["patient_id"].tolist()
    assert cases["view_id"].tolist() == store.views["view_id"].iloc[cases["view_row"]].tolist()


def test_labelled_views_without_a_box_are_cases_when_asked_for(store, frontal):
    view = frontal[3]
    without = Store(store.path)
    without.boxes = store.boxes[store.boxes["view_row"] != view]
    marked, labelled = (find_cases(without, frontal, TARGETS, marked=one) for one in (True, False))
    assert view not in set(marked["view_row"])
    labels = store.labels[store.views["study_row"].to_numpy()[frontal]]
    assert len(labelled) == (labels[:, [0, 1]] == 1).sum()


def test_maps_and_probabilities_are_those_of_each_picture_alone(store, classifier, maps):
    for row in (0, 7, len(maps) - 1):
        case = maps.cases.iloc[row]
        pixels = torch.tensor(store.images[case["view_row"]])[None, None]
        picture = normalize(evaluation_view(pixels, 32))
        place = TARGETS.index(case["finding"])
        alone = explain(classifier, picture, "cam", targets=torch.tensor([place]))[0].numpy()
        assert case["peak"] == pytest.approx(alone.max(), rel=1e-4)
        np.testing.assert_allclose(maps.maps[row].astype(float) * case["peak"], alone, rtol=1e-3)
        with torch.no_grad():
            pooled = classifier.norm(classifier.encoder(picture).pooled)
            probability = classifier.head(pooled).sigmoid()[0, place]
        assert case["probability"] == pytest.approx(float(probability), abs=1e-6)


def test_what_is_kept_is_read_again(maps, tmp_path):
    maps.save(tmp_path / "maps.parquet")
    again = CaseMaps.load(tmp_path / "maps.parquet")
    pd.testing.assert_frame_equal(again.cases, maps.cases)
    assert np.array_equal(again.maps, maps.maps) and again.maps.dtype == np.float16
    assert (again.frame, again.about) == (maps.frame, maps.about)
    assert again.about["run"] == "tiny" and again.about["method"] == "cam"


def test_another_table_is_no_case_maps(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(ValueError, match=r"other.parquet holds no maps; delete it"):
        CaseMaps.load(tmp_path / "other.parquet")


def test_some_cases_keep_their_maps(maps):
    is_device = (maps.cases["finding"] == "device").to_numpy()
    for kept in (maps.where(is_device), maps.where(np.flatnonzero(is_device))):
        assert set(kept.cases["finding"]) == {"device"} and kept.cases.index.tolist() == list(
            range(len(kept))
        )
        assert np.array_equal(kept.maps, maps.maps[is_device])
    assert len(maps.where(np.zeros(len(maps), bool))) == 0


def test_a_laid_map_covers_the_picture_and_reaches_one(maps):
    row = int(maps.cases["peak"].to_numpy().argmax())
    laid = maps.laid(row, smoothing=1.5)
    assert laid.shape == (36, 36) and laid.max() == pytest.approx(1)
    assert not laid[:2].any() and not laid[:, -2:].any()  # beside the crop


def test_what_the_classifier_does_not_know_is_named(store, frontal, classifier):
    options = {"frame": Frame(36, 32)}
    with pytest.raises(ValueError, match=r"does not know rare; it knows device, opacity"):
        compute_case_maps(classifier, store, frontal, TARGETS, findings=["rare"], **options)
    bare = np.setdiff1d(frontal, store.boxes["view_row"])
    with pytest.raises(ValueError, match=r"None of these \d+ views of .* has a box of device"):
        compute_case_maps(classifier, store, bare, TARGETS, findings=["device"], **options)
