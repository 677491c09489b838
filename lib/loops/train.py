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

from lib.loops.checkpoint import save_weights
from lib.loops.clock import Clock
from lib.loops.distributed import from_all, is_first, parallel
from lib.loops.journal import Journal, LossWindow, NoJournal
from lib.loops.memory import keep_freed_memory
from lib.loops.optimizer import OptimizerConfig, clip_gradients, make_optimizer, set_learning_rates
from lib.loops.precision import autocast, resolve_autocast
from lib.loops.state import TrainingState

LAST, BEST = "last.pt", "best.safetensors"
KEPT = "step-{step}.safetensors"
"""Weights that `TrainConfig.keep_every` asks for."""


@dataclasses.dataclass(kw_only=True)
class TrainConfig:
    """How long to train and when to look up; the defaults are those of REFERS (section 4.2).

    Attributes:
        steps: of the whole run; 300,000 in the paper.
        validate_every: steps between validations; 0: after every epoch, as in the paper.
        log_every: steps between lines of metrics.jsonl, which hold means over them.
        checkpoint_every: steps between states to resume from; the last step and each best one make one too.
        keep_every: steps between weights that stay (checkpoints/step-<n>.safetensors, and those of the last
            step), to look back at the training (ConVIRT, 5.3); 0: none.
        autocast: "auto", "bf16" or "none"; the paper trains with Apex mixed precision.
        monitor: the validation metric that chooses best.safetensors.
        mode: "min" or "max" of that metric.
        patience: validations in a row without a new best after which the training ends early; 0: never.
    """

    steps: int = 300_000
    validate_every: int = 0
    log_every: int = 50
    checkpoint_every: int = 1000
    keep_every: int = 0
    autocast: str = "auto"
    monitor: str = "loss"
    mode: str = "min"
    patience: int = 0


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
    number of processes and threads. Several processes call this together, each with its share of the
    batches; the first one writes.

    Args:
        objective: on its device; maps a batch to named losses, whose sum is minimised.
        loader: batches on the same device.
        validate: called in evaluation mode, without gradients, under the same autocast.
        config: steps and intervals.
        optimizer: kind, learning rates, schedule.
        run_dir: gets metrics.jsonl, and in checkpoints/ last.pt, best.safetensors and what is kept.
        progress: shows a bar, unless TQDM_DISABLE is set.

    Returns:
        The best step and its metric.

    Raises:
        ValueError: settings that contradict each other or the state in `run_dir`.
        NonFiniteLoss: names the step and the studies of the batch.
    """
    _check(config, optimizer, loader)
    device = next(objective.parameters()).device
    if device.type == "cpu":
        keep_freed_memory()
    precision = resolve_autocast(config.autocast, device)
    validate_every = config.validate_every or len(loader)
    stepper = make_optimizer(objective, optimizer)
    window = LossWindow(is_immediate=device.type == "cpu")
    settings = {"steps": config.steps, "batches_per_epoch": len(loader)}
    checkpoints = run_dir / "checkpoints"
    journal = Journal(run_dir / "metrics.jsonl") if is_first() else NoJournal()
    with contextlib.closing(journal):
        state = TrainingState(objective, stepper, journal, window)
        now = state.load(checkpoints / LAST, settings)
        if now.step == now.best_step > 0 and is_first():  # killed before these weights were written, perhaps
            save_weights(checkpoints / BEST, objective)
        compute_losses = parallel(objective, device)
        clock = Clock(now.seconds)
        batches = _batches(loader, now.step)
        bar = tqdm(
            total=config.steps,
            initial=now.step,
            unit="step",
            **({} if progress and is_first() else {"disable": True}),
        )
        objective.train()
        with contextlib.closing(batches), bar:
            for step in range(now.step, config.steps):
                if 0 < config.patience <= now.stagnant:
                    break  # here, so that a resume from just this state ends too
                rates = set_learning_rates(
                    stepper, step, optimizer, steps=config.steps, reductions=now.reductions
                )

                with clock.waiting():
                    epoch, batch = next(batches)
                clock.count(batch.images)

                with autocast(precision, device):
                    losses = compute_losses(batch)

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

                is_best = False
                if _is_due(now.step, validate_every, config):
                    window.check()
                    with clock.aside(), torch.no_grad(), autocast(precision, device):
                        metrics = validate(objective.eval())
                    objective.train()
                    journal.write({"kind": "validation", "step": now.step, "epoch": epoch, **metrics})
                    is_best = _is_better(metrics, now.best, config)
                    if is_best:
                        now.best, now.best_step = metrics[config.monitor], now.step
                    # While the head is trained alone nothing can stagnate yet.
                    is_tuning = now.step > optimizer.head_steps
                    now.stagnant = now.stagnant + 1 if is_tuning and not is_best else 0
                    now.reductions += now.stagnant > 0 and now.stagnant % optimizer.plateau_patience == 0

                if config.keep_every and _is_due(now.step, config.keep_every, config):
                    window.check()
                    with clock.aside():
                        if is_first():  # before the state: after it, a resume would not come here again
                            save_weights(checkpoints / KEPT.format(step=now.step), objective)

                if is_best or _is_due(now.step, config.checkpoint_every, config):
                    window.check()
                    now.seconds = clock.seconds()
                    with clock.aside():
                        # The state first: best.safetensors is never from a future that a resume forgets.
                        state.save(checkpoints / LAST, settings, now)
                        if is_best and is_first():
                            save_weights(checkpoints / BEST, objective)
    return TrainResult(
        steps=now.step, best_step=now.best_step, best=now.best, seconds=now.seconds, precision=precision
    )


def _batches(loader: Loader, step: int) -> Iterator[tuple[int, Any]]:
    """Yield (epoch, batch) without end, from the batch on that belongs to this step of the run."""
    epoch, start = divmod(step, len(loader))
    while True:
        with contextlib.closing(loader.epoch(epoch, start)) as batches:
            for batch in batches:
                yield epoch, batch
        epoch, start = epoch + 1, 0


def _study_ids(loader: Loader, study_rows: torch.Tensor) -> list[str]:
    """Name the studies of a batch, of all processes: they have all seen the same sign of trouble."""
    names = loader.store.studies["study_id"].iloc[study_rows.tolist()].astype(str).tolist()
    return [name for part in from_all(names) for name in part]


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
    if config.keep_every < 0:
        raise ValueError(f"train.keep_every is {config.keep_every}; give steps, or 0 to keep none.")
    if not 0 <= optimizer.warmup_steps < config.steps:
        raise ValueError(
            f"optimizer.warmup_steps is {optimizer.warmup_steps} and train.steps {config.steps}: the warm-up "
            "must be shorter than the run. Set both."
        )
    if optimizer.head_steps + optimizer.warmup_steps >= config.steps:
        raise ValueError(
            f"optimizer.head_steps is {optimizer.head_steps}, with the warm-up as many as train.steps "
            f"({config.steps}) or more: nothing but the head would be trained. Set both."
        )
    if len(loader) == 0:
        raise ValueError("The loader has no batch: fewer training studies than the batch size. Lower it.")
