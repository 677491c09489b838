"""Many fine-tunings: every method at every label ratio with every seed, in a few processes."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tqdm.auto import tqdm

from lib.data.workers import run_jobs
from workbench.plan import plan
from workbench.runs import Run, find_finished

NUM_DRAWS = 5
"""Subsets of each label ratio that a manifest holds, unless it was made with another number."""


class Job(NamedTuple):
    """One fine-tuning of a grid."""

    index: int
    recipe: str
    overrides: tuple[str, ...]
    root: str | None
    num_threads: int


class Outcome(NamedTuple):
    """How it ended: the run's folder, or why there is no finished one."""

    index: int
    folder: str
    failure: str


def finetune_grid(
    recipe: str,
    methods: Mapping[str, str | Path | Run],
    label_ratios: Sequence[float],
    seeds: Sequence[int],
    *,
    overrides: Sequence[str] = (),
    workers: int = 2,
    root: Path | str | None = None,
    progress: bool = True,
) -> list[Run]:
    """Fine-tune every method at every label ratio with every seed; finished runs are taken as they are.

    Seed s takes the s-th nested subset of the labels (draw s, in turn where the manifest has fewer), the
    same for all methods.

    Args:
        recipe: of the fine-tuning.
        methods: name in tables -> initial weights: "random", a run, or a path.
        label_ratios: shares of the labels, 0.01 to 1.0.
        seeds: of the repetitions.
        overrides: of the recipe, for all runs.
        workers: processes, which share the cores; 0 works in this process.
        root: of the run folders; None: `outputs/runs` of the project.
        progress: shows a bar over the runs, unless TQDM_DISABLE is set.

    Returns:
        The finished runs: methods within label ratios within seeds.

    Raises:
        RuntimeError: some runs failed; lists them. The others are finished, and calling again does only what
            is missing.
    """
    cores = len(os.sched_getaffinity(0))
    jobs, titles = [], []
    for seed in seeds:
        for label_ratio in label_ratios:
            for method, init in methods.items():
                place = init.folder if isinstance(init, Run) else init
                settings = (f"method={json.dumps(method)}", f"init={json.dumps(str(place))}", f"seed={seed}")
                subset = (f"finetune.label_ratio={label_ratio}", f"finetune.draw={seed % NUM_DRAWS}")
                jobs.append(
                    Job(
                        index=len(jobs),
                        recipe=recipe,
                        overrides=(*overrides, *settings, *subset),
                        root=None if root is None else str(root),
                        num_threads=max(1, cores // max(1, workers)),
                    )
                )
                titles.append(f"{method}, label ratio {label_ratio:g}, seed {seed}")
    finished = {job.index: run for job in jobs if (run := _find_finished(job)) is not None}
    outcomes = {index: Outcome(index, str(run.folder), "") for index, run in finished.items()}
    missing = [job for job in jobs if job.index not in finished]
    quiet: dict[str, Any] = {} if progress else {"disable": True}
    with tqdm(total=len(jobs), initial=len(finished), desc="fine-tuning", unit="run", **quiet) as bar:
        for outcome in run_jobs("workbench.grid:run_job", missing, min(workers, len(missing))):
            outcomes[outcome.index] = outcome
            bar.update()
    failures = [
        f"{titles[job.index]}: {outcomes[job.index].failure}" for job in jobs if outcomes[job.index].failure
    ]
    if failures:
        listed = "\n  ".join(failures)
        raise RuntimeError(
            f"{len(failures)} of {len(jobs)} fine-tunings failed; the others are finished, and the same call "
            f"does only these again:\n  {listed}"
        )
    return [Run(outcomes[job.index].folder) for job in jobs]


def _find_finished(job: Job) -> Run | None:
    """Return the finished run of a job without the cost of a process.

    None also where the job cannot be planned: the worker meets the same error and reports it.
    """
    try:
        return find_finished(plan(job.recipe, job.overrides, root=job.root), job.root)
    except (ValueError, OSError):
        return None


def run_job(job: Job) -> Outcome:
    """Do one fine-tuning in a worker; a failure is an outcome, so that the others go on."""
    from workbench.train import finetune  # which imports this module

    before = torch.get_num_threads()
    torch.set_num_threads(job.num_threads)
    try:
        run = finetune(job.recipe, job.overrides, root=job.root, progress=False)
        return Outcome(job.index, str(run.folder), "")
    except Exception as error:
        return Outcome(job.index, "", f"{type(error).__name__}: {error}")
    finally:
        torch.set_num_threads(before)
