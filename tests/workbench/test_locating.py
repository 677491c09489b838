"""Locating: a finished fine-tuning looks at marked pictures once, and what is bad input is said."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml
from tiny_marked import MarkedStudies
from tiny_studies import TinyStudies
from tiny_world import ENCODER

from lib.data.audit import LeakFound
from lib.data.ingest import ingest
from lib.protocols.case_maps import CaseMaps, predict_images, show
from workbench.box_reading.faithful import kept_faithfulness
from workbench.locate_command import describe_located, do_locate
from workbench.located_files import faithful_file
from workbench.locating import frame_of, locate, locate_maps, open_classifier
from workbench.runs import Run
from workbench.train import finetune

pytestmark = pytest.mark.usefixtures("one_thread")

OPTIONS = {"device": "cpu", "replicates": 100}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a marked store, another one, one without boxes, and a recipe."""
    folder = tmp_path_factory.mktemp("locating")
    options = {"image_size": 36, "workers": 0, "progress": False}
    ingest(MarkedStudies(160, False), folder / "marked", **options)
    # With reports they are data sets of another name, whose ids say nothing about these patients.
    ingest(MarkedStudies(60, seed=5), folder / "other", **options)
    ingest(TinyStudies(60, seed=6), folder / "bare", **options)
    recipe = {
        "task": "finetune",
        "store": str(folder / "marked"),
        "encoder": {"name": "radiograph_transformer", **ENCODER},
        "finetune": {"targets": ["opacity", "device"], "batch_size": 16, "feature_norm": "batch"},
        "train": {"steps": 60, "validate_every": 60, "log_every": 60},
        "augment": {"crop_size": 32, "flip": 0.0, "rotation": 0.0},
        "optimizer": {"name": "adamw", "learning_rates": {"image": 3e-3}, "warmup_steps": 3},
    }
    (folder / "tiny.yaml").write_text(yaml.safe_dump(recipe))
    return folder


@pytest.fixture(scope="module")
def run(place) -> Run:
    return finetune(str(place / "tiny.yaml"), root=place / "runs", progress=False)


def test_the_opened_classifier_predicts_what_the_run_predicted(run):
    classifier, store, manifest, targets = open_classifier(run)
    assert targets == ["opacity", "device"] and not classifier.training
    table = run.predictions()
    rows = [store.views.index[store.views["view_id"] == name][0] for name in table["view_id"]]
    assert set(store.views["study_row"].iloc[rows]) <= set(manifest.rows("test").tolist())
    probabilities = predict_images(classifier, show(store, np.array(rows), frame_of(run, store))).numpy()
    expected = table[[f"probability/{name}" for name in targets]].to_numpy()
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_maps_are_computed_once_and_read_afterwards(run, monkeypatch):
    first = locate_maps(run, device="cpu")
    path = next((run.folder / "localized").glob("marked-*-test-cam.parquet"))
    assert len(CaseMaps.load(path)) == len(first)
    monkeypatch.setattr("workbench.locating.open_classifier", lambda *_: pytest.fail("computed again"))
    again = locate_maps(run, device="cpu")
    assert np.array_equal(again.maps, first.maps)
    assert again.about["run"] == run.id and again.about["split"] == "test" and again.about["leak"] == ""


def test_only_frontal_pictures_of_the_split_are_looked_at(run):
    maps = locate_maps(run, device="cpu")
    _, store, manifest, _ = open_classifier(run)
    assert set(maps.cases["study_row"]) <= set(manifest.rows("test").tolist())
    assert set(store.views["position"].iloc[maps.cases["view_row"]]) == {"PA"}


def test_a_classifier_that_knows_its_findings_beats_the_center_box(run):
    located = locate(run, **OPTIONS)
    numbers = located.summary["numbers"]["all cases"]
    assert run.result()["auroc"]["estimate"] > 0.9
    assert numbers["iou - center"]["low"] > 0.2 and numbers["pointing - center"]["low"] > 0.1
    # The patches are always in the same place, so no finding is localised.
    assert located.summary["localised"] == [] and "localised cases" not in located.summary["numbers"]
    assert numbers["reader_iou"]["estimate"] == pytest.approx((12 / 14) ** 2, abs=0.02)
    kept = json.loads(next((run.folder / "localized").glob("*-test-cam.json")).read_text())
    assert kept == json.loads(json.dumps(located.summary))
    text = describe_located(located)
    assert f"{len(located.cases)} marked findings" in text and "test split, 2 readers" in text
    assert "chosen on the validation split" in text and "LEAK" not in text


def test_the_threshold_is_chosen_on_other_pictures(run):
    validation = locate_maps(run, split="validation", device="cpu")
    test = locate(run, **OPTIONS)
    assert not set(validation.cases["patient_id"]) & set(test.cases["patient_id"])
    assert set(test.cases["threshold"]) == {test.summary["thresholds"][""]}
    fixed = locate(run, threshold=0.35, **OPTIONS)
    assert set(fixed.cases["threshold"]) == {0.35} and "0.35 of the maximum;" in describe_located(fixed)
    one_each = locate(run, by_finding=True, **OPTIONS)
    assert "by finding (device" in describe_located(one_each)


def test_pictures_that_were_learnt_from_are_called_a_leak(run, capsys):
    do_locate([run.id], root=run.folder.parent, all_splits=True, **OPTIONS)
    tables = capsys.readouterr().out.split("\n\n")
    assert "LEAK: the classifier learnt from these pictures" in tables[0]
    assert "not held out" in tables[1]
    assert "LEAK" not in tables[2] and "not held out" not in tables[2]


def test_faithfulness_is_told_when_asked_for(run):
    located = locate(run, faithful=12, **OPTIONS)
    assert located.summary["faithfulness"]["num_cases"] == 12
    assert "area under the curve of 12 cases: deletion" in describe_located(located)


def test_faithfulness_outlives_another_judgement(run):
    judged = {"model": locate(run, **OPTIONS)}
    about = judged["model"].maps.about
    faithful_file(run, about).unlink(missing_ok=True)
    said = kept_faithfulness([run], judged)["model"]
    assert f"`workbench locate {run.id} --faithful 100`" in said
    expected = locate(run, faithful=9, findings=["device"], **OPTIONS).summary["faithfulness"]
    again = locate(run, threshold=0.4, **OPTIONS)
    assert "faithfulness" not in again.summary
    kept = kept_faithfulness([run], {"model": again})["model"]
    assert kept["num_cases"] == 9 and kept["findings"] == ["device"] and kept["split"] == "test"
    assert kept["curves"] == json.loads(json.dumps(expected["curves"]))


def test_the_command_for_faithfulness_is_that_of_the_maps(run, place):
    options = {"store": str(place / "other"), "split": "validation", "method": "relevance"}
    judged = {"model": locate(run, **options, **OPTIONS), "broken": "cannot be judged"}
    said = kept_faithfulness([run], judged, store=options["store"])
    command = f"{run.id} --method relevance --split validation --store {place / 'other'} --faithful 100`"
    assert command in said["model"] and said["broken"] == "cannot be judged"
    layer = {"model": locate(run, method="attention", layer=0, **OPTIONS)}
    assert "set layer to -1" in kept_faithfulness([run], layer)["model"]


def test_findings_and_readers_can_be_chosen(run):
    located = locate(run, findings=["device"], readers=["R2"], **OPTIONS)
    assert set(located.cases["finding"]) == {"device"} and located.summary["readers"] == ["R2"]
    assert located.summary["num_unmarked"] == (located.cases["num_readers"] == 0).sum() > 0
    assert "cases have no box left" in describe_located(located)


def test_another_store_is_judged_and_audited(run, place):
    located = locate(run, store=str(place / "other"), **OPTIONS)
    assert located.summary["store"] == "other" and located.maps.about["store"] == "other"
    assert len(list((run.folder / "localized").glob("other-*-test-cam.json"))) == 1
    ingest(MarkedStudies(150, False), place / "same", image_size=36, workers=0, progress=False)
    with pytest.raises(LeakFound):
        locate(run, store=str(place / "same"), **OPTIONS)


def test_maps_of_zeros_are_counted_and_said(run, place):
    copy = place / "zeros" / run.id
    shutil.copytree(run.folder, copy, ignore=shutil.ignore_patterns("localized"))
    from safetensors.torch import load_file, save_file

    path = copy / "checkpoints" / "best.safetensors"
    weights = load_file(path)
    weights["head.weight"] = torch.zeros_like(weights["head.weight"])
    save_file(weights, path)
    located = locate(Run(copy), **OPTIONS)
    assert located.summary["num_zero_maps"] == len(located.cases)
    assert f"{len(located.cases)} maps are zero everywhere" in describe_located(located)


def test_bad_input_is_said(run, place):
    with pytest.raises(ValueError, match=r"does not know rare; it knows opacity, device"):
        locate(run, findings=["rare"], **OPTIONS)
    with pytest.raises(ValueError, match=r"None of these \d+ views of .*bare has a box of opacity, device"):
        locate(run, store=str(place / "bare"), **OPTIONS)
    with pytest.raises(ValueError, match=r"Nobody called R9 marked boxes"):
        locate(run, readers=["R9"], **OPTIONS)
    with pytest.raises(ValueError, match=r"threshold 1.5 is not above 0 and at most 1"):
        locate(run, threshold=1.5, **OPTIONS)
    with pytest.raises(ValueError, match=r"faithful is -3; give a number of cases"):
        locate(run, faithful=-3, **OPTIONS)
    with pytest.raises(ValueError, match=r"no attention|There is no"):
        locate(run, method="attention", layer=7, **OPTIONS)
    with pytest.raises(ValueError, match=r"Split 'tests' is not one of"):
        locate(run, split="tests", **OPTIONS)
    with pytest.raises(FileNotFoundError, match=r"nowhere is not a store"):
        locate(run, store=str(place / "nowhere"), **OPTIONS)


def test_only_a_finished_fine_tuning_has_findings_to_look_for(run, place, convirt):
    with pytest.raises(ValueError, match=r"is no fine-tuning, its task is 'pretrain'"):
        open_classifier(convirt.run)
    copy = place / "unfinished" / run.id
    shutil.copytree(run.folder, copy)
    (copy / "status.json").write_text('{"status": "failed", "reason": ""}')
    with pytest.raises(ValueError, match=r"is failed, not finished"):
        locate_maps(Run(copy), device="cpu")
