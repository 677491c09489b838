"""The recorded inputs, weights and outputs of the published modules."""

import numpy as np
import pytest
import torch


@pytest.fixture(scope="session")
def published(shared):
    """Return `published(prefix)`: name without prefix -> tensor."""
    archive = np.load(shared / "parity" / "refers_official.npz")
    tensors = {name: torch.from_numpy(np.asarray(archive[name])) for name in archive.files}

    def select(prefix: str) -> dict[str, torch.Tensor]:
        return {
            name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)
        }

    return select
