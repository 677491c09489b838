"""Choosing a checkpoint by the CIDEr of what is written at each validation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from lib.data.loader import StudyLoader
from lib.loops.evaluate import WrittenCider
from workbench.plan import plan
from workbench.reopen import load_objective, load_tokenizers, open_data
from workbench.run_config import identity
from workbench.runs import list_runs
from workbench.train import pretrain

pytestmark = pytest.mark.usefixtures("one_thread")

CLOCK = ["time", "images_per_second", "data_wait_share"]
BY_CIDER = ["train.monitor=cider", "train.mode=max", "generation.num_studies=8"]
LONGER = ["train.steps=80", "optimizer.learning_rates.image=0.01", "optimizer.learning_rates.text=0.01"]


@pytest.fixture(scope="module")
def by_cider(world):
    return pretrain(world.pretrain, [*BY_CIDER, *LONGER], root=world.root, progress=False)


def validations(run) -> pd.DataFrame:
    metrics = run.metrics()
    return metrics[metrics["kind"] == "validation"].reset_index(drop=True)


def test_the_checkpoint_is_the_one_with_the_best_cider(by_cider):
    lines, result = validations(by_cider), by_cider.result()
    assert lines["cider"].between(0, 10).all() and lines["cider"].nunique() > 2
    best = lines["cider"].idxmax()
    assert (result["best_step"], result["best_validation"]) == (lines["step"][best], lines["cider"][best])
    assert result["best_step"] != lines["step"][lines["loss"].idxmin()]  # another one than by the loss


def test_its_weights_write_what_was_scored(by_cider):
    store, manifest = open_data(by_cider)
    rows = manifest.rows("validation")
    chosen = np.sort(np.random.default_rng(0).choice(rows, 8, replace=False))  # every tiny study has a report
    loader = StudyLoader(store, chosen, batch_size=8, num_views=2, image_size=32)
    cider = WrittenCider(loader, load_tokenizers(by_cider)["report"], store.texts, rows, beam_size=1)
    assert cider(load_objective(by_cider))["cider"] == pytest.approx(by_cider.result()["best_validation"])


def test_writing_changes_nothing_in_the_training_and_costs_nothing_unasked(world, by_cider):
    plain = pretrain(world.pretrain, LONGER, root=world.root, progress=False)
    assert "cider" not in plain.metrics() and "generation" not in plain.config
    written = by_cider.metrics().drop(columns=[*CLOCK, "cider"])
    pd.testing.assert_frame_equal(written, plain.metrics().drop(columns=CLOCK), check_exact=True)


def test_a_recipe_can_watch_cider_and_choose_by_the_loss(world):
    config = plan(world.pretrain, ["generation.beam_size=2"], root=world.root)
    assert config["generation"] == {"num_studies": 200, "beam_size": 2}
    assert config["train"]["monitor"] == "loss"
    default = plan(world.pretrain, ["train.monitor=cider", "train.mode=max"], root=world.root)
    assert default["generation"] == {"num_studies": 200, "beam_size": 1}
    assert identity(plan(world.pretrain, root=world.root)) != identity(config)


def test_two_processes_agree_and_choose_what_one_chooses(world):
    # Without dropout, which each process draws for itself, and with steps that do not blow up the rounding.
    steady = [
        *BY_CIDER, *(f"objective.{part}.dropout=0.0" for part in ("encoder", "report", "text")),
        "optimizer.name=sgd", "optimizer.learning_rates.image=0.3", "optimizer.learning_rates.text=0.3",
        "train.steps=9", "train.validate_every=3", "generation.num_studies=7",
    ]  # fmt: skip
    one = pretrain(world.pretrain, steady, root=world.root / "one", progress=False)
    two = pretrain(world.pretrain, [*steady, "processes=2"], root=world.root / "two", progress=False)
    assert validations(two)["cider"].tolist() == pytest.approx(validations(one)["cider"].tolist(), rel=1e-6)
    assert one.result()["best_step"] == two.result()["best_step"]


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["train.monitor=cider"], "train.mode=min would keep the worst reports; set train.mode=max"),
        (["train.monitor=cider", "train.mode=max", "generation.beam_size=0"], "beam_size 0; give"),
        (["generation.beams=2"], r"section generation.*beams.*Known keys: num_studies, beam_size"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_any_run(world, tmp_path, overrides, named):
    with pytest.raises(ValueError, match=named):
        pretrain(world.pretrain, overrides, root=tmp_path)
    assert list_runs(tmp_path) == []


def test_an_objective_that_writes_nothing_has_no_cider(world, tmp_path):
    recipe = yaml.safe_load(Path(world.pretrain).read_text())
    encoder = {"name": "radiograph_transformer", **recipe["objective"]["encoder"]}
    recipe["objective"] = {"name": "convirt", "max_text_tokens": 24, "encoder": encoder}
    (tmp_path / "tiny_convirt.yaml").write_text(yaml.safe_dump(recipe))
    message = "asks for the CIDEr of reports: objective convirt has no decoder and writes no reports"
    for overrides in (["train.monitor=cider", "train.mode=max"], ["generation.num_studies=5"]):
        with pytest.raises(ValueError, match=message):
            pretrain(str(tmp_path / "tiny_convirt.yaml"), overrides, root=tmp_path / "runs")
