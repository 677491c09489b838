"""Judged cases: every number equals that of the definition, reader by reader; baselines and readers too."""

import itertools

import numpy as np
import pandas as pd
import pytest
from tiny_marked import PATCHES, MarkedStudies

from lib.data.ingest import ingest
from lib.data.store import Store
from lib.explain.boxes import boxes_of_map, scale_maps
from lib.explain.frame import Frame
from lib.metrics.box_overlap import covered_areas, pairwise_iou
from lib.metrics.localization import contrast_to_noise, draw_boxes, map_iou, pointing
from lib.protocols.box_truth import CORNERS, BlindBoxes, ReaderBoxes
from lib.protocols.case_maps import CaseMaps, find_cases
from lib.protocols.localization import BoxRule, choose_thresholds, judge_cases, sweep_thresholds
from lib.protocols.localization_summary import localised_findings, summarise

FINDINGS = ["opacity", "device"]
SIZE = 36


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("marked")
    return ingest(MarkedStudies(60), folder / "store", image_size=SIZE, workers=0, progress=False)


@pytest.fixture(scope="module")
def views(store) -> np.ndarray:
    return np.flatnonzero(store.views["position"] == "PA")


def maps_of(store: Store, views: np.ndarray, make) -> CaseMaps:
    """Return maps `make(case)` on a grid of 8 x 8 over the whole picture."""
    cases = find_cases(store, views, FINDINGS)
    values = np.stack([make(case) for case in cases.itertuples()])
    cases = cases.assign(probability=0.5, peak=values.max((1, 2)))
    about = {"method": "cam", "targets": FINDINGS}
    return CaseMaps(cases, scale_maps(values).astype(np.float16), Frame(SIZE, SIZE), about)


@pytest.fixture(scope="module")
def noise(store, views) -> CaseMaps:
    random = np.random.default_rng(0)
    return maps_of(store, views, lambda case: random.random((8, 8)))


@pytest.fixture(scope="module")
def truth(store, noise) -> ReaderBoxes:
    return ReaderBoxes.of(store, noise.cases)


@pytest.fixture(scope="module")
def blind(store, views) -> BlindBoxes:
    return BlindBoxes.learn(store, views, FINDINGS)


@pytest.fixture(scope="module")
def judged(noise, truth, blind) -> pd.DataFrame:
    return judge_cases(noise, truth, blind, {"": 0.7, "device": 0.5}, BoxRule(smoothing=1.0, min_area=3))


def test_readers_have_their_own_boxes(store, noise, truth):
    boxes = store.boxes
    for case, readers in zip(noise.cases.itertuples(), truth.by_case, strict=True):
        own = boxes[(boxes["view_row"] == case.view_row) & (boxes["finding"] == case.finding)]
        assert {name: marked.tolist() for name, marked in readers.items()} == {
            name: group[CORNERS].to_numpy().tolist() for name, group in own.groupby("reader")
        }
    assert {len(readers) for readers in truth.by_case} == {1, 2}
    only = ReaderBoxes.of(store, noise.cases, ["R2"])
    assert {tuple(readers) for readers in only.by_case} == {(), ("R2",)}
    with pytest.raises(ValueError, match=r"Nobody called R7 marked boxes of .*; there are: R1, R2"):
        ReaderBoxes.of(store, noise.cases, ["R7"])


def test_boxes_beside_the_picture_are_counted_and_left_out(store, noise):
    case = noise.cases.iloc[0]
    other = Store(store.path)
    row = {"view_row": case["view_row"], "view_id": case["view_id"], "finding": case["finding"]}
    beside = row | {"x0": 40.0, "y0": 1.0, "x1": 50.0, "y1": 9.0, "reader": "R8"}
    over = row | {"x0": 30.0, "y0": -4.0, "x1": 50.0, "y1": 9.0, "reader": "R9"}
    other.boxes = pd.concat([store.boxes, pd.DataFrame([beside, over])], ignore_index=True)
    found = ReaderBoxes.of(other, noise.cases)
    assert found.num_outside == 1 and "R8" not in found.by_case[0]
    assert found.by_case[0]["R9"].tolist() == [[30, 0, 36, 9]]


def test_every_number_of_a_case_is_the_mean_over_its_readers(noise, truth, judged):
    for row in (0, 5, 11):
        threshold = 0.5 if noise.cases["finding"][row] == "device" else 0.7
        values = noise.laid(row, smoothing=1.0)
        found = boxes_of_map(values, threshold, min_area=3).corners
        numbers = []
        for marked in truth.by_case[row].values():
            inside, areas = draw_boxes(marked, SIZE), covered_areas(found, marked)
            numbers.append(
                [
                    areas.iou,
                    areas.iobb,
                    pairwise_iou(found, marked).max(),
                    pointing(values, inside),
                    contrast_to_noise(values, inside),
                    map_iou(values, inside),
                    (pairwise_iou(found, marked) >= 0.1).any(),
                    areas.second / SIZE**2,
                ]
            )
        names = ["iou", "iobb", "best_iou", "pointing", "cnr", "map_iou", "matched@0.1", "marked_area"]
        np.testing.assert_allclose(judged.loc[row, names].astype(float), np.mean(numbers, axis=0))
        assert judged["num_found"][row] == len(found) and judged["threshold"][row] == threshold


def test_readers_agree_as_far_as_their_boxes_overlap(truth, judged):
    for readers, agreement in zip(truth.by_case, judged["reader_iou"], strict=True):
        if len(readers) == 1:
            assert np.isnan(agreement)
        else:
            assert agreement == pytest.approx(covered_areas(readers["R1"], readers["R2"]).iou)


def test_blind_boxes_are_learnt_from_the_boxes_they_are_given(store, views, blind, truth, judged):
    boxes = store.boxes[store.boxes["view_row"].isin(views) & (store.boxes["finding"] == "device")]
    corners = boxes[CORNERS].to_numpy()
    np.testing.assert_allclose(blind.mean["device"][0], corners.mean(0))
    center = blind.center["device"][0]
    np.testing.assert_allclose((center[:2] + center[2:]) / 2, SIZE / 2)
    np.testing.assert_allclose(center[2:] - center[:2], (corners[:, 2:] - corners[:, :2]).mean(0))
    assert blind.num_boxes["device"] == len(corners)
    assert blind.fit["device"] == pytest.approx(pairwise_iou(corners, blind.mean["device"]).mean())
    row = int(np.flatnonzero(judged["finding"] == "device")[0])
    for name, box in (("center", blind.center), ("mean_box", blind.mean)):
        ious = [covered_areas(box["device"], one).iou for one in truth.by_case[row].values()]
        assert judged[f"{name}_iou"][row] == pytest.approx(np.mean(ious))
    assert judged["mean_box_pointing"][row] == 1 and judged["center_pointing"][row] == 0


def test_without_training_boxes_there_is_no_baseline(store, noise, truth):
    blind = BlindBoxes.learn(store, np.zeros(0, int), FINDINGS)
    assert blind.num_boxes == {"opacity": 0, "device": 0} and localised_findings(blind) == []
    judged = judge_cases(noise, truth, blind, {"": 0.5})
    assert judged["mean_box_iou"].isna().all() and judged["iou"].notna().all()
    summary = summarise(judged, replicates=50)["all cases"]
    assert summary["iou - mean_box"]["estimate"] is None and summary["iou"]["estimate"] is not None


def test_the_sweep_is_judging_at_each_threshold(noise, truth, blind):
    thresholds = (0.3, 0.6, 0.9)
    ious = sweep_thresholds(noise, truth, thresholds)
    for column, threshold in enumerate(thresholds):
        expected = judge_cases(noise, truth, blind, {"": threshold})["iou"]
        np.testing.assert_allclose(ious[:, column], expected)


def test_the_best_threshold_is_chosen_for_all_or_for_each():
    ious = np.array([[0.1, 0.5, 0.2], [0.1, 0.4, 0.3], [0.1, 0.0, 0.4], [np.nan] * 3])
    findings, thresholds = ["a", "a", "b", "c"], (0.2, 0.5, 0.8)
    assert choose_thresholds(ious, findings, thresholds) == {"": 0.5, "a": 0.5, "b": 0.5}
    by_finding = choose_thresholds(ious, findings, thresholds, by_finding=True)
    assert by_finding == {"": 0.5, "a": 0.5, "b": 0.8}
    with pytest.raises(ValueError, match="no case with boxes to choose a threshold by"):
        choose_thresholds(ious[3:], findings[3:], thresholds)


def test_a_perfect_map_is_as_good_as_readers_agree(store, views, blind):
    """A map of the very patch: an IoU of 1 with who marked it exactly, and the maximum inside."""
    scale = SIZE / 40

    def make(case) -> np.ndarray:
        return draw_boxes(np.array([PATCHES[case.finding]]) * scale, SIZE).astype(float)

    maps = maps_of(store, views, make)
    judged = judge_cases(maps, ReaderBoxes.of(store, maps.cases, ["R1"]), blind, {"": 0.5})
    assert judged["pointing"].min() == 1 and judged["iou"].min() > 0.85
    assert judged["matched@0.5"].min() == 1 and judged["best_iou"].min() > 0.85


def test_a_map_of_zeros_finds_nothing_and_still_counts(store, views, blind):
    maps = maps_of(store, views, lambda case: np.zeros((8, 8)))
    judged = judge_cases(maps, ReaderBoxes.of(store, maps.cases), blind, {"": 0.5})
    for name in ("iou", "iobb", "pointing", "cnr", "map_iou", "num_found"):
        assert (judged[name] == 0).all()
    summary = summarise(judged, replicates=50)["all cases"]
    assert summary["iou"] == {"estimate": 0.0, "low": 0.0, "high": 0.0}
    assert summary["precision@0.1"]["estimate"] is None  # of no boxes
    assert summary["recall@0.1"]["estimate"] == 0


def test_the_summary_is_the_means_by_finding_and_over_all(judged):
    summary = summarise(judged, ["opacity"], replicates=200)
    by_finding = judged.groupby("finding")
    for name in FINDINGS:
        one, cases = summary["findings"][name], judged[judged["finding"] == name]
        assert one["num_cases"] == len(cases) and one["num_patients"] == cases["patient_id"].nunique()
        assert one["iou"]["estimate"] == pytest.approx(cases["iou"].mean(), abs=1e-6)
        assert one["reader_iou"]["estimate"] == pytest.approx(cases["reader_iou"].mean(), abs=1e-6)
        assert one["iou>0.1"]["estimate"] == pytest.approx((cases["iou"] > 0.1).mean(), abs=1e-6)
        assert one["iou"]["low"] <= one["iou"]["estimate"] <= one["iou"]["high"]
        difference = (cases["pointing"] - cases["center_pointing"]).mean()
        assert one["pointing - center"]["estimate"] == pytest.approx(difference, abs=1e-6)
        precision = cases["matched@0.1"].sum() / cases["num_found"].sum()
        assert one["precision@0.1"]["estimate"] == pytest.approx(precision, abs=1e-6)
        recall = cases["matched@0.1"].sum() / cases["num_marked"].sum()
        assert one["recall@0.1"]["estimate"] == pytest.approx(recall, abs=1e-6)
    means = by_finding["iou"].mean()
    assert summary["all cases"]["iou"]["estimate"] == pytest.approx(judged["iou"].mean(), abs=1e-6)
    assert summary["mean of findings"]["iou"]["estimate"] == pytest.approx(means.mean(), abs=1e-6)
    for key in ("localised cases", "mean of localised findings"):
        assert summary[key]["iou"] == pytest.approx(summary["findings"]["opacity"]["iou"], abs=0.02)


def test_a_case_that_nobody_marked_counts_nowhere(noise, truth, blind):
    some = [readers if row else {} for row, readers in enumerate(truth.by_case)]
    judged = judge_cases(noise, ReaderBoxes(some, 0), blind, {"": 0.5})
    assert judged.loc[0, ["iou", "pointing", "mean_box_iou"]].isna().all()
    whole, rest = (summarise(one, replicates=50) for one in (judged, judged[1:]))
    for name, value in rest["all cases"].items():
        if isinstance(value, dict):
            assert whole["all cases"][name]["estimate"] == value["estimate"], name


def test_localised_findings_are_those_whose_mean_box_misses():
    blind = BlindBoxes({}, {}, {"heart": 9, "nodule": 9, "none": 0}, {"heart": 0.8, "nodule": 0.1})
    assert localised_findings(blind) == ["nodule"]


def test_pairs_of_three_readers_are_averaged():
    from lib.protocols.box_truth import reader_agreement

    random = np.random.default_rng(0)
    readers = {name: np.sort(random.random((1, 2, 2)), axis=1).reshape(1, 4) * 20 for name in ("a", "b", "c")}
    pairs = itertools.combinations(readers.values(), 2)
    expected = np.mean([pairwise_iou(*pair)[0, 0] for pair in pairs])
    assert reader_agreement(readers) == pytest.approx(expected)
