"""Validation of a pre-training objective: its own losses on held-out studies."""

from collections import defaultdict

import torch
from torch import nn

from lib.loops.train import Loader
from lib.losses.gather import mean_over_processes


def mean_losses(objective: nn.Module, loader: Loader) -> dict[str, float]:
    """Average every loss component over the first epoch of a loader, and over the processes.

    The loader's epoch 0 is taken each time, so that all validations see the same crops and views.

    Args:
        objective: in evaluation mode, called under no_grad.
        loader: of the validation studies.

    Returns:
        "loss" (the sum) and "loss/<component>".
    """
    sums: dict[str, torch.Tensor] = defaultdict(lambda: torch.zeros(()))
    num_studies = 0
    for batch in loader.epoch(0):
        for name, loss in objective(batch).items():
            sums[name] = sums[name].to(loss.device) + loss.float() * len(batch)
        num_studies += len(batch)
    means = {f"loss/{name}": float(mean_over_processes(total)) / num_studies for name, total in sums.items()}
    return {"loss": sum(means.values()), **means}
