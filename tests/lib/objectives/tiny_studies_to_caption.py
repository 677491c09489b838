"""Studies for the tests of captioners: what they read of a batch, and to learn them by heart."""

from types import SimpleNamespace

import torch
from torch import nn

PAD, SOS, EOS = 0, 2, 3
ENCODER = dict(
    name="radiograph_transformer",
    image_size=16,
    patch_size=8,
    width=24,
    depth=1,
    num_heads=2,
    mlp_width=32,
    dropout=0.0,
)


def make_batch(num_studies: int = 3) -> SimpleNamespace:
    """Return studies of two views with reports of at most 8 tokens; the first report has 5."""
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(5, 30, (num_studies, 8), generator=generator)
    tokens[:, 0], tokens[:, -1] = SOS, EOS
    tokens[0, 4], tokens[0, 5:] = EOS, PAD
    images = torch.randn(num_studies, 2, 1, 16, 16, generator=generator)
    return SimpleNamespace(images=images, report_tokens=tokens)


def with_padding(batch: SimpleNamespace, number: int) -> SimpleNamespace:
    """Return the batch with more padding behind its reports."""
    tokens = torch.nn.functional.pad(batch.report_tokens, (0, number), value=PAD)
    return SimpleNamespace(images=batch.images, report_tokens=tokens)


def learn_by_heart(objective: nn.Module, batch: SimpleNamespace, steps: int) -> None:
    """Train on one batch alone."""
    optimizer = torch.optim.AdamW(objective.parameters(), lr=5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        sum(objective(batch).values()).backward()
        optimizer.step()
    objective.eval()
