"""Objectives that read no reports train from a recipe, in one process and in several."""

import json

import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file
from tiny_world import ENCODER

from workbench.embedded import Opened
from workbench.train import pretrain

pytestmark = pytest.mark.usefixtures("one_thread")

CLOCK = ["time", "images_per_second", "data_wait_share"]
SIZES = {
    "embedding_width": 8,
    "encoder": {"name": "radiograph_transformer", **ENCODER, "dropout": 0.0},
}
QUEUE = {"queue_size": 16, "momentum": 0.9}
OBJECTIVES = {
    "moco_v2": {"name": "moco_v2", **SIZES, **QUEUE},
    "c2l": {"name": "c2l", **SIZES, **QUEUE},
}


@pytest.fixture(scope="module")
def write_recipe(world):
    """Return `write_recipe(name)`: the tiny recipe with that objective in place of REFERS."""

    def write(name: str) -> str:
        with open(world.pretrain) as file:
            recipe = yaml.safe_load(file)
        recipe["objective"] = OBJECTIVES[name]
        recipe["augment"] |= {"scale": [0.5, 1.0], "flip": 0.5, "num_cutouts": 1, "cutout_size": 8}
        recipe["optimizer"] |= {"name": "sgd", "learning_rates": {"image": 1e-2}}
        recipe["train"] |= {"steps": 12, "validate_every": 6, "checkpoint_every": 4, "autocast": "none"}
        path = world.root.parent / f"tiny_{name}.yaml"
        path.write_text(yaml.safe_dump(recipe))
        return str(path)

    return write


def test_two_processes_train_what_one_trains(world, write_recipe):
    recipe = write_recipe("moco_v2")  # C2L draws its mixtures in each process
    one, two = (
        pretrain(recipe, [f"processes={number}"], root=world.root / str(number), progress=False)
        for number in (1, 2)
    )
    pd.testing.assert_frame_equal(
        two.metrics().drop(columns=CLOCK), one.metrics().drop(columns=CLOCK), rtol=1e-4, atol=1e-6
    )
    weights, expected = (load_file(run.folder / "checkpoints" / "best.safetensors") for run in (two, one))
    assert weights.keys() == expected.keys()
    for name, weight in weights.items():  # teacher and queue among them
        torch.testing.assert_close(weight, expected[name], rtol=1e-4, atol=1e-5)


def test_a_run_without_reports_is_trained_and_opened(world, write_recipe):
    run = pretrain(write_recipe("c2l"), root=world.root, progress=False)
    assert not (run.folder / "tokenizer.json").exists()
    assert json.loads((run.folder / "result.json").read_text())["vocabularies"] == {}
    metrics = run.metrics()
    assert {"loss/pictures", "loss/mixed_pictures", "loss/mixed_keys"} <= set(metrics.columns)
    assert metrics["loss"].notna().all()
    opened = Opened(run)
    assert opened.pairs is None
    state = load_file(run.folder / "checkpoints" / "best.safetensors")
    assert torch.equal(opened.objective.queue.rows, state["queue.rows"])


def test_validation_varies_its_pictures_alike_each_time(world, write_recipe):
    # A teacher that stays and a rate of zero: nothing differs between two validations but the crops.
    still = ["objective.momentum=1.0", "optimizer.learning_rates.image=0.0"]
    run = pretrain(write_recipe("moco_v2"), still, root=world.root, progress=False)
    losses = run.metrics().query("kind == 'validation'")["loss"]
    assert len(losses) == 2 and losses.nunique() == 1


def test_a_queue_that_the_batch_does_not_fit_is_refused(world, write_recipe):
    with pytest.raises(ValueError, match="queue of 12 embeddings is not a multiple of the batch of 8"):
        pretrain(write_recipe("moco_v2"), ["objective.queue_size=12"], root=world.root, progress=False)
