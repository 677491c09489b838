"""Which pre-training a fine-tuning began with."""

from pathlib import Path

from workbench.inputs import RANDOM, resolve_place
from workbench.runs import Run, open_run


def began_with(run: Run, pretraining: str = "") -> Run:
    """Return the pre-training whose weights a run started from.

    Args:
        run: a fine-tuning.
        pretraining: id of another one to take in its place.

    Returns:
        That run; the given one where it began with random weights or with a file that is no run, which views
        of pre-trainings then say.

    Raises:
        FileNotFoundError: no run with that id.
    """
    if pretraining:
        return open_run(pretraining)
    init = run.config.get("init", RANDOM)
    place = Path() if init == RANDOM else resolve_place(init)
    return Run(place) if (place / "config.yaml").is_file() else run
