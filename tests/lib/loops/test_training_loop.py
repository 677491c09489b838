import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_training import TinyLoader, TinyObjective, tiny_train

from lib.loops.checkpoint import load_state
from lib.loops.journal import NonFiniteLoss
from lib.loops.optimizer import OptimizerConfig
from lib.loops.train import TrainConfig, train

PROJECT = Path(__file__).resolve().parents[3]
CLOCK = ("time", "images_per_second", "data_wait_share")


pytestmark = pytest.mark.usefixtures("one_thread")


def lines(run_dir):
    """Return the lines of metrics.jsonl without what a clock measured."""
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key not in CLOCK} for row in rows]


def assert_same(first, second):
    """Assert that two run folders hold bit for bit the same."""
    assert lines(first) == lines(second)
    weights = [
        {path.name: path.read_bytes() for path in (folder / "checkpoints").glob("*.safetensors")}
        for folder in (first, second)
    ]
    assert weights[0] == weights[1] and "best.safetensors" in weights[0]
    states = [load_state(folder / "checkpoints" / "last.pt") for folder in (first, second)]
    for state in states:
        del state["progress"]["seconds"], state["journal_size"]  # depend on the clock and its digits
    assert_equal(*states)


def assert_equal(first, second):
    assert type(first) is type(second)
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_equal(first[key], second[key])
    elif isinstance(first, list | tuple):
        assert len(first) == len(second)
        for pair in zip(first, second, strict=True):
            assert_equal(*pair)
    else:
        assert first == second


class Stop(Exception):
    pass


class StoppingObjective(TinyObjective):
    def __init__(self, stop_after):
        super().__init__()
        self.forwards_left = stop_after

    def forward(self, batch):
        if self.training:
            self.forwards_left -= 1
        if self.forwards_left < 0:
            raise Stop
        return super().forward(batch)


@pytest.mark.parametrize("stop_after", [2, 5, 13, 28, 39])
def test_a_stopped_training_resumes_bit_equal(tmp_path, stop_after):
    tiny_train(tmp_path / "whole")
    with pytest.raises(Stop):
        tiny_train(tmp_path / "parts", make_objective=lambda: StoppingObjective(stop_after))
    tiny_train(tmp_path / "parts")
    assert_same(tmp_path / "whole", tmp_path / "parts")


def test_a_killed_training_resumes_bit_equal_from_its_folder_alone(tmp_path):
    steps, run_dir = 60, tmp_path / "killed"
    script = Path(__file__).with_name("tiny_training.py")
    command = [sys.executable, str(script), str(run_dir), str(steps), "0.02"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TQDM_DISABLE": ""}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while not (run_dir / "metrics.jsonl").exists() or len(lines(run_dir)) < 9:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        _, bar = process.communicate()
    assert process.returncode == -signal.SIGKILL
    reached = lines(run_dir)[-1]["step"]
    assert 20 <= reached < steps
    assert "/60 [" in bar
    tiny_train(run_dir, steps=steps)
    tiny_train(tmp_path / "whole", steps=steps)
    assert_same(tmp_path / "whole", run_dir)


def test_what_is_written_down(tmp_path):
    result, objective = tiny_train(tmp_path, steps=20)
    rows = lines(tmp_path)
    train = [row for row in rows if row["kind"] == "train"]
    validation = [row for row in rows if row["kind"] == "validation"]
    assert [row["step"] for row in train] == [3, 6, 9, 12, 15, 18, 20]
    assert [row["step"] for row in validation] == [7, 14, 20]  # each epoch of 7, and the end
    assert [row["epoch"] for row in train] == [0, 0, 1, 1, 2, 2, 2]
    for row in train + validation:
        assert row["loss"] == pytest.approx(row["loss/restoration"] + row["loss/smoothness"], rel=1e-6)
    assert train[0]["lr/image"] == pytest.approx(0.05 * 2 / 4)  # third step, index 2, of a warm-up of 4
    assert train[0]["lr/text"] == pytest.approx(0.02 * 2 / 4)
    assert all(row["gradient_norm"] > 0 for row in train)
    raw = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[0])
    assert raw["images_per_second"] > 0 and 0 <= raw["data_wait_share"] <= 1 and raw["time"] > 0
    assert validation[-1]["loss"] < validation[0]["loss"]
    best = min(validation, key=lambda row: row["loss"])
    assert (result.best_step, result.best) == (best["step"], best["loss"])
    assert result.precision in ("bf16", "none")
    saved = load_file(tmp_path / "checkpoints" / "best.safetensors")
    assert saved.keys() == objective.state_dict().keys()  # the tied weight stands under both names


def test_best_weights_are_those_of_the_best_validation(tmp_path):
    values = iter([3.0, 1.0, 2.0])
    seen = []

    def validate(objective):
        assert not objective.training and not torch.is_grad_enabled()
        seen.append({name: tensor.clone() for name, tensor in objective.state_dict().items()})
        return {"accuracy": next(values)}

    def go(mode, run_dir):
        return train(
            TinyObjective(),
            TinyLoader(),
            validate,
            config=TrainConfig(steps=6, validate_every=2, monitor="accuracy", mode=mode),
            optimizer=OptimizerConfig(warmup_steps=0),
            run_dir=run_dir,
            progress=False,
        )

    assert go("min", tmp_path / "min").best_step == 4
    saved = load_file(tmp_path / "min" / "checkpoints" / "best.safetensors")
    assert all(torch.equal(saved[name], tensor) for name, tensor in seen[1].items())
    values = iter([3.0, 1.0, 2.0])
    assert go("max", tmp_path / "max").best_step == 2


def test_best_weights_that_a_kill_prevented_are_written_by_the_resume(tmp_path):
    result, _ = tiny_train(tmp_path, steps=7)
    assert result.best_step == 7
    path = tmp_path / "checkpoints" / "best.safetensors"
    weights = path.read_bytes()
    path.unlink()  # the state is written first
    leftover = tmp_path / "checkpoints" / ".best.1a2b3c4d.tmp.safetensors"
    leftover.write_bytes(weights[:100])
    tiny_train(tmp_path, steps=7)
    assert path.read_bytes() == weights and not leftover.exists()


def kept(run_dir):
    return sorted(path.name for path in (run_dir / "checkpoints").glob("step-*"))


def test_weights_are_kept_at_intervals_and_of_the_last_step(tmp_path):
    same = {"optimizer": OptimizerConfig(schedule="plateau", warmup_steps=0)}  # knows no last step
    _, objective = tiny_train(tmp_path / "whole", steps=20, keep_every=8, **same)
    assert kept(tmp_path / "whole") == ["step-16.safetensors", "step-20.safetensors", "step-8.safetensors"]
    last = load_file(tmp_path / "whole" / "checkpoints" / "step-20.safetensors")
    assert all(torch.equal(last[name], tensor) for name, tensor in objective.state_dict().items())
    _, eighth = tiny_train(tmp_path / "short", steps=8, **same)
    saved = load_file(tmp_path / "whole" / "checkpoints" / "step-8.safetensors")
    assert all(torch.equal(saved[name], tensor) for name, tensor in eighth.state_dict().items())
    assert kept(tmp_path / "short") == []


@pytest.mark.parametrize("stop_after", [7, 8, 11, 19])
def test_what_is_kept_survives_a_stop(tmp_path, stop_after):
    """Kept at 4, 8, ... and states at 5, 10, ...: some weights are written twice, none is missing."""
    tiny_train(tmp_path / "whole", steps=20, keep_every=4)
    with pytest.raises(Stop):
        tiny_train(
            tmp_path / "parts", steps=20, keep_every=4, make_objective=lambda: StoppingObjective(stop_after)
        )
    tiny_train(tmp_path / "parts", steps=20, keep_every=4)
    assert len(kept(tmp_path / "parts")) == 5
    assert_same(tmp_path / "whole", tmp_path / "parts")


class PoisonedLoader(TinyLoader):
    def __init__(self, bad_step):
        super().__init__()
        self.bad_step = bad_step

    def epoch(self, epoch, start=0):
        for step, batch in enumerate(super().epoch(epoch, start), start):
            if (epoch, step) == self.bad_step:
                batch.images[1, 0, 0, 2, 2] = math.inf
            yield batch


def test_a_non_finite_loss_stops_with_the_studies_of_its_batch(tmp_path):
    loader = PoisonedLoader((1, 4))
    bad = list(loader.epoch(1))[4].study_rows.tolist()
    with pytest.raises(NonFiniteLoss, match="Step 11") as error:
        tiny_train(tmp_path, loader=loader)
    for row in range(28):
        assert (f"study-{row}," in str(error.value) or f"study-{row}." in str(error.value)) == (row in bad)
    assert "restoration nan" in str(error.value) or "restoration inf" in str(error.value)
    state = load_state(tmp_path / "checkpoints" / "last.pt")
    assert state["progress"]["step"] == 10
    assert all(tensor.isfinite().all() for tensor in state["objective"].values())


def test_a_resumed_training_must_be_the_same_training(tmp_path):
    tiny_train(tmp_path, steps=10)
    with pytest.raises(ValueError, match="'steps': 10.*'steps': 12"):
        tiny_train(tmp_path, steps=12)


def test_a_finished_training_is_not_trained_again(tmp_path):
    first, _ = tiny_train(tmp_path, steps=10)
    before = (tmp_path / "metrics.jsonl").read_bytes()
    again, objective = tiny_train(tmp_path, steps=10, make_objective=lambda: StoppingObjective(0))
    assert again == first
    assert (tmp_path / "metrics.jsonl").read_bytes() == before
    state = load_state(tmp_path / "checkpoints" / "last.pt")
    assert torch.equal(objective.head.weight, state["objective"]["head.weight"])


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"steps": 3}, "warmup_steps is 4 and train.steps 3"),
        ({"mode": "best"}, "train.mode is 'best'"),
        ({"monitor": "auroc"}, "auroc = nan.*it gave loss"),
        ({"log_every": 0}, "train.log_every is 0"),
        ({"keep_every": -1}, "train.keep_every is -1"),
        ({"autocast": "fp16"}, "train.autocast is 'fp16'"),
        ({"loader": TinyLoader(num_batches=0)}, "Lower it"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(tmp_path, settings, named):
    with pytest.raises(ValueError, match=named):
        tiny_train(tmp_path, **settings)


def test_an_unreadable_checkpoint_is_named(tmp_path):
    tiny_train(tmp_path, steps=10)
    path = tmp_path / "checkpoints" / "last.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"last\.pt is not a readable checkpoint"):
        tiny_train(tmp_path, steps=10)


def train_on(values: list[float], run_dir: Path, *, patience: int = 0, stop_after: int | None = None):
    """Train with given results of the validations, one every two steps; return the result and the rates."""
    given = iter(values)
    objective = TinyObjective() if stop_after is None else StoppingObjective(stop_after)
    result = train(
        objective,
        TinyLoader(),
        lambda _: {"loss": next(given)},
        config=TrainConfig(
            steps=2 * len(values), validate_every=2, log_every=1, checkpoint_every=1, patience=patience
        ),
        optimizer=OptimizerConfig(schedule="plateau", warmup_steps=0, plateau_patience=2),
        run_dir=run_dir,
        progress=False,
    )
    rates = [round(row["lr/image"] / 3e-3, 6) for row in lines(run_dir) if row["kind"] == "train"]
    return result, rates


def test_the_rates_are_halved_after_validations_without_progress(tmp_path):
    values = [3.0, 2.0, 2.5, 2.5, 2.5, 1.0, 1.5, 1.5, 1.5, 1.5, 1.5]
    _, rates = train_on(values, tmp_path)
    # Best at the second; two without progress end at the fourth; a new best at the sixth starts anew.
    assert rates == [1.0] * 8 + [0.5] * 8 + [0.25] * 4 + [0.125] * 2


def test_a_plateau_is_remembered_over_a_stop(tmp_path):
    values = [3.0, 2.0, 2.5, 2.5, 2.5, 2.5]
    with pytest.raises(Stop):
        train_on(values, tmp_path, stop_after=7)
    _, rates = train_on(values[3:] + [9.0] * 3, tmp_path)
    assert rates[:8] == [1.0] * 8 and rates[8:12] == [0.5] * 4


def test_training_ends_when_patience_does_and_stays_ended(tmp_path):
    values = [3.0, 2.0, 2.5, 2.5, 2.5, 1.0]
    result, rates = train_on(values, tmp_path, patience=3)
    assert (result.steps, result.best_step) == (10, 4) and len(rates) == 10
    again, _ = train_on(values, tmp_path, patience=3)  # from the state of its last step
    assert (again.steps, again.best_step) == (10, 4)
