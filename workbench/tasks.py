"""One run in a worker: what a process of a sweep, or a Slurm job, is given and what it answers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from workbench.claims import claimed
from workbench.finetuning_page import run_page
from workbench.plan import plan
from workbench.run_config import identity
from workbench.runs import find_running


class Task(NamedTuple):
    """A run as a worker takes it.

    Attributes:
        index: of the job that it stands for.
        recipe: its name, or a path.
        overrides: of the recipe.
        root: of the run folders; None: `outputs/runs` of the project.
        num_threads: that it computes in.
        page: parameters of notebook 05_finetune, which then does it; None: it is done here.
    """

    index: int
    recipe: str
    overrides: tuple[str, ...]
    root: str | None
    num_threads: int
    page: Mapping[str, Any] | None = None


class Answer(NamedTuple):
    """What a worker says of a task.

    Attributes:
        index: of the job.
        folder: of the finished run, if there is one.
        failure: why there is none.
        elsewhere: whether another process is at it.
    """

    index: int
    folder: str
    failure: str = ""
    elsewhere: bool = False


def do_task(task: Task) -> Answer:
    """Do one run; a failure is an answer, so that the others go on."""
    from workbench.train import train  # which imports what imports this module

    before = torch.get_num_threads()
    torch.set_num_threads(task.num_threads)
    try:
        config = plan(task.recipe, task.overrides, root=task.root)
        with claimed(identity(config), task.root) as is_ours:
            # A training that no sweep started has no claim, but holds its run.
            ongoing = find_running(config, task.root)
            if ongoing is not None or not is_ours:
                place = f": {ongoing.folder}" if ongoing else ""
                return Answer(task.index, "", f"another process is at it{place}", elsewhere=True)
            if task.page is not None:
                run = run_page(config, task.page, task.root)
            else:
                run = train(task.recipe, task.overrides, root=task.root, progress=False)
        return Answer(task.index, str(run.folder))
    except Exception as error:
        return Answer(task.index, "", f"{type(error).__name__}: {error}")
    finally:
        torch.set_num_threads(before)


def lost(task: Task, reason: str) -> Answer:
    """Return the answer for a worker that gave none."""
    return Answer(task.index, "", reason)
