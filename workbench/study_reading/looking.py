"""A finished pre-training, opened to look at studies that it has not learnt from."""

from pathlib import Path
from typing import NamedTuple

from workbench.embedded import TRAINED, Opened
from workbench.inputs import resolve_device
from workbench.judged_data import JudgedData, open_judged
from workbench.runs import Run


class Looking(NamedTuple):
    """A model and what it looks at."""

    opened: Opened
    data: JudgedData


def open_looking(
    run: Run, *, store: Path | str = "", weights: str = TRAINED, device: str = "auto", allow_leak: str = ""
) -> Looking:
    """Open a run and its data, or that of another store, audited against what the run learnt from.

    Args:
        run: a finished pre-training.
        store: a folder; "" for the run's own store.
        weights: as in `workbench.embedded.Opened`.
        device: where to compute.
        allow_leak: reason to look at studies that the run has learnt from.

    Raises:
        ValueError: the run is no finished pre-training, or a leak.
        FileNotFoundError: no store there, or no such weights.
    """
    opened = Opened(run, weights=weights, device=resolve_device(device))
    return Looking(opened, open_judged(run, store, allow_leak=allow_leak))
