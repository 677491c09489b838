"""Many fine-tunings: every method at every label ratio with every seed, in a few processes."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.inputs import encoder_of
from workbench.jobs import Job, failures_of, run_all
from workbench.launch import start_training
from workbench.runs import Run

NUM_DRAWS = 5
"""Subsets of each label ratio that a manifest holds, unless it was made with another number."""


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
    jobs = [
        finetuning_job(recipe, method, init, label_ratio, seed, overrides)
        for seed in seeds
        for label_ratio in label_ratios
        for method, init in methods.items()
    ]
    outcomes = run_all(jobs, workers=workers, root=root, title="fine-tuning", progress=progress)
    if failures := failures_of(jobs, outcomes):
        listed = "\n  ".join(failures)
        raise RuntimeError(
            f"{len(failures)} of {len(jobs)} fine-tunings failed; the others are finished, and the same call "
            f"does only these again:\n  {listed}"
        )
    return [outcome.run for outcome in outcomes if outcome.run]


def choose_methods(
    methods: Sequence[str],
    weights: Sequence[str],
    pretraining: str,
    pretraining_overrides: Sequence[str] = (),
) -> tuple[dict[str, str | Run], list[str]]:
    """Return what to compare, name in tables -> initial weights, and overrides that all of it needs.

    Args:
        methods: names in tables; none: random weights and those of the pre-training, both on its encoder.
        weights: of each of the methods: "random", a run or a file, for the encoder that the recipe has.
        pretraining: recipe, done first where no run of it is finished.
        pretraining_overrides: of that recipe.

    Raises:
        ValueError: another number of weights than of methods.
    """
    if len(methods) != len(weights):
        raise ValueError(f"methods {list(methods)} need as many weights, not {list(weights)}.")
    if methods:
        return dict(zip(methods, weights, strict=True)), []
    run = start_training(pretraining, pretraining_overrides).wait()
    return {"random": "random", run.config["objective"]["name"]: run}, [same_encoder(run)]


def same_encoder(pretraining: Run) -> str:
    """Return the override that gives any fine-tuning the encoder of a pre-training."""
    return f"encoder={json.dumps(encoder_of(str(pretraining.folder)))}"


def finetuning_job(
    recipe: str,
    method: str,
    init: str | Path | Run,
    label_ratio: float,
    seed: int,
    overrides: Sequence[str] = (),
) -> Job:
    """Return one cell of a grid; arguments as in `finetune_grid`."""
    place = str(init.folder.absolute() if isinstance(init, Run) else init)
    settings = (f"method={json.dumps(method)}", f"init={json.dumps(place)}", f"seed={seed}")
    subset = (f"finetune.label_ratio={label_ratio}", f"finetune.draw={seed % NUM_DRAWS}")
    title = f"{method}, label ratio {label_ratio:g}, seed {seed}"
    page = {
        "methods": [method],
        "weights": [place],
        "recipe": recipe,
        "overrides": list(overrides),
        "label_ratios": [label_ratio],
        "seeds": [seed],
        "shown_ratio": label_ratio,
    }
    return Job(title, recipe, (*overrides, *settings, *subset), page)
