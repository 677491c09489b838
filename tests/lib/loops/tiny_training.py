"""A training of seconds with everything that a resume must put back; also a script for tests that kill it.

Run as: python tiny_training.py RUN_DIR STEPS SECONDS_PER_STEP
"""

import dataclasses
import random
import sys
import time
import types
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from lib.loops.evaluate import mean_losses
from lib.loops.optimizer import OptimizerConfig
from lib.loops.randomness import seed_generators
from lib.loops.train import TrainConfig, train


@dataclasses.dataclass
class TinyBatch:
    images: torch.Tensor  # [B, V, 1, 4, 4]
    study_rows: torch.Tensor  # [B]

    def __len__(self):
        return len(self.images)


class TinyLoader:
    """Random pictures; every batch follows from (seed, epoch, step) alone."""

    def __init__(self, seed=0, num_batches=7, batch_size=4, device="cpu"):
        self.seed, self.num_batches, self.batch_size, self.device = seed, num_batches, batch_size, device
        self.store = types.SimpleNamespace(
            studies=pd.DataFrame({"study_id": [f"study-{row}" for row in range(num_batches * batch_size)]})
        )

    def __len__(self):
        return self.num_batches

    def epoch(self, epoch, start=0):
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.store.studies))
        for step in range(start, self.num_batches):
            generator = torch.Generator().manual_seed(hash((self.seed, epoch, step)) % 2**31)
            images = torch.randn(self.batch_size, 2, 1, 4, 4, generator=generator)
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            yield TinyBatch(images.to(self.device), torch.from_numpy(rows))


class TinyObjective(nn.Module):
    """Two losses, a norm, dropout, and noise from all three generators of random numbers."""

    def __init__(self, seconds_per_step=0.0):
        super().__init__()
        self.seconds_per_step = seconds_per_step
        self.encoder = nn.Sequential(nn.Linear(16, 24), nn.LayerNorm(24), nn.ReLU(), nn.Dropout(0.3))
        self.head = nn.Linear(24, 16)
        self.tied = nn.Linear(24, 16, bias=False)
        self.tied.weight = self.head.weight

    def parameter_groups(self):
        named = list(self.named_parameters())
        return {
            "image": [(name, p) for name, p in named if name.startswith("encoder.")],
            "text": [(name, p) for name, p in named if not name.startswith("encoder.")],
        }

    def forward(self, batch):
        time.sleep(self.seconds_per_step)
        pixels = batch.images.flatten(2)  # [B, V, 16]
        noise = (random.random() + np.random.random()) * self.training
        features = self.encoder(pixels + 0.1 * noise)
        return {
            "restoration": (self.head(features) - pixels).square().mean(),
            "smoothness": 0.1 * self.tied(features).square().mean(),
        }


def tiny_train(
    run_dir,
    *,
    steps=40,
    make_objective=TinyObjective,
    loader=None,
    optimizer=None,
    progress=False,
    **settings,
):
    seed_generators(0)
    objective = make_objective()
    validation = TinyLoader(seed=99, num_batches=2)
    config = TrainConfig(**{"steps": steps, "log_every": 3, "checkpoint_every": 5, **settings})
    optimizer = optimizer or OptimizerConfig(
        learning_rates={"image": 0.05, "text": 0.02}, warmup_steps=4, weight_decay=0.01, clip_norm=1.0
    )
    result = train(
        objective,
        TinyLoader() if loader is None else loader,
        lambda module: mean_losses(module, validation),
        config=config,
        optimizer=optimizer,
        run_dir=Path(run_dir),
        progress=progress,
    )
    return result, objective


if __name__ == "__main__":
    torch.set_num_threads(1)
    pace = float(sys.argv[3])
    tiny_train(sys.argv[1], steps=int(sys.argv[2]), make_objective=lambda: TinyObjective(pace), progress=True)
