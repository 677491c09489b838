"""Deletion and insertion of cases: a map of what a classifier uses beats its own shuffled places."""

import numpy as np
import pytest
import torch
from tiny_marked import MarkedStudies

from lib.data.ingest import ingest
from lib.data.store import Store
from lib.explain.boxes import scale_maps
from lib.explain.frame import Frame
from lib.objectives.label_classifier import LabelClassifier
from lib.protocols.case_maps import CaseMaps, find_cases
from lib.protocols.faithfulness import COLUMNS, judge_faithfulness, summarise_faithfulness

SIZE, TARGETS = 36, ["device", "opacity"]


class Corner(torch.nn.Module):
    """An encoder of two features: how bright the two upper corners are."""

    width = 2

    def forward(self, images):
        from lib.models.encoder import EncoderOutput

        bright = torch.stack([images[:, 0, :15, 21:], images[:, 0, :15, :15]]).mean((2, 3)).T  # [N, 2]
        return EncoderOutput(bright[:, None], bright)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("marked")
    return ingest(MarkedStudies(60), folder / "store", image_size=SIZE, workers=0, progress=False)


@pytest.fixture(scope="module")
def classifier(store) -> LabelClassifier:
    columns = [store.label_names.index(name) for name in TARGETS]
    classifier = LabelClassifier(Corner(), "multi_label", columns).eval()
    torch.nn.init.eye_(classifier.head.weight)
    return classifier


@pytest.fixture(scope="module")
def maps(store) -> CaseMaps:
    """Return maps that show the corner that is used, on a grid of 4 x 4."""
    cases = find_cases(store, np.flatnonzero(store.views["position"] == "PA"), TARGETS)
    values = np.zeros((len(cases), 4, 4))
    for row, finding in enumerate(cases["finding"]):
        values[row, :2, slice(2, 4) if finding == "device" else slice(0, 2)] = 1
    cases = cases.assign(probability=0.5, peak=1.0)
    return CaseMaps(cases, scale_maps(values).astype(np.float16), Frame(SIZE, SIZE), {})


def test_a_true_map_beats_its_shuffled_places(store, classifier, maps):
    cases = judge_faithfulness(classifier, store, maps, TARGETS, limit=40, steps=8)
    assert len(cases) == 40 and not cases.duplicated(["view_row", "finding"]).any()
    summary = summarise_faithfulness(cases, replicates=200)
    assert summary["num_cases"] == 40
    assert summary["deletion - shuffled"]["high"] < 0 < summary["insertion - shuffled"]["low"]
    difference = (cases["deletion"] - cases["shuffled_deletion"]).mean()
    assert summary["deletion - shuffled"]["estimate"] == pytest.approx(difference, abs=1e-6)


def test_a_map_of_the_other_corner_loses(store, classifier, maps):
    swapped = CaseMaps(maps.cases, maps.maps[:, :, ::-1].copy(), maps.frame, {})
    summary = summarise_faithfulness(judge_faithfulness(classifier, store, swapped, TARGETS), replicates=200)
    assert summary["num_cases"] == len(maps)  # fewer than the limit
    assert summary["deletion - shuffled"]["low"] > 0 > summary["insertion - shuffled"]["high"]


def test_curves_are_kept_and_areas_are_those_under_them(store, classifier, maps):
    cases = judge_faithfulness(classifier, store, maps, TARGETS, limit=20, steps=5)
    summary = summarise_faithfulness(cases, replicates=200)
    assert summary["shares"] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert summary["num_patients"] == cases["patient_id"].nunique()
    for name in COLUMNS:
        points = cases[[f"{name}@{share:g}" for share in summary["shares"]]].to_numpy()
        np.testing.assert_allclose(cases[name], np.trapezoid(points, dx=0.2, axis=1), rtol=1e-5)
        curve = summary["curves"][name]
        np.testing.assert_allclose(curve["estimate"], points.mean(axis=0), atol=1e-6)
        assert (np.array(curve["low"]) <= curve["estimate"]).all()
        assert (np.array(curve["high"]) >= curve["estimate"]).all()
    # The whole picture and the blurred one know no map.
    for first, second in (("deletion@0", "shuffled_deletion@0"), ("deletion@1", "insertion@0")):
        np.testing.assert_allclose(cases[first], cases[second], rtol=1e-5)


def test_the_same_seed_draws_the_same_cases(store, classifier, maps):
    one, again = (judge_faithfulness(classifier, store, maps, TARGETS, limit=10) for _ in range(2))
    assert one.equals(again)
