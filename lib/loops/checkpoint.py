"""Checkpoints: the state that a run resumes from, and the weights that others read."""

from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from lib.atomic import atomic_path


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values (nested) atomically; the checkpoint before stays until the end.

    Raises:
        OSError: the disk is full, among others; names the file.
    """
    with atomic_path(path) as temporary, open(temporary, "wb") as handle:
        try:
            torch.save(state, handle)
        except RuntimeError as error:
            # torch's zip writer reports its own confusion; the reason is the error that came first.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def load_state(path: Path) -> dict[str, Any]:
    """Read what `save_state` wrote, to the CPU, without executing anything that it may contain.

    Raises:
        ValueError: the file is no such checkpoint.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds, from zip to pickle
        raise ValueError(
            f"{path} is not a readable checkpoint ({error}). Delete it to start this run from the beginning."
        ) from error


def save_weights(path: Path, module: nn.Module) -> None:
    """Write the module's `state_dict` as safetensors, atomically.

    A tensor that stands under two names (tied weights) is written under both.
    """
    seen: set[int] = set()
    tensors = {}
    for name, tensor in module.state_dict().items():
        tensors[name] = tensor.clone() if tensor.data_ptr() in seen else tensor.contiguous()
        seen.add(tensor.data_ptr())
    with atomic_path(path) as temporary:
        temporary.write_bytes(safetensors.torch.save(tensors))  # save_file would hide a full disk
