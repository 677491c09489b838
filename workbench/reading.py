"""What a pre-trained objective writes about studies it was not trained on, and how it weighs their views."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from lib.atomic import atomic_path
from workbench.runs import Run


@dataclasses.dataclass(frozen=True)
class Reading:
    """Studies read by a model.

    Attributes:
        reports: one row per study: study_id, true, generated.
        weights: one row per view of the studies with several views: study_id, view_id, position, weight.
    """

    reports: pd.DataFrame
    weights: pd.DataFrame


def read_studies(run: Run, *, split: str = "validation", limit: int = 64) -> Reading:
    """Have the best checkpoint of a run write reports by greedy search; kept in the run folder.

    Args:
        run: a finished pre-training whose objective can `generate` and has `fusion_weights`.
        split: which studies.
        limit: the first that many of them.

    Raises:
        FileNotFoundError: the run has no checkpoint, or its store is gone.
    """
    kept = Reading(*(_keep(run, split, limit, name) for name in ("reports", "weights")))
    if not (kept.reports.is_file() and kept.weights.is_file()):
        fresh = _read(run, split, limit)
        for path, table in ((kept.reports, fresh.reports), (kept.weights, fresh.weights)):
            with atomic_path(path) as temporary:
                table.to_parquet(temporary, index=False)
    return Reading(pd.read_parquet(kept.reports), pd.read_parquet(kept.weights))


def _keep(run: Run, split: str, limit: int, name: str) -> Path:
    return run.folder / "reading" / f"{split}-{limit}-{name}.parquet"


def _read(run: Run, split: str, limit: int) -> Reading:
    from lib.data.loader import StudyLoader
    from workbench.inputs import resolve_device
    from workbench.reopen import load_objective, load_tokenizers, open_data
    from workbench.view_choice import studies_seen, view_settings

    store, manifest = open_data(run)
    tokenizer = load_tokenizers(run)["report"]
    device = resolve_device("auto")
    objective = load_objective(run, device)
    loader = StudyLoader(
        store,
        studies_seen(run.config, store, manifest.rows(split))[:limit],
        batch_size=run.config["loader"]["batch_size"],
        **view_settings(run.config),
        device=device,
    )
    rows, texts, weights = [], [], []
    for batch in loader.epoch(0):
        rows.append(batch.study_rows.cpu().numpy())
        texts += [tokenizer.decode(ids) for ids in objective.generate(batch.images).cpu().numpy()]
        weights.append(objective.fusion_weights(batch.images).cpu().numpy())
    studies = np.concatenate(rows)
    reports = pd.DataFrame(
        {
            "study_id": store.studies["study_id"].to_numpy()[studies],
            "true": [store.texts[row] for row in studies],
            "generated": texts,
        }
    )
    return Reading(reports, _weights_by_view(store.views, loader.items.view_rows, np.concatenate(weights)))


def _weights_by_view(views: pd.DataFrame, view_rows: np.ndarray, weights: np.ndarray) -> pd.DataFrame:
    """Return the weight of each view; of a repeated one the sum, and no study whose one view has it all.

    Args:
        views: the store's table.
        view_rows: `[B, V]` rows of it.
        weights: `[B, V]`.
    """
    table = views[["study_id", "view_id", "position"]].iloc[view_rows.ravel()].assign(weight=weights.ravel())
    table = table.groupby(["study_id", "view_id", "position"], sort=False, as_index=False)["weight"].sum()
    return table[table.groupby("study_id")["view_id"].transform("size") > 1].reset_index(drop=True)
