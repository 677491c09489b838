"""Loss against end task over the checkpoints of one training (ConVIRT, 5.3 and Figure 4)."""

import re
from pathlib import Path

import pandas as pd

from lib.metrics.correlation import rank_correlation
from workbench.embedded import FOLDER
from workbench.judgements import judge_once
from workbench.judging import JudgeConfig
from workbench.measures import measures_of
from workbench.runs import Run

COLUMNS = ("step", "loss", "measure", "estimate", "low", "high", "chance")


def kept_steps(run: Run) -> list[int]:
    """Return the steps whose weights `train.keep_every` kept, ascending."""
    paths = (run.folder / "checkpoints").glob("step-*.safetensors")
    return sorted(int(re.fullmatch(r"step-(\d+)", path.stem)[1]) for path in paths)


def judge_checkpoints(run: Run, *, store: Path | str = "", config: JudgeConfig | None = None) -> pd.DataFrame:
    """Judge every kept checkpoint of a run; what was judged before is read from its folder.

    Args:
        run: a finished pre-training with `train.keep_every`.
        store: to judge on; "" for its own.
        config: how. Linear probes at one label ratio take a tenth of the time that three take.

    Returns:
        One row per checkpoint and measure: step, loss (of the validation at that step), measure, estimate,
        low, high, chance. Checkpoints without a validation at their step are left out; no row where none is
        left, as for a run without `train.keep_every`.
    """
    losses = _validation_losses(run)
    rows = []
    for step in kept_steps(run):
        if step not in losses:
            continue
        weights = f"step-{step}"
        judged = judge_once(run, store=store, config=config, weights=weights)
        # Features of one checkpoint are as large as those of the run; its numbers are what stays.
        for path in (run.folder / FOLDER).glob(f"*-{weights}.npz"):
            path.unlink()
        rows += [
            {
                "step": step,
                "loss": losses[step],
                "measure": one.title,
                **{name: getattr(one, name) for name in COLUMNS[3:]},
            }
            for one in measures_of(judged)
        ]
    return pd.DataFrame(rows, columns=COLUMNS)


def loss_correlations(checkpoints: pd.DataFrame) -> pd.DataFrame:
    """Correlate the negative validation loss with each measure over the checkpoints.

    Args:
        checkpoints: as `judge_checkpoints` returns it.

    Returns:
        One row per measure with two checkpoints or more: correlation (Spearman), low and high (95 %, as if
        checkpoints were independent, which they are not), num_checkpoints.
    """
    found = {
        measure: rank_correlation(-table["loss"], table["estimate"])
        for measure, table in checkpoints.groupby("measure", sort=False)
        if len(table) > 1
    }
    columns = ["correlation", "low", "high", "num_checkpoints"]
    return pd.DataFrame(found.values(), index=pd.Index(list(found), name="measure"), columns=columns)


def _validation_losses(run: Run) -> dict[int, float]:
    table = run.metrics()
    table = table[table["kind"] == "validation"]
    return dict(zip(table["step"].astype(int), table["loss"], strict=True))
