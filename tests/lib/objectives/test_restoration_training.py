"""Restoring objectives learn from phantom studies, and a stopped training goes on bit for bit."""

import functools
import json

import numpy as np
import pytest
import torch
from tiny_restoration import ENCODER, make

from lib.data.augment import AugmentConfig
from lib.data.ingest import ingest
from lib.data.loader import StudyLoader
from lib.data.readers.phantom import PhantomSource
from lib.loops.evaluate import mean_losses
from lib.loops.optimizer import OptimizerConfig
from lib.loops.randomness import seed_generators
from lib.loops.train import TrainConfig, train
from lib.objectives.context_restoration import ContextRestoration
from lib.objectives.model_genesis import ModelGenesis

pytestmark = pytest.mark.usefixtures("one_thread")

KINDS = (ContextRestoration, ModelGenesis)
CLOCK = ("time", "images_per_second", "data_wait_share")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    reader = PhantomSource(studies=24, image_size=36)
    return ingest(
        reader, tmp_path_factory.mktemp("store") / "phantom", image_size=36, workers=0, progress=False
    )


def run(kind, store, folder, steps=50, stop_after=None):
    """Train on phantom studies; returns the lines of the journal without the clock's."""
    loader = functools.partial(StudyLoader, store, batch_size=8, num_views=2, image_size=32)
    rows = np.arange(len(store.studies))
    training = loader(rows[:16], augment=AugmentConfig(crop_size=32), shuffle=True, drop_last=True)
    seed_generators(0)
    objective = make(kind, patch_size=4) if kind is ContextRestoration else make(kind)
    if stop_after is not None:
        objective.register_forward_pre_hook(functools.partial(_stop, left=[stop_after]))
    train(
        objective,
        training,
        functools.partial(mean_losses, loader=loader(rows[16:])),
        config=TrainConfig(steps=steps, validate_every=10, log_every=5, checkpoint_every=4, autocast="none"),
        optimizer=OptimizerConfig(name="adamw", learning_rates={"image": 3e-3}, warmup_steps=3),
        run_dir=folder,
        progress=False,
    )
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in CLOCK} for line in lines]


class Stop(Exception):
    pass


def _stop(module, inputs, left):
    left[0] -= module.training
    if left[0] < 0:
        raise Stop


@pytest.mark.parametrize("kind", KINDS)
def test_learns_and_resumes_bit_equal(kind, store, tmp_path):
    whole = run(kind, store, tmp_path / "whole")
    losses = [line["loss"] for line in whole if line["kind"] == "validation"]
    training = [line["loss"] for line in whole if line["kind"] == "train"]
    # Validation sees the same distortions each time; the first of its values is after ten steps.
    assert training[-1] < 0.8 * training[0] and losses[-1] < losses[0]
    with pytest.raises(Stop):
        run(kind, store, tmp_path / "parts", stop_after=27)
    assert run(kind, store, tmp_path / "parts") == whole
    first, second = (
        torch.load(tmp_path / part / "checkpoints" / "last.pt", weights_only=True)
        for part in ("whole", "parts")
    )
    assert first["objective"].keys() == second["objective"].keys()
    assert all(torch.equal(value, second["objective"][name]) for name, value in first["objective"].items())
    assert ENCODER["dropout"] == 0.0  # so nothing but the distortions was random
