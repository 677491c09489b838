"""Many runs by their recipes, in a few processes or as Slurm jobs; one that fails never stops the others."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lib.data.workers import run_jobs
from workbench.job_plans import JobPlans
from workbench.run_bar import RunBar
from workbench.runs import Run, find_finished, runs_root
from workbench.slurm import Slurm, run_on_slurm
from workbench.tasks import Answer, Task, lost

EXECUTORS = ("direct", "notebook")
"""Who does a run: the worker itself, or notebook 05_finetune in its own kernel, whose executed copy stays."""


@dataclass(frozen=True)
class Job:
    """One run that is wanted.

    Attributes:
        title: what it is, for people.
        recipe: its name, or a path.
        overrides: of the recipe.
        page: parameters with which notebook 05_finetune does this run and no other; empty: no page does it.
    """

    title: str
    recipe: str
    overrides: tuple[str, ...] = ()
    page: Mapping[str, Any] = field(default_factory=dict, compare=False)


class Outcome(NamedTuple):
    """How a job ended: the finished run, or why there is none, and whether another process is at it."""

    run: Run | None
    failure: str = ""
    elsewhere: bool = False


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while runs were going on; says how many are finished, which is kept."""


def run_all(
    jobs: Sequence[Job],
    *,
    workers: int = 2,
    root: Path | str | None = None,
    title: str = "run",
    progress: bool = True,
    executor: str = "direct",
    slurm: Slurm | None = None,
) -> list[Outcome]:
    """Do every job that is not done yet; finished runs are taken as they are.

    Args:
        jobs: no two of the same config.
        workers: processes, which share the cores; 0 works in this process. One that dies (for want of memory,
            say) is a failure of its job alone.
        root: of the run folders; None: `outputs/runs` of the project.
        title: of one of them, for the bar.
        progress: shows a bar over the runs, unless TQDM_DISABLE is set.
        executor: one of `EXECUTORS`; a job without a page is done directly.
        slurm: what each run asks of a Slurm cluster, where all of them then run; `workers` is for nothing.

    Returns:
        One outcome per job, in their order.

    Raises:
        ValueError: no such executor, or no Slurm here.
        Interrupted: by Ctrl-C; no worker and no Slurm job is left.
    """
    if executor not in EXECUTORS:
        raise ValueError(f"Unknown executor {executor!r}. Known: {', '.join(EXECUTORS)}.")
    place = None if root is None else str(Path(root).absolute())
    workers = 1 if slurm else workers
    num_threads = slurm.cpus if slurm else max(1, _cores() // max(1, workers))
    plans = JobPlans(root)
    outcomes = {index: Outcome(run) for index, job in enumerate(jobs) if (run := find_done(job, root, plans))}
    missing = [
        Task(
            index=index,
            recipe=job.recipe,
            overrides=job.overrides,
            root=place,
            num_threads=num_threads,
            page={**job.page, "workers": workers} if job.page and executor == "notebook" else None,
        )
        for index, job in enumerate(jobs)
        if index not in outcomes
    ]
    with RunBar(len(jobs), len(outcomes), f"{title}s", progress) as bar:
        try:
            # What another process is at may be finished, or free, when everything else is done.
            for _ in range(2):
                for answer in _answers(missing, workers, root, slurm):
                    outcomes[answer.index] = _outcome(answer)
                    bar.show(outcomes.values())
                missing = [task for task in missing if outcomes[task.index].elsewhere]
        except KeyboardInterrupt:
            finished = sum(one.run is not None for one in outcomes.values())
            raise Interrupted(f"{finished} of {len(jobs)} {title}s are finished") from None
    return [outcomes[index] for index in range(len(jobs))]


def find_done(job: Job, root: Path | str | None = None, plans: JobPlans | None = None) -> Run | None:
    """Return the finished run of a job without the cost of a process.

    None also where the job cannot be planned: the worker meets the same error and reports it. Many jobs are
    planned faster with the same `plans`.
    """
    plans = plans or JobPlans(root)
    try:
        return find_finished(plans.plan(job.recipe, job.overrides), root)
    except (ValueError, OSError):
        return None


def failures_of(jobs: Sequence[Job], outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for every job that has no finished run."""
    return [f"{job.title}: {one.failure}" for job, one in zip(jobs, outcomes, strict=True) if one.run is None]


def _cores() -> int:
    """Return the cores of this process; a Slurm job has those that it asked for, bound to them or not."""
    bound = len(os.sched_getaffinity(0))
    return min(bound, int(os.environ.get("SLURM_CPUS_PER_TASK", bound)))


def _answers(
    tasks: Sequence[Task], workers: int, root: Path | str | None, slurm: Slurm | None
) -> Iterator[Answer]:
    """Yield answers in the order of completion; whatever ends this, no worker is left."""
    if slurm is not None:
        answers = run_on_slurm(tasks, slurm, runs_root(root))
    else:
        answers = run_jobs("workbench.tasks:do_task", tasks, min(workers, len(tasks)), lost=lost)
    with contextlib.closing(answers):
        yield from answers


def _outcome(answer: Answer) -> Outcome:
    return Outcome(Run(answer.folder) if answer.folder else None, answer.failure, answer.elsewhere)
