"""A judgement that stands in the run folder is read, not made again; checkpoints are judged one by one."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from lib.protocols.retrieval import RetrievalConfig
from workbench import judgements
from workbench.checkpoints_judged import judge_checkpoints, kept_steps, loss_correlations
from workbench.embedded import Opened
from workbench.judgements import finished_runs, judge_once, judge_runs, run_names, start_name
from workbench.judging import JudgeConfig
from workbench.measures import measures_of
from workbench.reopen import load_objective
from workbench.runs import Run

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def config(convirt) -> JudgeConfig:
    retrieval = RetrievalConfig(num_queries=2, num_candidates=5, ks=[1, 5])
    return JudgeConfig(retrieval=retrieval, prompts=convirt.made.prompts, min_positives=1, label_ratios=[1.0])


def test_what_was_judged_is_read(convirt, config, monkeypatch):
    judged = judge_once(convirt.run, config=config)
    path = convirt.run.folder / "judged" / "source-test.json"
    assert json.loads(path.read_text()) == judged
    monkeypatch.setattr(judgements, "judge_pairs", pytest.fail)
    assert judge_once(convirt.run, config=config) == judged


def test_another_question_is_judged_anew(convirt, config):
    judge_once(convirt.run, config=config)
    other = JudgeConfig(
        retrieval=RetrievalConfig(num_queries=2, num_candidates=5, ks=[1], seed=3),
        prompts=config.prompts,
        min_positives=1,
        label_ratios=[0.1],
    )
    judged = judge_once(convirt.run, config=other)
    assert list(judged["linear_probe"]) == ["0.1"] and judged["settings"]["retrieval"]["seed"] == 3
    assert list(judge_once(convirt.run, config=config)["linear_probe"]) == ["1"]


def test_changed_prompts_are_judged_anew(convirt, config, tmp_path):
    prompts = tmp_path / "mine.yaml"
    prompts.write_text(Path(config.prompts).read_text())
    mine = JudgeConfig(retrieval=config.retrieval, prompts=str(prompts), min_positives=1, label_ratios=[1.0])
    before = judge_once(convirt.run, config=mine)
    prompts.write_text("opacity:\n  mine: {positive: [Opacity.], negative: [Clear.]}\n")
    after = judge_once(convirt.run, config=mine)
    assert list(before["zero_shot"]["styles"]) == ["plain", "short"]
    assert list(after["zero_shot"]["styles"]) == ["mine"]


def test_runs_are_named_after_their_methods_and_judged_beside_their_start(convirt, config):
    judged = judge_runs([convirt.run], config=config)
    assert list(judged) == ["convirt", "random"]
    assert [one["weights"] for one in judged.values()] == ["trained", "initial"]
    assert run_names([convirt.run, convirt.run]) == [convirt.run.id] * 2
    given = Run(convirt.run.folder)
    given.config["objective"]["text"]["folder"] = "somewhere"
    assert start_name(given) == "before training"


def test_measures_have_the_numbers_of_the_judgement(convirt, config):
    judged = judge_once(convirt.run, config=config)
    found = {one.title: one for one in measures_of(judged)}
    image, text = judged["image_image"], judged["text_image"]["all"]
    assert found["image-image precision@5"].estimate == image["precision"]["5"]["estimate"]
    assert found["image-image precision@5"].chance == image["chance"] == 0.5
    assert found["text-image precision@1"].high == text["precision"]["1"]["high"]
    way = judged["study_report"]["report_to_study"]
    assert found["report to study R@10"].low == way["recall"]["10"]["low"]
    assert found["report to study R@10"].chance == way["chance"]["10"]
    assert found["zero-shot mean AUROC"][1:4] == tuple(judged["zero_shot"]["ensemble"]["auroc"].values())
    assert found["linear mean AUROC, 100 % of the labels"].chance == 0.5
    nothing = {**judged, "text_image": None, "study_report": None, "zero_shot": None, "linear_probe": None}
    assert [one.title for one in measures_of(nothing)] == [
        "image-image precision@1",
        "image-image precision@5",
    ]


def test_kept_weights_are_opened_by_their_step(convirt):
    assert kept_steps(convirt.run) == [8, 16, 24]
    state = load_file(convirt.run.folder / "checkpoints" / "step-8.safetensors")
    opened = Opened(convirt.run, weights="step-8").objective.state_dict()
    assert all((opened[name] == value).all() for name, value in state.items())
    later = load_objective(convirt.run, checkpoint="step-24").state_dict()
    assert any((later[name] != value).any() for name, value in state.items())
    with pytest.raises(FileNotFoundError, match=r"no step-9\.safetensors"):
        Opened(convirt.run, weights="step-9")
    with pytest.raises(ValueError, match="a kept 'step-<n>'"):
        Opened(convirt.run, weights="../step-8")


def test_every_checkpoint_is_judged_beside_its_loss(convirt, config):
    table = judge_checkpoints(convirt.run, config=config)
    assert sorted(table["step"].unique()) == [8, 16, 24]
    metrics = convirt.run.metrics()
    losses = metrics[metrics["kind"] == "validation"].set_index("step")["loss"]
    assert (table["loss"] == table["step"].map(losses)).all()
    said = json.loads((convirt.run.folder / "judged" / "source-test-step-16.json").read_text())
    row = table[(table["step"] == 16) & (table["measure"] == "zero-shot mean AUROC")].iloc[0]
    assert row["estimate"] == said["zero_shot"]["ensemble"]["auroc"]["estimate"]
    assert said["weights"] == "step-16"
    assert list(convirt.run.folder.glob("judged/*step-*.npz")) == []  # as large as those of the run
    assert table["measure"].nunique() == len(measures_of(said))


def test_loss_and_worth_are_correlated_measure_by_measure(convirt, config):
    table = judge_checkpoints(convirt.run, config=config)
    found = loss_correlations(table)
    assert list(found.index) == list(dict.fromkeys(table["measure"]))
    assert (found["num_checkpoints"] == 3).all()
    wide = table.pivot(index="step", columns="measure", values="estimate")
    losses = table.drop_duplicates("step").set_index("step")["loss"]
    for measure, row in found.iterrows():
        varies = wide[measure].nunique() > 1
        naive = np.corrcoef(wide[measure].rank(), (-losses).rank())[0, 1] if varies else np.nan
        assert row["correlation"] == pytest.approx(naive, nan_ok=True)
    assert np.isnan(found["low"]).all()  # three are too few for an interval


def test_a_run_that_kept_nothing_has_no_checkpoints(convirt, config, monkeypatch):
    monkeypatch.setattr("workbench.checkpoints_judged.kept_steps", lambda run: [])
    table = judge_checkpoints(convirt.run, config=config)
    assert table.empty and "loss" in table
    assert loss_correlations(table).empty


def test_a_checkpoint_without_a_validation_is_left_out(convirt, config, monkeypatch):
    monkeypatch.setattr("workbench.checkpoints_judged.kept_steps", lambda run: [7, 8])
    assert judge_checkpoints(convirt.run, config=config)["step"].unique().tolist() == [8]


def test_runs_are_opened_by_id_or_come_from_a_recipe(convirt, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RUNS", str(convirt.run.folder.parent))
    assert [run.id for run in finished_runs([convirt.run.id], "no/recipe")] == [convirt.run.id]
    assert [run.id for run in finished_runs([], convirt.made.recipe)] == [convirt.run.id]
    with pytest.raises(FileNotFoundError):
        finished_runs(["20200101-000000-nothing-0000"], convirt.made.recipe)
