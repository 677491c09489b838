"""Runs as jobs of a Slurm cluster, one array for many; submitit writes them and queues them again.

A job that is preempted, or at the end of its time, is queued again and goes on from its last checkpoint. What
has become of the jobs is read from their own files and from `squeue`: many clusters keep no accounts.
"""

import contextlib
import io
import shlex
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib.data.workers import worker_environment
from workbench.tasks import Answer, Task, do_task, lost

FOLDER = ".slurm"
"""Below the root of the runs, which the nodes must share: job files and logs, kept where a run failed."""

POLL_SECONDS = 0.5
QUEUE_SECONDS = 5.0
"""Between two looks at the queue, which costs the cluster something."""

LOOKS = 2
"""So many times in turn a job must be missing from the queue before it counts as gone."""


@dataclass(kw_only=True)
class Slurm:
    """What each run asks of the cluster; an empty value leaves it to the cluster.

    Attributes:
        partition: to run in.
        account: to run for.
        qos: quality of service.
        time: minutes; a run that needs more is queued again and goes on.
        gpus: of one run.
        cpus: of one run, which computes in as many threads.
        memory_gb: of one run; 0 leaves it to the cluster.
        at_once: most runs at a time.
        requeues: how often a run may come to the end of its time.
        warning: seconds before the end of its time at which a run is told.
        options: further ones of sbatch.
    """

    partition: str = ""
    account: str = ""
    qos: str = ""
    time: int = 240
    gpus: int = 0
    cpus: int = 4
    memory_gb: float = 0.0
    at_once: int = 64
    requeues: int = 20
    warning: int = 90
    options: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("time", "cpus", "at_once"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more.")


class SlurmRun:
    """One run as submitit takes it."""

    def __call__(self, task: Task) -> Answer:
        """Do it."""
        return do_task(task)

    def checkpoint(self, task: Task) -> Any:
        """Return what to queue again: the same, for the run folder knows how far it is."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, task)


def run_on_slurm(tasks: Sequence[Task], slurm: Slurm, root: Path) -> Iterator[Answer]:
    """Yield the answer to every task, in the order of completion.

    Closing the generator cancels the jobs that are left. If this process is killed they go on.

    Args:
        tasks: one job each.
        slurm: what each asks of the cluster.
        root: of the run folders, which the nodes see at the same place.

    Raises:
        ValueError: there is no Slurm or no submitit here, or it does not take the jobs.
    """
    if not tasks:
        return
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=root.absolute() / FOLDER))
    waiting = _submit(tasks, slurm, folder)
    failed = False
    try:
        for answer in _watch(waiting):
            failed |= bool(answer.failure)
            yield answer
    finally:
        if waiting:
            subprocess.run(["scancel", *waiting], capture_output=True)
        elif not failed:
            shutil.rmtree(folder, ignore_errors=True)


def _submit(tasks: Sequence[Task], slurm: Slurm, folder: Path) -> dict[str, tuple[Task, Any]]:
    """Queue the tasks; return each with submitit's job, by the id of the job."""
    try:
        from submitit import SlurmExecutor
        from submitit.core.utils import FailedJobError
    except ImportError as error:
        raise ValueError(
            "Slurm needs submitit: pip install 'radiograph-workbench[cluster]', or pip install submitit."
        ) from error
    missing = [name for name in ("sbatch", "squeue", "scancel", "srun") if shutil.which(name) is None]
    if missing:
        raise ValueError(f"There is no Slurm here ({', '.join(missing)} not found); leave --cluster out.")
    executor = SlurmExecutor(folder, max_num_timeout=slurm.requeues)
    executor.update_parameters(**_parameters(slurm))
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # it prints what the error says
            jobs = executor.map_array(SlurmRun(), tasks)
    except FailedJobError as error:
        shutil.rmtree(folder)
        raise ValueError(f"Slurm did not take the jobs: {error}") from error
    return {job.job_id: (task, job) for task, job in zip(tasks, jobs, strict=True)}


def _parameters(slurm: Slurm) -> dict[str, Any]:
    """Return the settings as submitit calls them."""
    # The same circumstances as in a worker on this machine, so that the numbers are the same.
    setup = [f"export {name}={shlex.quote(value)}" for name, value in worker_environment().items()]
    asked = {
        "partition": slurm.partition,
        "account": slurm.account,
        "qos": slurm.qos,
        "gpus_per_node": slurm.gpus,
        "mem": f"{int(1024 * slurm.memory_gb)}M" if slurm.memory_gb else "",
        "additional_parameters": {"requeue": True, **slurm.options},
    }
    return {
        "job_name": "workbench",
        "time": slurm.time,
        "cpus_per_task": slurm.cpus,
        "array_parallelism": slurm.at_once,
        "signal_delay_s": slurm.warning,
        "setup": [*setup, "export TQDM_DISABLE=1"],
        # Since Slurm 22.05 a step does not ask for the CPUs of its job by itself.
        "srun_args": [f"--cpus-per-task={slurm.cpus}"],
        **{name: value for name, value in asked.items() if value},
    }


def _watch(waiting: dict[str, tuple[Task, Any]]) -> Iterator[Answer]:
    """Yield answers as they come, and take their jobs from those that are waited for."""
    unseen: Counter[str] = Counter()
    looked = time.monotonic()
    while waiting:
        for name in [name for name, (_, job) in waiting.items() if job.paths.result_pickle.exists()]:
            yield _read(*waiting.pop(name))
        if time.monotonic() - looked > QUEUE_SECONDS:
            looked = time.monotonic()
            for name in _gone(waiting, unseen):
                task, job = waiting.pop(name)
                yield lost(task, f"Slurm job {name} {_end(name)}; its log: {job.paths.stderr}")
        time.sleep(POLL_SECONDS)


def _read(task: Task, job: Any) -> Answer:
    """Return what a job left, or why it did not come to an end."""
    error = job.exception()
    if error is None:
        return job.result()
    reason = [line for line in str(error).splitlines() if "Error: " in line]
    return lost(task, f"Slurm job {job.job_id}: {(reason or [str(error)])[-1]}; its log: {job.paths.stderr}")


def _gone(waiting: Mapping[str, Any], unseen: Counter[str]) -> list[str]:
    """Return the jobs that were not in the queue the last few times, and have left nothing."""
    queue = _queue()
    if queue is None:
        return []
    for name in waiting:
        unseen[name] = 0 if name in queue else unseen[name] + 1
    return [
        name
        for name, (_, job) in waiting.items()
        if unseen[name] >= LOOKS and not job.paths.result_pickle.exists()
    ]


def _queue() -> Collection[str] | None:
    """Return the ids of this person's jobs that run or wait; None where the controller does not answer."""
    done = subprocess.run(
        ["squeue", "--me", "--noheader", "--array", "--format=%i"], capture_output=True, text=True
    )
    return None if done.returncode else set(done.stdout.split())


def _end(name: str) -> str:
    """Say how a job ended, as far as the controller remembers."""
    done = subprocess.run(["scontrol", "show", "job", name, "--oneliner"], capture_output=True, text=True)
    states = [word for word in done.stdout.split() if word.startswith("JobState=")]
    return f"ended as {states[0].removeprefix('JobState=')}" if states else "is gone"
