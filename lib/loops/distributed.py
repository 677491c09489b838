"""Several processes that train one objective together: each has a share of every batch.

They meet in a process group, `torchrun` or `workbench.processes` starts them. Outside a group there is one
process, the first, and nothing here does anything.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from lib.losses.gather import num_processes

T = TypeVar("T")


@contextlib.contextmanager
def joined(*, meeting: str = "env://", rank: int = -1, world_size: int = -1) -> Iterator[None]:
    """Belong to a group of processes inside the block; they talk through gloo, and NCCL where GPUs are.

    Args:
        meeting: where the processes find each other: "env://" as `torchrun` has set it, or "file:///...".
        rank: number of this process; the environment says it where it meets by the environment.
        world_size: number of processes; likewise.
    """
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, init_method=meeting, rank=rank, world_size=world_size)
    try:
        yield
    finally:
        dist.destroy_process_group()


def is_started_by_torchrun() -> bool:
    """Say whether this process is one of several that `torchrun` started."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def rank() -> int:
    """Return the number of this process, from 0."""
    return dist.get_rank() if num_processes() > 1 else 0


def is_first() -> bool:
    """Say whether this process is the one that writes files and talks."""
    return rank() == 0


def take_device(device: torch.device) -> torch.device:
    """Return the GPU of this process among those of its machine, which is then the current one.

    A CPU is shared.
    """
    if device.type == "cuda" and num_processes() > 1:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", rank())))
        torch.cuda.set_device(device)
    return device


def parallel(objective: nn.Module, device: torch.device) -> nn.Module:
    """Return what to call for the losses: gradients are then averaged over the processes.

    All weights become those of the first process. Not every objective uses all of its parameters in every
    configuration; those that are left out must be the same ones in every step.
    """
    if num_processes() == 1:
        return objective
    devices = [device] if device.type == "cuda" else None
    return DistributedDataParallel(objective, device_ids=devices, static_graph=True)


def wait_for_all() -> None:
    """Return when every process has come here."""
    from_all(None)  # over the CPU, whatever else the group talks through


def from_first(value: T) -> T:
    """Return the first process's value everywhere."""
    values = [value]
    if num_processes() > 1:
        dist.broadcast_object_list(values, src=0)
    return values[0]


def from_all(value: T) -> list[T]:
    """Return the values of all processes everywhere, in their order."""
    values: list[Any] = [value] * num_processes()
    if num_processes() > 1:
        dist.all_gather_object(values, value)
    return values
