"""The head alone first: what stands still, what moves, what stagnates, and a stop on either side."""

import json

import pytest
import torch
from tiny_training import TinyLoader, TinyObjective

from lib.loops.checkpoint import load_state
from lib.loops.optimizer import OptimizerConfig, make_optimizer, set_learning_rates
from lib.loops.randomness import seed_generators
from lib.loops.train import TrainConfig, train

pytestmark = pytest.mark.usefixtures("one_thread")
HEAD_STEPS = 6


class Stop(Exception):
    pass


class HeadObjective(TinyObjective):
    """The tiny objective with its head as a group of its own; remembers whether the encoder was trained."""

    def __init__(self, stop_after=1000):
        seed_generators(0)
        super().__init__()
        self.forwards_left, self.was_trained = stop_after, []

    def parameter_groups(self):
        groups = super().parameter_groups()
        return {"image": groups["image"], "head": groups["text"]}

    def forward(self, batch):
        if self.training:
            self.forwards_left -= 1
            self.was_trained.append(next(self.encoder.parameters()).requires_grad)
        if self.forwards_left < 0:
            raise Stop
        return super().forward(batch)


def config(**changes):
    settings = {
        "name": "adam",
        "learning_rates": {"image": 0.01, "head": 0.02},
        "schedule": "plateau",
        "warmup_steps": 0,
        "head_steps": HEAD_STEPS,
        "head_learning_rate": 0.05,
        "weight_decay": 0.1,
    }
    return OptimizerConfig(**{**settings, **changes})


def go(run_dir, *, objective=None, values=None, optimizer=None, **settings):
    """Train on given results of the validations, one every two steps; all 1.0 where none are given."""
    objective = objective or HeadObjective()
    given = iter(values or [1.0] * 100)
    result = train(
        objective,
        TinyLoader(),
        lambda _: {"loss": next(given)},
        config=TrainConfig(
            **{"steps": 12, "validate_every": 2, "log_every": 1, "checkpoint_every": 2, **settings}
        ),
        optimizer=optimizer or config(),
        run_dir=run_dir,
        progress=False,
    )
    return result, objective


def rates(run_dir, group):
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [row[f"lr/{group}"] for row in rows if row["kind"] == "train"]


def is_head(name):
    return not name.startswith("encoder.")


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_the_head_moves_and_the_encoder_is_bit_equal_until_its_turn(tmp_path, name):
    before = HeadObjective().state_dict()
    with pytest.raises(Stop):  # in the first step of the whole
        go(tmp_path, objective=HeadObjective(HEAD_STEPS), optimizer=config(name=name))
    state = load_state(tmp_path / "checkpoints" / "last.pt")
    assert state["progress"]["step"] == HEAD_STEPS
    for key, tensor in state["objective"].items():
        assert torch.equal(tensor, before[key]) != is_head(key), key
    assert rates(tmp_path, "image") == [0.0] * HEAD_STEPS and rates(tmp_path, "head") == [0.05] * HEAD_STEPS

    _, after = go(tmp_path, optimizer=config(name=name))
    assert all(not torch.equal(tensor, before[key]) for key, tensor in after.state_dict().items())
    assert rates(tmp_path, "image")[HEAD_STEPS:] == [0.01] * 6
    assert rates(tmp_path, "head")[HEAD_STEPS:] == [0.02] * 6


def test_no_gradient_reaches_the_encoder_while_it_stands_still(tmp_path):
    _, objective = go(tmp_path)
    assert objective.was_trained == [False] * HEAD_STEPS + [True] * 6
    states = load_state(tmp_path / "checkpoints" / "last.pt")["optimizer"]["state"].values()
    # The moments of the encoder begin with its own first step.
    assert sorted({int(state["step"]) for state in states}) == [6, 12]


@pytest.mark.parametrize("stop_after", [3, HEAD_STEPS - 1, HEAD_STEPS, HEAD_STEPS + 1, 10])
def test_a_stop_on_either_side_resumes_bit_equal(tmp_path, stop_after):
    go(tmp_path / "whole")
    with pytest.raises(Stop):
        go(tmp_path / "parts", objective=HeadObjective(stop_after))
    _, objective = go(tmp_path / "parts")
    assert objective.was_trained == ([False] * HEAD_STEPS + [True] * 6)[stop_after - stop_after % 2 :]
    states = [load_state(tmp_path / name / "checkpoints" / "last.pt") for name in ("whole", "parts")]
    for key, tensor in states[0]["objective"].items():
        assert torch.equal(tensor, states[1]["objective"][key])
    for key, moments in states[0]["optimizer"]["state"].items():
        for name, tensor in moments.items():
            assert torch.equal(tensor, states[1]["optimizer"]["state"][key][name])
    assert rates(tmp_path / "whole", "image") == rates(tmp_path / "parts", "image")


def test_nothing_stagnates_while_the_head_is_trained_alone(tmp_path):
    # Validations at steps 2, 4, 6 (the head alone), 8, 10, ...; none is better than the first.
    optimizer = config(plateau_patience=2)
    result, _ = go(tmp_path, values=[1.0] + [2.0] * 20, steps=40, patience=5, optimizer=optimizer)
    assert (result.best_step, result.steps) == (2, HEAD_STEPS + 2 * 5)
    # Halved after two and after four of the five that count.
    assert rates(tmp_path, "image") == [0.0] * 6 + [0.01] * 4 + [0.005] * 4 + [0.0025] * 2
    assert rates(tmp_path, "head") == [0.05] * 6 + [0.02] * 4 + [0.01] * 4 + [0.005] * 2


def test_the_schedule_begins_after_the_head(tmp_path):
    objective = HeadObjective()
    settings = config(schedule="cosine", warmup_steps=4)
    stepper = make_optimizer(objective, settings)
    factors = [set_learning_rates(stepper, step, settings, steps=14)["image"] / 0.01 for step in range(14)]
    assert factors[:HEAD_STEPS] == [0.0] * HEAD_STEPS
    assert factors[HEAD_STEPS:] == pytest.approx([0, 0.25, 0.5, 0.75, 1, 0.853553, 0.5, 0.146447], rel=1e-5)


def test_parameters_that_were_frozen_before_stay_frozen(tmp_path):
    objective = HeadObjective()
    objective.encoder[1].requires_grad_(False)
    before = objective.encoder[1].weight.clone()
    go(tmp_path, objective=objective)
    assert torch.equal(objective.encoder[1].weight, before)
    assert not objective.encoder[1].weight.requires_grad and objective.encoder[0].weight.requires_grad


@pytest.mark.parametrize(
    ("objective", "changes", "named"),
    [
        (TinyObjective, {"learning_rates": {"image": 1, "text": 1}}, "head_steps is 6.*'image', 'text'"),
        (HeadObjective, {"head_steps": -1}, "head_steps is -1"),
        (HeadObjective, {"head_steps": 12}, r"head_steps is 12.*train.steps \(12\) or more"),
        (HeadObjective, {"head_steps": 8, "warmup_steps": 4}, "with the warm-up as many as train.steps"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(tmp_path, objective, changes, named):
    with pytest.raises(ValueError, match=named):
        go(tmp_path, objective=objective(), optimizer=config(**changes))
