"""The training loop: the only place with `backward()`. It knows no objective by name."""

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from tqdm.auto import tqdm

from lib.loops.checkpoint import load_state, save_state, save_weights
from lib.loops.clock import Clock
from lib.loops.journal import Journal, LossWindow
from lib.loops.optimizer import OptimizerConfig, clip_gradients, make_optimizer, set_learning_rates
from lib.loops.precision import autocast, resolve_autocast
from lib.loops.randomness import random_states, restore_random_states


@dataclasses.dataclass(kw_only=True)
class TrainConfig:
    """How long to train and when to look up; the defaults are those of REFERS (section 4.2).

    Attributes:
        steps: of the whole run; 300,000 in the paper.
        validate_every: steps between validations; 0: after every epoch, as in the paper.
        log_every: steps between lines of metrics.jsonl, which hold means over them.
        checkpoint_every: steps between states to resume from; the last step always makes one.
        autocast: "auto", "bf16" or "none"; the paper trains with Apex mixed precision.
        monitor: the validation metric that chooses best.safetensors.
        mode: "min" or "max" of that metric.
    """

    steps: int = 300_000
    validate_every: int = 0
    log_every: int = 50
    checkpoint_every: int = 1000
    autocast: str = "auto"
    monitor: str = "loss"
    mode: str = "min"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainResult:
    """How a training ended.

    Attributes:
        steps: done, over all resumed parts.
        best_step: whose weights stand in best.safetensors.
        best: the monitored metric there.
        seconds: spent in the loop, over all resumed parts.
        precision: "bf16" or "none", as resolved.
    """

    steps: int
    best_step: int
    best: float
    seconds: float
    precision: str


class Loader(Protocol):
    """What the loop needs of a loader; all its randomness derives from its seed, the epoch and the step."""

    store: Any

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        ...

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the batches of an epoch from the start-th on."""
        ...


def train(
    objective: nn.Module,
    loader: Loader,
    validate: Callable[[nn.Module], dict[str, float]],
    *,
    config: TrainConfig,
    optimizer: OptimizerConfig,
    run_dir: Path,
    progress: bool = True,
) -> TrainResult:
    """Train an objective, or go on with the training that `run_dir` holds.

    On the CPU a killed and resumed run gives bit for bit what an uninterrupted one gives, with the same
    number of threads.

    Args:
        objective: on its device; maps a batch to named losses, whose sum is minimised.
        loader: batches on the same device.
        validate: called in evaluation mode, without gradients, under the same autocast.
        config: steps and intervals.
        optimizer: kind, learning rates, schedule.
        run_dir: gets metrics.jsonl, checkpoints/last.pt and checkpoints/best.safetensors.
        progress: shows a bar, unless TQDM_DISABLE is set.

    Returns:
        The best step and its metric.

    Raises:
        ValueError: settings that contradict each other or the state in `run_dir`.
        NonFiniteLoss: names the step and the studies of the batch.
    """
    _check(config, optimizer, loader)
    device = next(objective.parameters()).device
    precision = resolve_autocast(config.autocast, device)
    validate_every = config.validate_every or len(loader)
    stepper = make_optimizer(objective, optimizer)
    window = LossWindow(is_immediate=device.type == "cpu")
    settings = {"steps": config.steps, "batches_per_epoch": len(loader)}
    checkpoints = run_dir / "checkpoints"
    with contextlib.closing(Journal(run_dir / "metrics.jsonl")) as journal:
        parts = _Parts(objective, stepper, journal, window)
        now = parts.load(checkpoints / "last.pt", settings) or _Progress()
        clock = Clock(now.seconds)
        batches = _batches(loader, now.step)
        bar = tqdm(
            total=config.steps, initial=now.step, unit="step", **({} if progress else {"disable": True})
        )
        objective.train()
        with contextlib.closing(batches), bar:
            for step in range(now.step, config.steps):
                rates = set_learning_rates(
                    stepper, step, steps=config.steps, warmup_steps=optimizer.warmup_steps
                )

                with clock.waiting():
                    epoch, batch = next(batches)
                clock.count(batch.images)

                with autocast(precision, device):
                    losses = objective(batch)

                stepper.zero_grad()
                sum(losses.values()).backward()

                gradient_norm = clip_gradients(objective, optimizer.clip_norm)
                window.add(
                    step, losses, gradient_norm, functools.partial(_study_ids, loader, batch.study_rows)
                )

                stepper.step()
                now.step = step + 1
                bar.update()

                if _is_due(now.step, config.log_every, config):
                    window.check()
                    means = window.take_means()
                    named_rates = {f"lr/{name}": rate for name, rate in rates.items()}
                    line = {"kind": "train", "step": now.step, "epoch": epoch, **means, **named_rates}
                    journal.write({**line, **clock.take()})
                    bar.set_postfix(loss=f"{means['loss']:.3f}", refresh=False)

                if _is_due(now.step, validate_every, config):
                    window.check()
                    with clock.aside(), torch.no_grad(), autocast(precision, device):
                        metrics = validate(objective.eval())
                    objective.train()
                    journal.write({"kind": "validation", "step": now.step, "epoch": epoch, **metrics})
                    if _is_better(metrics, now.best, config):
                        now.best, now.best_step = metrics[config.monitor], now.step
                        save_weights(checkpoints / "best.safetensors", objective)

                if _is_due(now.step, config.checkpoint_every, config):
                    window.check()
                    now.seconds = clock.seconds()
                    with clock.aside():
                        parts.save(checkpoints / "last.pt", settings, now)
    return TrainResult(
        steps=now.step, best_step=now.best_step, best=now.best, seconds=now.seconds, precision=precision
    )


@dataclasses.dataclass
class _Progress:
    """What a resumed run goes on with, beside weights, optimizer and random states."""

    step: int = 0
    best_step: int = 0
    best: float = math.nan
    seconds: float = 0.0


@dataclasses.dataclass
class _Parts:
    """Everything that has a state; the loader has none, its position follows from the step."""

    objective: nn.Module
    stepper: torch.optim.Optimizer
    journal: Journal
    window: LossWindow

    def save(self, path: Path, settings: dict[str, int], now: _Progress) -> None:
        """Write the state to resume from."""
        epoch, step_in_epoch = divmod(now.step, settings["batches_per_epoch"])
        state = {
            "settings": settings,
            "progress": dataclasses.asdict(now),
            "loader": {"epoch": epoch, "step": step_in_epoch},
            "objective": self.objective.state_dict(),
            "optimizer": self.stepper.state_dict(),
            "window": self.window.state(),
            "journal_size": self.journal.size(),
            "random": random_states(),
        }
        save_state(path, state)

    def load(self, path: Path, settings: dict[str, int]) -> _Progress | None:
        """Put everything back to where `path` was written; without the file, to the beginning."""
        for leftover in path.parent.glob(".*.tmp.*"):  # of a write that was killed
            leftover.unlink()
        if not path.exists():
            self.journal.truncate(0)  # lines of a run that was killed before its first checkpoint
            return None
        state = load_state(path)
        if state["settings"] != settings:
            raise ValueError(
                f"{path} belongs to a run with {state['settings']}, now asked for {settings}. "
                "Start a new run, or resume with the settings of the old one."
            )
        self.objective.load_state_dict(state["objective"])
        self.stepper.load_state_dict(state["optimizer"])
        self.window.load(state["window"], next(self.objective.parameters()).device)
        self.journal.truncate(state["journal_size"])
        restore_random_states(state["random"])
        return _Progress(**state["progress"])


def _batches(loader: Loader, step: int) -> Iterator[tuple[int, Any]]:
    """Yield (epoch, batch) without end, from the batch on that belongs to this step of the run."""
    epoch, start = divmod(step, len(loader))
    while True:
        with contextlib.closing(loader.epoch(epoch, start)) as batches:
            for batch in batches:
                yield epoch, batch
        epoch, start = epoch + 1, 0


def _study_ids(loader: Loader, study_rows: torch.Tensor) -> list[str]:
    return loader.store.studies["study_id"].iloc[study_rows.tolist()].astype(str).tolist()


def _is_due(step: int, every: int, config: TrainConfig) -> bool:
    return step % every == 0 or step == config.steps


def _is_better(metrics: dict[str, float], best: float, config: TrainConfig) -> bool:
    """Compare the monitored metric with the best one so far."""
    value = metrics.get(config.monitor, math.nan)
    if not math.isfinite(value):
        raise ValueError(
            f"Validation gave {config.monitor} = {value}, which train.monitor chooses the checkpoint by; it "
            f"gave {', '.join(metrics)}."
        )
    return math.isnan(best) or (value < best if config.mode == "min" else value > best)


def _check(config: TrainConfig, optimizer: OptimizerConfig, loader: Loader) -> None:
    if config.mode not in ("min", "max"):
        raise ValueError(f'train.mode is {config.mode!r}; it must be "min" or "max".')
    for name in ("steps", "log_every", "checkpoint_every"):
        if getattr(config, name) < 1:
            raise ValueError(f"train.{name} is {getattr(config, name)}; it must be at least 1.")
    if not 0 <= optimizer.warmup_steps < config.steps:
        raise ValueError(
            f"optimizer.warmup_steps is {optimizer.warmup_steps} and train.steps {config.steps}: the warm-up "
            "must be shorter than the run. Set both."
        )
    if len(loader) == 0:
        raise ValueError("The loader has no batch: fewer training studies than the batch size. Lower it.")
