"""What the loop writes down: metrics.jsonl, and the losses between two of its lines."""

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lib.losses.gather import mean_over_processes


class NoJournal:
    """What the processes after the first write into."""

    def write(self, record: Mapping[str, Any]) -> None:
        """Write nothing."""

    def size(self) -> int:
        """Return 0."""
        return 0

    def truncate(self, size: int) -> None:
        """Forget nothing."""

    def close(self) -> None:
        """Close nothing."""


class NonFiniteLoss(ArithmeticError):
    """A loss or the norm of its gradient was infinite or not a number."""


class Journal:
    """metrics.jsonl: one JSON object a line, on disk as soon as it is written."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._handle = open(path, "ab", buffering=0)

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one line; a value that is not finite becomes null, which JSON has.

        Raises:
            OSError: the disk is full, among others; names the file.
        """
        plain = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in record.items()
        }
        rest = (json.dumps(plain) + "\n").encode()
        try:
            while rest:
                rest = rest[self._handle.write(rest) :]
        except OSError as error:
            raise OSError(
                error.errno,
                f"{error.strerror} while writing {self.path}. Free some space and run the same command "
                "again: it goes on from the last checkpoint",
            ) from error

    def size(self) -> int:
        """Return the bytes written so far, which are on disk afterwards."""
        os.fsync(self._handle.fileno())
        return os.fstat(self._handle.fileno()).st_size

    def truncate(self, size: int) -> None:
        """Forget everything after the first `size` bytes: lines younger than the checkpoint."""
        if self.size() < size:
            raise ValueError(
                f"{self.path} has {self.size()} bytes, {size} when the checkpoint was made: it was edited. "
                "Start a new run."
            )
        self._handle.truncate(size)

    def close(self) -> None:
        """Close the file."""
        self._handle.close()


class LossWindow:
    """The loss components of the steps since the last line, and whether all of them are finite.

    On the CPU every step is looked at before it changes a weight. On a GPU that would be a host sync a
    step: there the values stay on the device until `check`, which the loop calls before every line,
    validation and checkpoint. So nothing that was computed after a non-finite loss is ever written, and
    the first bad step is still named with its own studies.
    """

    def __init__(self, *, is_immediate: bool):
        self.is_immediate = is_immediate
        self.names: list[str] = []
        self._values: list[Tensor] = []  # [C] of each step: components, then the gradient's norm
        self._unchecked: list[tuple[int, Callable]] = []  # of the youngest values

    def add(
        self,
        step: int,
        losses: Mapping[str, Tensor],
        gradient_norm: Tensor,
        study_ids: Callable[[], list[str]],
    ) -> None:
        """Remember one step; `study_ids` is only read when something is wrong."""
        self.names = list(losses)
        parts = [loss.detach().float() for loss in losses.values()]
        # Over all processes, so that one that breaks down stops all of them at the same step.
        self._values.append(mean_over_processes(torch.stack([*parts, gradient_norm.float()])))
        self._unchecked.append((step, study_ids))
        if self.is_immediate:
            self.check()

    def check(self) -> None:
        """Raise if a value since the last check is not finite; on a GPU this waits for the device.

        Raises:
            NonFiniteLoss: names the step, the values and the studies.
        """
        if not self._unchecked:
            return
        values = torch.stack(self._values[-len(self._unchecked) :]).cpu()
        for row in (~values.isfinite().all(dim=1)).nonzero()[:1].flatten().tolist():
            step, study_ids = self._unchecked[row]
            named = zip([*self.names, "gradient norm"], values[row].tolist(), strict=True)
            raise NonFiniteLoss(
                f"Step {step}: {', '.join(f'{name} {value:.4g}' for name, value in named)}. "
                f"Studies of the batch: {', '.join(study_ids())}. Lower the learning rate, warm up for "
                "longer or look at these studies; the last checkpoint is from before."
            )
        self._unchecked.clear()

    def take_means(self) -> dict[str, float]:
        """Return the mean of each component since the last call, under the names of metrics.jsonl."""
        *parts, norm = torch.stack(self._values).mean(dim=0).tolist()
        self._values.clear()
        components = {f"loss/{name}": part for name, part in zip(self.names, parts, strict=True)}
        return {"loss": sum(parts), **components, "gradient_norm": norm}

    def state(self) -> dict[str, Any]:
        """Return what `load` needs to go on in the middle of a window."""
        return {"names": self.names, "values": [values.cpu() for values in self._values]}

    def load(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on where `state` was taken."""
        self.names = list(state["names"])
        self._values = [values.to(device) for values in state["values"]]
