"""Judge once: what stands in a run folder is read where it answers the same question."""

import collections
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.embedded import INITIAL, TRAINED, kept_path
from workbench.inputs import resolve_place
from workbench.judged_data import open_judged
from workbench.judging import JudgeConfig, judge_pairs
from workbench.launch import start_training
from workbench.runs import Run, open_run

AT_START = "before training"
"""Name of initial weights that are not random, but ImageNet's or those of a text model."""


def judge_once(
    run: Run,
    *,
    store: Path | str = "",
    split: str = "test",
    config: JudgeConfig | None = None,
    weights: str = TRAINED,
) -> dict[str, Any]:
    """Return what `judge_pairs` says of a run, from its folder where it was said before.

    Args:
        run: a finished pre-training.
        store: a folder; "" for the run's own store.
        split: whose images are judged.
        config: how; its retrieval.seed draws queries and candidates.
        weights: as in `workbench.embedded.Opened`.

    Raises:
        ValueError: as `judge_pairs`.
    """
    config = config or JudgeConfig()
    data = open_judged(run, store, allow_leak=config.allow_leak)
    path = kept_path(run, f"{data.store.path.name}-{split}.json", weights)
    if path.is_file() and not _is_newer(config.prompts, path):
        said = json.loads(path.read_text("utf-8"))
        same = (data.store.id, data.manifest.id, dataclasses.asdict(config))
        if (said["store_id"], said["manifest_id"], said["settings"]) == same:
            return said
    seed = config.retrieval.seed
    return judge_pairs(run, store=store, split=split, seed=seed, config=config, weights=weights)


def judge_runs(
    runs: Sequence[Run], *, store: Path | str = "", config: JudgeConfig | None = None
) -> dict[str, dict[str, Any]]:
    """Judge several runs, and the weights that the first one began with.

    Returns:
        Name -> judgement: the method, or the id of the run where several have the same; last "random", or
        `AT_START` where the first run did not begin with random weights.
    """
    names = run_names(runs)
    judged = {
        name: judge_once(run, store=store, config=config) for name, run in zip(names, runs, strict=True)
    }
    return judged | {start_name(runs[0]): judge_once(runs[0], store=store, config=config, weights=INITIAL)}


def run_names(runs: Sequence[Run]) -> list[str]:
    """Name runs after their methods, those of one method after their ids."""
    methods = [run.config["objective"]["name"] for run in runs]
    counts = collections.Counter(methods)
    return [method if counts[method] == 1 else run.id for method, run in zip(methods, runs, strict=True)]


def start_name(run: Run) -> str:
    """Name the weights that a run began with."""
    objective = run.config["objective"]
    given = objective["encoder"].get("weights") or objective.get("text", {}).get("folder")
    return AT_START if given else "random"


def finished_runs(ids: Sequence[str], recipe: str, overrides: Sequence[str] = ()) -> list[Run]:
    """Open runs by their ids; without any, the run of a recipe, which is trained where it is missing.

    Raises:
        FileNotFoundError: no such run or recipe.
        RuntimeError: the training failed.
    """
    return [open_run(one) for one in ids] or [start_training(recipe, overrides).wait()]


def _is_newer(prompts: str, path: Path) -> bool:
    """Say whether a person's own prompts were changed since."""
    return bool(prompts) and resolve_place(prompts).stat().st_mtime > path.stat().st_mtime
