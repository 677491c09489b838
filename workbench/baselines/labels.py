"""What label-supervised pre-training sees: pictures with labels, and which labels it can tell afterwards."""

import numpy as np
import pandas as pd
import torch

from lib.data.loader import StudyLoader
from lib.metrics.bootstrap import bootstrap_auroc
from workbench.baselines.pictures import number_of, open_loader
from workbench.baselines.shown import LabelScores, LabelUse, PictureRows, Tile
from workbench.batch_similarity import positive_labels
from workbench.embedded import Opened
from workbench.inputs import open_data, resolve_device
from workbench.pair_examples import to_uint8
from workbench.runs import Run
from workbench.view_choice import view_settings

BATCH = 64
REPLICATES = 500
MIN_CASES = 3
"""Pictures with and without a label that its AUROC needs."""


def labelled(run: Run, count: int) -> list[PictureRows | LabelUse]:
    """Show training pictures with their labels, and which labels are learnt.

    Args:
        run: of LSP, finished or not.
        count: pictures.
    """
    loader = open_loader(run.config, "train", count)
    (batch,) = loader.epoch(0)
    captions = positive_labels(loader.store, batch.study_rows.numpy())
    tiles = [Tile(*one) for one in zip(to_uint8(batch.images[:, 0, 0]), captions, strict=True)]
    note = f"{len(tiles)} of {number_of(run.config, 'train'):,} training studies"
    return [PictureRows("Pictures and their labels", [tiles], note=note), LabelUse(label_use(run))]


def label_use(run: Run) -> pd.DataFrame:
    """Count the labels of the training studies; see `LabelUse.table`."""
    store, manifest = open_data(run.config)
    labels = store.labels[manifest.rows("train")]
    table = pd.DataFrame(
        {
            "label": store.label_names,
            "positive": (labels == 1).sum(0),
            "negative": (labels == 0).sum(0),
            "unknown": np.isnan(labels).sum(0),
        }
    )
    targets = run.config["objective"]["targets"]
    return table.assign(reason=[_reason(row, row.label in targets) for row in table.itertuples()])


def told_apart(run: Run, count: int) -> list[LabelScores]:
    """Judge the labels of validation pictures; before the training the head tells none from any other.

    Args:
        run: a finished run of LSP.
        count: of no use here: all validation pictures are judged.
    """
    opened = Opened(run, device=resolve_device("auto"))
    store, manifest = open_data(run.config)
    loader = StudyLoader(
        store,
        manifest.rows("validation"),
        batch_size=BATCH,
        unit="image",
        **{**view_settings(run.config), "num_views": 1},
        device=opened.device,
    )
    with torch.no_grad():
        logits = torch.cat([opened.objective.logits(batch).float().cpu() for batch in loader.epoch(0)])
    targets, rows = run.config["objective"]["targets"], loader.items.study_rows
    labels = store.labels[rows][:, [list(store.label_names).index(name) for name in targets]]  # [N, K]
    is_judged = np.minimum((labels == 1).sum(0), (labels == 0).sum(0)) >= MIN_CASES
    patients = store.studies["patient_id"].to_numpy()[rows]
    findings = pd.DataFrame({"method": "after training", "finding": np.array(targets)[is_judged]})
    if is_judged.any():
        found = bootstrap_auroc(
            labels[:, is_judged], logits.numpy()[:, is_judged], patients, replicates=REPLICATES
        )
        findings = findings.assign(auroc=found.label_estimate, low=found.label_low, high=found.label_high)
    left_out = np.array(targets)[~is_judged]
    note = (
        f"{len(rows):,} validation pictures of {len(np.unique(patients)):,} patients, 95 % intervals by "
        "resampling patients"
    )
    if len(left_out):
        note += f" | too few to judge: {', '.join(left_out)}"
    return [LabelScores(findings, note)]


def _reason(row: tuple, is_target: bool) -> str:
    """Say why a label is not learnt."""
    if is_target:
        return ""
    if not row.positive + row.negative:
        return "not known of any"
    if not row.positive or not row.negative:
        return f"no training study {'has it' if not row.positive else 'is without'}"
    return "not among the recipe's targets"
