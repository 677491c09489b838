"""The optimizer: learning rates by group, no weight decay on norms and biases."""

import dataclasses
import math

import torch
from torch import nn

from lib.loops.schedule import learning_rate_factor, milestone_factor, plateau_factor

PAPER_GROUPS = ("image", "text")
NAMES = ("adam", "adamw", "sgd")
SCHEDULES = ("cosine", "plateau", "milestones")

HEAD = "head"
"""The parameter group that may be trained alone at the start."""


@dataclasses.dataclass(kw_only=True)
class OptimizerConfig:
    """How parameters are stepped; the defaults are those of REFERS (section 4.2).

    Attributes:
        name: "sgd" (the paper's), "adam" (ConVIRT) or "adamw" (for small recipes).
        learning_rates: peak value of each parameter group of the objective.
        schedule: "cosine", decay to 0 until the last step, "plateau", less whenever validation stagnates, or
            "milestones", less at given steps.
        warmup_steps: linear warm-up before any of them.
        head_steps: steps at the start in which the group "head" alone is trained and everything else stands
            still; the schedule, and with it any warm-up, begins after them. ConVIRT (appendix B): 200.
        head_learning_rate: of the group "head" in these steps; ConVIRT's.
        plateau_patience: validations in a row without a new best after which the rates are reduced.
        plateau_factor: of each such reduction.
        milestones: shares of the steps after which the rates are reduced; MoCo v2 in ConVIRT (appendix E)
            does so after 60 and 80 of 100 epochs.
        milestone_factor: of each such reduction.
        momentum: of SGD.
        betas: of Adam and AdamW; PyTorch's defaults.
        weight_decay: not applied to norms and biases.
        clip_norm: largest norm of the gradient over all parameters; 0 clips nothing. The paper says
            nothing, its published code clips at 10.
    """

    name: str = "sgd"
    learning_rates: dict[str, float] = dataclasses.field(
        default_factory=lambda: {"image": 3e-3, "text": 3e-4}
    )
    schedule: str = "cosine"
    warmup_steps: int = 10_000
    head_steps: int = 0
    head_learning_rate: float = 1e-3
    plateau_patience: int = 5
    plateau_factor: float = 0.5
    milestones: list[float] = dataclasses.field(default_factory=lambda: [0.6, 0.8])
    milestone_factor: float = 0.1
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 1e-4
    clip_norm: float = 10.0


def make_optimizer(objective: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """Make the optimizer over the parameter groups that the objective names.

    Every group of the optimizer carries `name` ("image", "text") and `peak`, its full learning rate.

    Args:
        objective: offers `parameter_groups()`: group name -> list of (name, parameter).
        config: learning rates and the rest.

    Raises:
        ValueError: unknown optimizer; a group without a learning rate; a learning rate for a group that
            neither the objective nor the paper has; steps for the head alone without such a group.
    """
    named_groups = objective.parameter_groups()
    _check_names(set(named_groups), config)
    undecayed = undecayed_parameters(objective)
    groups, seen = [], set()
    for name, members in named_groups.items():
        parameters = [parameter for _, parameter in members if parameter.requires_grad]
        assert seen.isdisjoint(map(id, parameters)), f"group {name!r} repeats parameters of another group"
        seen.update(map(id, parameters))
        for decay in (True, False):
            chosen = [parameter for parameter in parameters if (id(parameter) not in undecayed) == decay]
            if chosen:
                rate, weight_decay = config.learning_rates[name], config.weight_decay if decay else 0.0
                groups.append(
                    {"params": chosen, "name": name, "lr": rate, "peak": rate, "weight_decay": weight_decay}
                )
    missing = [name for name, p in objective.named_parameters() if p.requires_grad and id(p) not in seen]
    assert not missing, f"parameters in no group: {missing}"
    # Fused: one kernel over all parameters, on the CPU as well.
    if config.name == "sgd":
        return torch.optim.SGD(groups, momentum=config.momentum, fused=True)
    kind = torch.optim.Adam if config.name == "adam" else torch.optim.AdamW
    return kind(groups, betas=tuple(config.betas), fused=True)


def set_learning_rates(
    optimizer: torch.optim.Optimizer, step: int, config: OptimizerConfig, *, steps: int, reductions: int = 0
) -> dict[str, float]:
    """Put the learning rates of this step into the optimizer.

    While the head is trained alone, the other groups have the rate 0 and need no gradients: none are
    computed, and an optimizer with moments leaves theirs at the beginning.

    Args:
        optimizer: from `make_optimizer`.
        step: counted from 0.
        config: has the schedule.
        steps: of the whole run.
        reductions: plateaus of the validation so far.

    Returns:
        The learning rate of each group by name.
    """
    head_alone = step < config.head_steps
    factor = 0.0 if head_alone else _factor(step - config.head_steps, config, steps, reductions)
    for group in optimizer.param_groups:
        group["lr"] = factor * group["peak"]
        if head_alone and group["name"] == HEAD:
            group["lr"] = config.head_learning_rate
        if config.head_steps:
            for parameter in group["params"]:
                parameter.requires_grad_(group["name"] == HEAD or not head_alone)
    return {group["name"]: group["lr"] for group in optimizer.param_groups}


def _factor(step: int, config: OptimizerConfig, steps: int, reductions: int) -> float:
    """Return what the schedule multiplies the rates with, `step` steps after the head was trained alone."""
    if config.schedule == "plateau":
        return plateau_factor(
            step, warmup_steps=config.warmup_steps, reductions=reductions, reduction=config.plateau_factor
        )
    lengths = {"steps": steps - config.head_steps, "warmup_steps": config.warmup_steps}
    if config.schedule == "milestones":
        return milestone_factor(
            step, **lengths, milestones=config.milestones, reduction=config.milestone_factor
        )
    return learning_rate_factor(step, **lengths)


def clip_gradients(objective: nn.Module, clip_norm: float) -> torch.Tensor:
    """Scale all gradients down to the largest norm and return the norm before; no host sync."""
    return nn.utils.clip_grad_norm_(objective.parameters(), clip_norm if clip_norm > 0 else math.inf)


def undecayed_parameters(module: nn.Module) -> set[int]:
    """Return the ids of all biases and of all parameters of normalisation layers.

    The kind of the owning layer decides, not the parameter's name: BERT calls its norms `LayerNorm`, and
    the published code, which looks for "norm" in lower case, decays them by mistake.
    """
    return {
        id(parameter)
        for owner in module.modules()
        for name, parameter in owner.named_parameters(recurse=False)
        if name.endswith("bias") or "norm" in type(owner).__name__.lower()
    }


def _check_names(groups: set[str], config: OptimizerConfig) -> None:
    if config.name not in NAMES:
        raise ValueError(f"Unknown optimizer {config.name!r}. Known: {', '.join(NAMES)}.")
    if config.schedule not in SCHEDULES:
        raise ValueError(f"Unknown schedule {config.schedule!r}. Known: {', '.join(SCHEDULES)}.")
    if config.plateau_patience < 1 or not 0 < config.plateau_factor < 1:
        raise ValueError(
            f"optimizer.plateau_patience {config.plateau_patience} must be at least 1, and plateau_factor "
            f"{config.plateau_factor} between 0 and 1."
        )
    if not all(0 < share < 1 for share in (*config.milestones, config.milestone_factor)):
        raise ValueError(
            f"optimizer.milestones {config.milestones} and milestone_factor {config.milestone_factor} must "
            "be shares, between 0 and 1."
        )
    if config.head_steps < 0 or (config.head_steps and HEAD not in groups):
        raise ValueError(
            f"optimizer.head_steps is {config.head_steps}, but the parameters are grouped as "
            f"{sorted(groups)}; a fine-tuning has the group {HEAD!r} where optimizer.learning_rates has a "
            "value for it. Otherwise leave head_steps at 0."
        )
    if missing := groups - set(config.learning_rates):
        raise ValueError(f"optimizer.learning_rates has no value for {sorted(missing)}; give one for each.")
    if unknown := set(config.learning_rates) - groups - set(PAPER_GROUPS):
        raise ValueError(
            f"optimizer.learning_rates names {sorted(unknown)}, but the parameters are grouped as "
            f"{sorted(groups)}."
        )
