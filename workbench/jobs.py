"""Many runs by their recipes, in a few processes; one that fails never stops the others."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tqdm.auto import tqdm

from lib.data.workers import run_jobs
from workbench.plan import plan
from workbench.runs import Run, find_finished, find_running


@dataclasses.dataclass(frozen=True)
class Job:
    """One run that is wanted.

    Attributes:
        title: what it is, for people.
        recipe: its name, or a path.
        overrides: of the recipe.
    """

    title: str
    recipe: str
    overrides: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """How a job ended: the finished run, or why there is none."""

    run: Run | None
    failure: str = ""


class _Task(NamedTuple):
    """A job as a worker takes it."""

    index: int
    recipe: str
    overrides: tuple[str, ...]
    root: str | None
    num_threads: int


class _Answer(NamedTuple):
    """What a worker says of it: the run's folder, or why there is no finished one."""

    index: int
    folder: str
    failure: str


def run_all(
    jobs: Sequence[Job],
    *,
    workers: int = 2,
    root: Path | str | None = None,
    title: str = "runs",
    progress: bool = True,
) -> list[Outcome]:
    """Do every job that is not done yet; finished runs are taken as they are.

    Args:
        jobs: no two of the same config.
        workers: processes, which share the cores; 0 works in this process. One that dies (for want of memory,
            say) is a failure of its job alone.
        root: of the run folders; None: `outputs/runs` of the project.
        title: of the bar.
        progress: shows a bar over the runs, unless TQDM_DISABLE is set.

    Returns:
        One outcome per job, in their order.
    """
    cores = len(os.sched_getaffinity(0))
    tasks = [
        _Task(
            index=index,
            recipe=job.recipe,
            overrides=job.overrides,
            root=None if root is None else str(root),
            num_threads=max(1, cores // max(1, workers)),
        )
        for index, job in enumerate(jobs)
    ]
    outcomes = {index: Outcome(run) for index, job in enumerate(jobs) if (run := find_done(job, root))}
    missing = [task for task in tasks if task.index not in outcomes]
    quiet: dict[str, Any] = {} if progress else {"disable": True}
    with tqdm(total=len(jobs), initial=len(outcomes), desc=title, unit="run", **quiet) as bar:
        answers = run_jobs("workbench.jobs:do_task", missing, min(workers, len(missing)), lost=_lost)
        for answer in answers:
            run = Run(answer.folder) if answer.folder else None
            outcomes[answer.index] = Outcome(run, answer.failure)
            bar.update()
    return [outcomes[index] for index in range(len(jobs))]


def find_done(job: Job, root: Path | str | None = None) -> Run | None:
    """Return the finished run of a job without the cost of a process.

    None also where the job cannot be planned: the worker meets the same error and reports it.
    """
    try:
        return find_finished(plan(job.recipe, job.overrides, root=root), root)
    except (ValueError, OSError):
        return None


def failures_of(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for every job that has no finished run."""
    return [f"{job.title}: {one.failure}" for job, one in zip(jobs, outcomes, strict=True) if one.run is None]


def do_task(task: _Task) -> _Answer:
    """Do one run in a worker; a failure is an answer, so that the others go on."""
    from workbench.train import train  # which imports this module

    before = torch.get_num_threads()
    torch.set_num_threads(task.num_threads)
    try:
        ongoing = find_running(plan(task.recipe, task.overrides, root=task.root), task.root)
        if ongoing is not None:
            return _Answer(task.index, "", f"another process is at it: {ongoing.folder}")
        run = train(task.recipe, task.overrides, root=task.root, progress=False)
        return _Answer(task.index, str(run.folder), "")
    except Exception as error:
        return _Answer(task.index, "", f"{type(error).__name__}: {error}")
    finally:
        torch.set_num_threads(before)


def _lost(task: _Task, reason: str) -> _Answer:
    return _Answer(task.index, "", reason)
