"""Generation: a finished pre-training writes about held-out studies and keeps that in its folder."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tiny_studies import TinyStudies
from typer.testing import CliRunner

from lib.data.audit import LeakFound
from lib.data.ingest import ingest
from lib.metrics.report_exchange import read_scores_csv
from workbench.cli import app
from workbench.generating import generate_reports
from workbench.reopen import open_data
from workbench.report_examples import describe_generation, example_reports
from workbench.runs import Run
from workbench.tables import generation_table
from workbench.train import pretrain

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def run(world) -> Run:
    return pretrain(world.pretrain, root=world.root, progress=False)


@pytest.fixture(scope="module")
def judged(run):
    return generate_reports(run, device="cpu", progress=False)


class OtherStudies(TinyStudies):
    """Other patients than those of the training, with reports."""

    def __init__(self, number: int = 100):
        super().__init__(number, seed=3)
        self.name = "tiny_other"


def test_table_and_summary_lie_in_the_run_folder(run, judged):
    folder = run.folder / "judged"
    assert json.loads((folder / "source-test-reports.json").read_text()) == judged.summary
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "source-test-reports.parquet"), judged.table)
    store, manifest = open_data(run)
    rows = manifest.rows("test")
    assert judged.table["study_id"].tolist() == store.studies["study_id"].iloc[rows].tolist()
    assert judged.table["reference"].tolist() == [store.texts[row] for row in rows]
    training = set(store.studies["study_id"].iloc[manifest.rows("train")])
    assert set(judged.table["nearest_study_id"]) <= training
    summary = judged.summary
    assert (summary["run"], summary["method"], summary["split"]) == (run.id, "refers", "test")
    assert (summary["beam_size"], summary["num_studies"], summary["synthetic"]) == (4, len(rows), True)
    assert summary["num_without_report"] == 0
    assert (summary["store_id"], summary["manifest_id"]) == (store.id, manifest.id)
    for source in ("generated", "nearest", "constant"):
        mean = judged.table[f"{source}/cider_d"].mean()
        assert summary["scores"][source]["cider_d"]["estimate"] == pytest.approx(mean, abs=1e-6)


def test_other_programs_get_the_same_reports(run, judged):
    folder = run.folder / "judged"
    for source in ("generated", "nearest"):
        table = pd.read_csv(folder / f"source-test-{source}.csv", keep_default_na=False)
        assert table["true"].tolist() == judged.table["reference"].tolist()
        assert table["generated"].tolist() == judged.table[source].tolist()
        both = pd.read_csv(folder / f"source-test-{source}-chexbert.csv")["Report Impression"]
        assert len(both) == 2 * len(judged.table)
    scored = table.assign(green=0.5)[["study_id", "green"]]
    scored.to_csv(folder / "scored.csv", index=False)
    assert read_scores_csv(folder / "scored.csv", judged.table["study_id"])["green"].tolist() == [0.5] * len(
        judged.table
    )


def test_a_part_is_kept_beside_the_whole_and_scored_alike(run, judged):
    few = generate_reports(run, limit=3, device="cpu", progress=False)
    assert (run.folder / "judged" / "source-test-3-reports.parquet").is_file()
    assert (run.folder / "judged" / "source-test-3-generated.csv").is_file()
    assert few.summary["num_studies"] == 3 and few.summary["num_corpus"] == len(judged.table)
    pd.testing.assert_frame_equal(few.table, judged.table[:3])
    assert json.loads((run.folder / "judged" / "source-test-reports.json").read_text()) == judged.summary


def test_another_store_is_compared_with_what_the_run_learnt_from(run, tmp_path):
    ingest(OtherStudies(), tmp_path / "other", image_size=36, workers=0, progress=False)
    judged = generate_reports(
        run, store=tmp_path / "other", split="validation", beam_size=1, device="cpu", progress=False
    )
    assert (run.folder / "judged" / "other-validation-reports.json").is_file()
    store, manifest = open_data(run)
    assert judged.summary["training_store_id"] == store.id != judged.summary["store_id"]
    texts = dict(zip(store.studies["study_id"], store.texts, strict=True))
    assert judged.table["nearest"].tolist() == [texts[name] for name in judged.table["nearest_study_id"]]
    training = set(store.studies["study_id"].iloc[manifest.rows("train")])
    assert set(judged.table["nearest_study_id"]) <= training


def test_leaks_and_what_cannot_be_judged_are_refused(run, world, tmp_path):
    ingest(TinyStudies(90), tmp_path / "shorter", image_size=36, workers=0, progress=False)
    with pytest.raises(LeakFound, match="same patient"):
        generate_reports(run, store=tmp_path / "shorter", device="cpu", progress=False)
    with pytest.raises(ValueError, match="each is its own nearest neighbour"):
        generate_reports(run, split="train", device="cpu")
    with pytest.raises(ValueError, match="not one of train, validation, test"):
        generate_reports(run, split="all", device="cpu")
    with pytest.raises(ValueError, match="limit -1 is negative"):
        generate_reports(run, limit=-1, device="cpu")
    target = yaml.safe_load(Path(world.finetune).read_text())["store"]
    with pytest.raises(ValueError, match="No study of the test split of .*target has a report"):
        generate_reports(run, store=target, device="cpu")


def test_a_run_that_writes_nothing_is_refused(world, tmp_path):
    recipe = yaml.safe_load(Path(world.pretrain).read_text())
    encoder = {"name": "radiograph_transformer", **recipe["objective"]["encoder"]}
    text = {**recipe["objective"]["text"], "frozen_layers": "none"}
    recipe["objective"] = {"name": "convirt", "max_text_tokens": 24, "encoder": encoder, "text": text}
    recipe["train"] = {"steps": 4, "validate_every": 4, "log_every": 2}
    (tmp_path / "tiny_convirt.yaml").write_text(yaml.safe_dump(recipe))
    convirt = pretrain(str(tmp_path / "tiny_convirt.yaml"), root=tmp_path / "runs", progress=False)
    with pytest.raises(ValueError, match="its objective convirt has no decoder and writes no reports"):
        generate_reports(convirt, device="cpu")


def test_people_read_a_table_and_three_reports(judged):
    table = generation_table(judged.summary)
    assert table.index[:6].tolist() == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr-D"]
    assert table.columns.tolist() == [
        "generated", "nearest neighbour", "most frequent report", "generated - nearest",
    ]  # fmt: skip
    estimate = judged.summary["difference"]["generated"]["cider_d"]["estimate"]
    assert table.loc["CIDEr-D", "generated - nearest"].startswith(f"{estimate:+.3f} [")
    examples = example_reports(judged.table)
    scores = examples["generated/cider_d"].tolist()
    assert scores == sorted(scores, reverse=True) and len(scores) == 3
    text = describe_generation(judged)
    for name in ("generated", "reference", "nearest"):
        assert all(report in text for report in examples[name])
    assert "synthetic studies" in text


def test_the_verb_writes_and_prints(run, judged, world, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RUNS", str(world.root))
    shown = CliRunner().invoke(
        app, ["generate", run.id, run.id, "--split", "validation", "--beam", "2", "--limit", "5"]
    )
    assert shown.exit_code == 0, shown.output
    assert shown.output.count("CIDEr-D ") >= 2 and shown.output.count("a middling one") == 2
    assert "beam of 2" in shown.output and "5 synthetic studies" in shown.output
    assert (run.folder / "judged" / "source-validation-5-reports.json").is_file()
