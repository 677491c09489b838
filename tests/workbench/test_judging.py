"""Judging: a finished pre-training looks at a store once and leaves in its folder what it is worth."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from tiny_pairs import PROMPTS
from tiny_studies import TinyStudies
from tiny_world import ENCODER, SIZES
from typer.testing import CliRunner

from lib.data.audit import LeakFound
from lib.data.ingest import ingest
from lib.data.retrieval_lists import read_chexpert_8x200
from lib.data.store import Store
from lib.protocols.features import Features
from lib.protocols.retrieval import RetrievalConfig
from workbench.chexpert_8x200 import judge_chexpert_8x200
from workbench.cli import app
from workbench.embedded import Opened, embed
from workbench.judging import JudgeConfig, judge_pairs
from workbench.reopen import load_objective, load_tokenizers, open_data
from workbench.runs import Run
from workbench.tables import judgement_table
from workbench.train import pretrain

pytestmark = pytest.mark.usefixtures("one_thread")

RETRIEVAL = RetrievalConfig(num_queries=2, num_candidates=5, ks=[1, 5, 10], recall_ks=[1, 5, 10])


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Return a folder with two stores, prompts, and a recipe of ConVIRT."""
    folder = tmp_path_factory.mktemp("judging")
    ingest(TinyStudies(260), folder / "source", image_size=36, workers=0, progress=False)
    ingest(TinyStudies(200, False, seed=1), folder / "target", image_size=36, workers=0, progress=False)
    (folder / "prompts.yaml").write_text(PROMPTS)
    recipe = {
        "task": "pretrain",
        "store": str(folder / "source"),
        "objective": {
            "name": "convirt",
            "embedding_width": 16,
            "feature_norm": "batch",
            "max_text_tokens": 24,
            "encoder": {"name": "radiograph_transformer", **ENCODER},
            "text": {**SIZES, "pooling": "max", "frozen_layers": "none"},
        },
        "tokenizer": {"vocab_size": 80},
        "loader": {"batch_size": 16},
        "train": {"steps": 120, "validate_every": 120, "checkpoint_every": 120, "log_every": 60},
        "augment": {"crop_size": 32, "flip": 0.0, "rotation": 0.0},
        "optimizer": {"name": "adamw", "learning_rates": {"image": 3e-3, "text": 3e-3}, "warmup_steps": 3},
    }
    (folder / "tiny_convirt.yaml").write_text(yaml.safe_dump(recipe))
    return folder


@pytest.fixture(scope="module")
def run(place) -> Run:
    return pretrain(str(place / "tiny_convirt.yaml"), root=place / "runs", progress=False)


@pytest.fixture
def config(place) -> JudgeConfig:
    return JudgeConfig(
        retrieval=RETRIEVAL, prompts=str(place / "prompts.yaml"), min_positives=1, label_ratios=[0.1, 1.0]
    )


@pytest.fixture(scope="module")
def judged(place, run) -> dict:
    config = JudgeConfig(
        retrieval=RETRIEVAL, prompts=str(place / "prompts.yaml"), min_positives=1, label_ratios=[0.1, 1.0]
    )
    return judge_pairs(run, config=config, device="cpu")


def test_the_result_lies_in_the_run_folder_and_says_what_it_is_of(run, judged):
    assert json.loads((run.folder / "judged" / "source-test.json").read_text()) == judged
    store, manifest = open_data(run)
    assert judged["store_id"] == store.id and judged["manifest_id"] == manifest.id and judged["synthetic"]
    assert (judged["method"], judged["weights"], judged["split"]) == ("convirt", "trained", "test")
    assert judged["num_images"] == len(manifest.rows("test")) and judged["not_judged"] == {}
    assert judged["settings"]["retrieval"]["num_queries"] == 2


def test_every_part_is_judged_on_the_test_split(run, judged):
    _, manifest = open_data(run)
    assert judged["image_image"]["num_candidates"] == 10 and judged["image_image"]["ks_left_out"] == [10]
    text_image = judged["text_image"]
    assert text_image["all"]["num_queries"] == 3 and list(text_image["styles"]) == ["plain", "short"]
    assert set(text_image["styles"]["short"]["by_class"]) == {"opacity"}
    assert judged["study_report"]["num_pairs"] == len(manifest.rows("test"))
    assert judged["study_report"]["text_unit"] == "sentence"  # what ConVIRT learnt from
    assert (
        judged["zero_shot"]["findings"]
        == ["opacity", "device", "rare"][: len(judged["zero_shot"]["findings"])]
    )
    assert judged["zero_shot"]["ensemble"]["num_images"] == judged["num_images"]
    probes = judged["linear_probe"]
    assert list(probes) == ["0.1", "1"]
    assert len(probes["0.1"]["draws"]) == 5 and len(probes["1"]["draws"]) == 1
    assert probes["1"]["auroc"]["estimate"] == pytest.approx(probes["1"]["draws"][0], abs=1e-6)
    assert probes["0.1"]["auroc"]["estimate"] == pytest.approx(np.mean(probes["0.1"]["draws"]), abs=1e-5)
    assert probes["0.1"]["spread"] > 0 and probes["1"]["spread"] is None
    assert probes["0.1"]["num_train_studies"] < probes["1"]["num_train_studies"]


def test_it_learnt_what_can_be_seen(judged):
    assert judged["zero_shot"]["ensemble"]["per_label"]["opacity"]["estimate"] > 0.8
    assert judged["text_image"]["all"]["precision"]["5"]["estimate"] > judged["text_image"]["all"]["chance"]
    assert judged["linear_probe"]["1"]["per_label"]["opacity"]["estimate"] > 0.9


def test_pictures_are_looked_at_once_and_are_those_of_the_objective(run, judged, config):
    kept = sorted(path.name for path in (run.folder / "judged").glob("source-*.npz"))
    assert len(kept) == 2 and kept[0].endswith("-PA-AP-FRONTAL-features.npz")
    assert kept[1].endswith("-test-embeddings.npz")
    before = {name: (run.folder / "judged" / name).stat().st_mtime_ns for name in kept}
    assert judge_pairs(run, config=config, device="cpu") == judged
    assert before == {name: (run.folder / "judged" / name).stat().st_mtime_ns for name in kept}

    store, manifest = open_data(run)
    opened = Opened(run)
    embedded = embed(opened, store, manifest, "test")
    assert set(embedded.embeddings.study_rows) == set(manifest.rows("test"))
    assert len(embedded.features.values) == len(store)
    assert np.linalg.norm(embedded.embeddings.values, axis=1) == pytest.approx(1, abs=1e-5)
    tokens = load_tokenizers(run)["text"]
    objective = load_objective(run)
    alone = opened.pairs.embed_texts(["The lungs are clear."])
    rows = torch.from_numpy(tokens.encode(["The lungs are clear."], 24)).long()
    np.testing.assert_allclose(alone, objective.embed_texts(rows, rows != tokens.pad_id).numpy(), atol=1e-5)


def test_weights_before_training_are_judged_under_another_name(run, config, judged):
    initial = judge_pairs(run, config=config, weights="initial", device="cpu")
    assert initial["weights"] == "initial"
    assert (run.folder / "judged" / "source-test-initial.json").is_file()
    assert initial["image_image"]["num_queries"] == judged["image_image"]["num_queries"]
    assert initial["zero_shot"]["ensemble"]["auroc"] != judged["zero_shot"]["ensemble"]["auroc"]
    again = Opened(run, weights="initial").objective.state_dict()
    first = Opened(run, weights="initial").objective.state_dict()
    assert all((again[name] == first[name]).all() for name in first)


def test_another_store_without_reports_and_another_split(place, run, config):
    report = judge_pairs(run, store=place / "target", split="validation", config=config, device="cpu")
    assert (run.folder / "judged" / "target-validation.json").is_file()
    assert report["study_report"] is None and report["linear_probe"] is None
    assert "has no reports" in report["not_judged"]["study_report"]
    assert "not on validation" in report["not_judged"]["linear_probe"]
    # 20 studies of validation are too few for two classes: said, with their numbers, and no error.
    assert (
        report["image_image"] is None and "two classes with 7 studies" in report["not_judged"]["image_image"]
    )
    assert report["zero_shot"]["ensemble"]["auroc"]["estimate"] is not None
    asked = JudgeConfig(
        retrieval=RetrievalConfig(num_queries=2, num_candidates=50, classes=["opacity", "device"]),
        prompts=config.prompts,
        min_positives=1,
    )
    with pytest.raises(ValueError, match="Class 'opacity' has"):
        judge_pairs(run, store=place / "target", config=asked, device="cpu")


def test_pictures_of_the_pretraining_are_not_judged_on(tmp_path, run, config):
    ingest(TinyStudies(240), tmp_path / "shorter", image_size=36, workers=0, progress=False)
    with pytest.raises(LeakFound, match="same patient"):
        judge_pairs(run, store=tmp_path / "shorter", config=config, device="cpu")


def test_an_objective_without_texts_is_judged_by_its_encoder(world, tmp_path, config):
    steps = ["train.steps=4", "train.validate_every=4"]
    refers = pretrain(world.pretrain, steps, root=tmp_path, progress=False)
    report = judge_pairs(refers, config=config, device="cpu")
    assert report["study_report"]["text_unit"] == "report" and "zero_shot" not in report["not_judged"]
    steps.append("objective.contrastive_weight=0")
    writer = pretrain(world.pretrain, steps, root=tmp_path, progress=False)
    report = judge_pairs(writer, config=config, device="cpu")
    assert report["text_image"] is report["zero_shot"] is report["study_report"] is None
    assert report["not_judged"]["zero_shot"] == "the objective embeds no texts"
    assert report["linear_probe"]["1"]["auroc"]["estimate"] is not None


def test_runs_and_settings_that_do_not_fit_are_refused(run, place, config, tmp_path):
    with pytest.raises(ValueError, match="weights='best'"):
        judge_pairs(run, config=config, weights="best", device="cpu")
    with pytest.raises(ValueError, match="text_unit 'page'"):
        JudgeConfig(text_unit="page")
    unfinished = Run.create("other", run.config, tmp_path)
    with pytest.raises(ValueError, match="is created, not finished"):
        judge_pairs(unfinished, config=config, device="cpu")
    other = Run.create("other", {**run.config, "task": "finetune"}, tmp_path)
    with pytest.raises(ValueError, match="is no pre-training"):
        judge_pairs(other, config=config, device="cpu")
    with pytest.raises(ValueError, match="not one of train, validation, test"):
        judge_pairs(run, split="all", config=config, device="cpu")


def test_the_published_lists_are_judged_on_a_copy_of_chexpert(run, shared, tmp_path):
    """The pictures here are drawn ones under the official names: what is judged is the way to them."""
    folder = shared / "published" / "chexpert_8x200"
    lists, store = read_chexpert_8x200(folder), Store(run.config["store"])
    images = store.images
    for number, name in enumerate([*lists.queries.items, *lists.candidates.items]):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(images[number % len(images)])).save(file)
    report = judge_chexpert_8x200(run, folder, tmp_path, device="cpu")
    assert report["image_image"]["num_candidates"] == report["text_image"]["num_candidates"] == 1600
    assert (report["image_image"]["num_queries"], report["text_image"]["num_queries"]) == (80, 40)
    assert list(report["text_image"]["precision"]) == ["5", "10", "50", "100"]
    assert report["text_image"]["chance"] == 0.125
    about = report["image_image"]["precision"]["100"]
    assert about["low"] < 0.16 and about["high"] > 0.1  # drawn at random: about chance
    assert json.loads((run.folder / "judged" / "chexpert_8x200.json").read_text()) == report
    with pytest.raises(FileNotFoundError, match="80 of 80 pictures"):
        judge_chexpert_8x200(run, folder, tmp_path / "CheXpert-v1.0-small" / "train", device="cpu")


def test_kept_features_are_those_of_the_file(run, judged):
    path = next((run.folder / "judged").glob("source-*-features.npz"))
    assert Features.load(path).values.dtype == np.float32


def test_the_verb_prints_each_number_with_its_interval_and_what_guessing_gives(run, place, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RUNS", str(place / "runs"))
    shown = CliRunner().invoke(app, ["judge", run.id, "--queries", "2", "--candidates", "5", "--initial"])
    assert shown.exit_code == 0, shown.output
    header, *rows = shown.output[shown.output.index(f" {run.id}") :].splitlines()
    assert f"{run.id}, as it began" in header
    lines = {row[:40].strip().split("  ")[0]: row for row in rows}
    assert re.search(r"image-image precision@5 +\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\] \(0\.500\)", shown.output)
    assert any("study to report R@10" in name for name in lines)
    assert any("linear mean AUROC, 100 % of the labels" in name for name in lines)
    judged = judgement_table({"a": json.loads((run.folder / "judged" / "source-test.json").read_text())})
    assert list(judged.columns) == ["a"]


def test_a_baseline_is_judged_alike(place):
    recipe = yaml.safe_load((place / "tiny_convirt.yaml").read_text())
    recipe["objective"]["name"] = "contrastive_binary"
    recipe["train"] = {"steps": 4, "validate_every": 4, "log_every": 2}
    (place / "tiny_binary.yaml").write_text(yaml.safe_dump(recipe))
    run = pretrain(str(place / "tiny_binary.yaml"), root=place / "runs", progress=False)
    config = JudgeConfig(
        retrieval=RETRIEVAL, prompts=str(place / "prompts.yaml"), min_positives=1, label_ratios=[1.0]
    )
    judged = judge_pairs(run, config=config, device="cpu")
    assert judged["method"] == "contrastive_binary" and judged["not_judged"] == {}
    assert judged["text_image"] and judged["zero_shot"] and judged["study_report"]
