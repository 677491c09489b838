"""Sweeps: every method on every target at every label ratio with every seed, from one file.

    methods:            # name in tables -> where its weights come from
      random: {}
      REFERS: {pretraining: refers/phantom}
      LSP (ConvNet): {pretraining: baselines/lsp_convnet_phantom, overrides: [...]}
      ImageNet: {init: weights.safetensors}
    targets:            # name -> recipe of the fine-tuning
      phantom: finetune/phantom
    label_ratios: [0.01, 0.1, 1.0]
    seeds: [0, 1, 2]
    comparator: random  # optional: what the others are compared with
    pretraining_overrides: []  # optional: of all pre-trainings
    overrides: []              # optional: of all fine-tunings
    executor: direct           # optional: or notebook, which keeps an executed page of each fine-tuning
    slurm: {time: 60}          # optional: what each run asks of a cluster (workbench/slurm.py)

A pre-training is done once and serves all its fine-tunings. What is finished is never done again, so a sweep
is its own resume, and nothing is kept of it but the runs. docs/sweeps.md tells the rest.
"""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lib.config import build
from lib.protocols.finetune import RANDOM
from workbench.grid import finetuning_job
from workbench.job_plans import JobPlans
from workbench.jobs import EXECUTORS, Job, Outcome, failures_of, find_done, run_all
from workbench.plan import plan
from workbench.runs import Run
from workbench.slurm import Slurm
from workbench.sweep_files import read_sweep_file


@dataclasses.dataclass(kw_only=True)
class Method:
    """Where the weights of a method come from.

    Attributes:
        pretraining: recipe that makes them; its encoder is fine-tuned. Empty: `init` says.
        pretraining_overrides: of that recipe.
        init: "random", a run or a file, for the encoder that the target's recipe has.
        overrides: of the fine-tunings of this method.
    """

    pretraining: str = ""
    pretraining_overrides: list[str] = dataclasses.field(default_factory=list)
    init: str = RANDOM
    overrides: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        if self.pretraining and self.init != RANDOM:
            raise ValueError(f"pretraining {self.pretraining!r} and init {self.init!r}: give one of the two.")


@dataclasses.dataclass(kw_only=True)
class Sweep:
    """A grid of fine-tunings, and the pre-trainings that it needs; the module says what the keys mean."""

    methods: dict[str, Method]
    targets: dict[str, str]
    label_ratios: list[float]
    seeds: list[int]
    comparator: str = RANDOM
    pretraining_overrides: list[str] = dataclasses.field(default_factory=list)
    overrides: list[str] = dataclasses.field(default_factory=list)
    executor: str = EXECUTORS[0]
    slurm: Slurm = dataclasses.field(default_factory=Slurm)

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise ValueError(f"Unknown executor {self.executor!r}. Known: {', '.join(EXECUTORS)}.")
        for name in ("methods", "targets", "label_ratios", "seeds"):
            values = getattr(self, name)
            if not values:
                raise ValueError(f"{name} is empty: there is nothing to run.")
            if len(set(values)) < len(values):
                raise ValueError(f"{name} {values} holds a value twice.")


@dataclasses.dataclass(frozen=True)
class Cell:
    """One fine-tuning of a sweep.

    Attributes:
        target: its name.
        method: its name.
        label_ratio: share of the labels.
        seed: of the repetition.
        outcome: how it ended.
    """

    target: str
    method: str
    label_ratio: float
    seed: int
    outcome: Outcome


Place = tuple[str, str, float, int]
"""Target, method, label ratio and seed of a cell."""

_MISSING = Outcome(None, "not run yet")


def read_sweep(name: str) -> Sweep:
    """Read the file of a sweep.

    Args:
        name: below `workbench/recipes` ("sweeps/table1_phantom"), or a path.

    Raises:
        FileNotFoundError: no such file; holds the known names.
        ValueError: another form; says which key of which file.
    """
    path, values = read_sweep_file("sweep", name)
    if isinstance(values, dict) and isinstance(values.get("methods"), dict):
        # A method without settings may stand as `name:` alone.
        values["methods"] = {str(key): value or {} for key, value in values["methods"].items()}
    return build(Sweep, values, where=f"Sweep {path}")


def run_sweep(
    sweep: Sweep,
    *,
    workers: int = 2,
    root: Path | str | None = None,
    overrides: Sequence[str] = (),
    progress: bool = True,
    executor: str = "",
    slurm: Slurm | None = None,
) -> list[Cell]:
    """Do what is missing of a sweep: first the pre-trainings, then the fine-tunings.

    Args:
        sweep: as `read_sweep` gives it.
        workers: processes, which share the cores; 0 works in this process.
        root: of the run folders; None: `outputs/runs` of the project.
        overrides: of all fine-tunings, after those of the file.
        progress: shows bars, unless TQDM_DISABLE is set.
        executor: who does the fine-tunings, instead of what the sweep says.
        slurm: what each run asks of a Slurm cluster, where all then run; None: they run here.

    Returns:
        Every cell: methods within label ratios within seeds within targets. A failure is the outcome of its
        cell; no other cell suffers from it. Neither do cells that another process is at.

    Raises:
        ValueError: no such executor, no Slurm here, or overrides that fit no target.
        Interrupted: by Ctrl-C; what is finished is kept.
    """
    executor = executor or sweep.executor
    if executor not in EXECUTORS:  # said before the pre-trainings, not after them
        raise ValueError(f"Unknown executor {executor!r}. Known: {', '.join(EXECUTORS)}.")
    _check_overrides(sweep, overrides, root)
    do = functools.partial(run_all, workers=workers, root=root, progress=progress, slurm=slurm)
    pretrainings = pretraining_jobs(sweep)
    jobs = list(dict.fromkeys(pretrainings.values()))
    trained = dict(zip(jobs, do(jobs, title="pre-training"), strict=True))
    origins = {method: trained[job] for method, job in pretrainings.items()}
    planned = _plan_cells(sweep, origins, overrides)
    wanted = [one for one in planned if isinstance(one[1], Job)]
    outcomes = do([job for _, job in wanted], title="fine-tuning", executor=executor)
    done = {place: outcome for (place, _), outcome in zip(wanted, outcomes, strict=True)}
    return [Cell(*place, done.get(place) or found) for place, found in planned]


def find_cells(sweep: Sweep, *, root: Path | str | None = None, overrides: Sequence[str] = ()) -> list[Cell]:
    """Look how far a sweep is; nothing is run here. Arguments and result as in `run_sweep`."""
    _check_overrides(sweep, overrides, root)
    plans = JobPlans(root)
    return [
        Cell(*place, _MISSING._replace(run=find_done(job, root, plans)) if isinstance(job, Job) else _MISSING)
        for place, job in cell_jobs(sweep, root=root, overrides=overrides).items()
    ]


def cell_jobs(
    sweep: Sweep, *, root: Path | str | None = None, overrides: Sequence[str] = ()
) -> dict[Place, Job | Outcome]:
    """Return the job of every cell, or the outcome of one whose pre-training is not finished; nothing is run.

    Arguments and order as in `run_sweep`.
    """
    origins = {
        method: Outcome(run) if (run := find_done(job, root)) else _MISSING
        for method, job in pretraining_jobs(sweep).items()
    }
    return dict(_plan_cells(sweep, origins, overrides))


def pretraining_jobs(sweep: Sweep) -> dict[str, Job]:
    """Return the pre-training of every method that has one; two methods may share it."""
    return {
        name: Job(
            f"pre-training {one.pretraining}",
            one.pretraining,
            (*sweep.pretraining_overrides, *one.pretraining_overrides),
        )
        for name, one in sweep.methods.items()
        if one.pretraining
    }


def failures(cells: Sequence[Cell]) -> list[str]:
    """Return a line for every cell that has no finished run."""
    titles = [Job(f"{one.target}, {one.method}, {one.label_ratio:g}, seed {one.seed}", "") for one in cells]
    return failures_of(titles, [one.outcome for one in cells])


def runs_of(cells: Sequence[Cell]) -> list[Run]:
    """Return the finished runs."""
    return [one.outcome.run for one in cells if one.outcome.run]


def cell_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """Return one row per cell: target, method, label_ratio, seed, run, auroc, failure."""
    return pd.DataFrame(
        [
            {
                **{key: getattr(one, key) for key in ("target", "method", "label_ratio", "seed")},
                "run": one.outcome.run.id if one.outcome.run else "",
                "auroc": one.outcome.run.result()["auroc"]["estimate"] if one.outcome.run else float("nan"),
                "failure": "" if one.outcome.run else one.outcome.failure,
            }
            for one in cells
        ]
    )


def _check_overrides(sweep: Sweep, overrides: Sequence[str], root: Path | str | None) -> None:
    """Refuse overrides that fit no target, before the pre-trainings; one bad target is some failed cells."""
    errors, overrides = [], [*sweep.overrides, *overrides]
    for recipe in sweep.targets.values() if overrides else ():
        try:
            plan(recipe, overrides, root=root)
            return
        except (ValueError, OSError) as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _plan_cells(
    sweep: Sweep, origins: dict[str, Outcome], overrides: Sequence[str]
) -> list[tuple[Place, Job | Outcome]]:
    """Return every cell with its job, or with the outcome that it has without one."""
    planned: list[tuple[Place, Job | Outcome]] = []
    for target, recipe in sweep.targets.items():
        for seed in sweep.seeds:
            for label_ratio in sweep.label_ratios:
                for name, method in sweep.methods.items():
                    place = (target, name, label_ratio, seed)
                    origin = origins.get(name)
                    if origin is not None and origin.run is None:
                        reason = f"pre-training {method.pretraining}: {origin.failure}"
                        planned.append((place, origin._replace(failure=reason)))
                        continue
                    init: Any = origin.run if origin else method.init
                    same_encoder = ("encoder=pretrained",) if origin else ()
                    changes = (*sweep.overrides, *method.overrides, *same_encoder, *overrides)
                    planned.append((place, finetuning_job(recipe, name, init, label_ratio, seed, changes)))
    return planned
