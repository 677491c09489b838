"""The reports that a finished pre-training writes about held-out studies, judged and kept in its folder."""

import dataclasses
from pathlib import Path

from lib.atomic import atomic_path, write_json
from lib.data.loader import StudyLoader
from lib.data.store import Store
from lib.loops.written_reports import check_can_write
from lib.metrics.report_exchange import write_chexbert_csv, write_reports_csv
from lib.protocols.report_generation import (
    GENERATED,
    NEAREST,
    GeneratedReports,
    TrainingReports,
    generate_and_judge,
    rows_with_reports,
)
from workbench.embedded import Opened, embed
from workbench.inputs import resolve_device
from workbench.judged_data import open_judged
from workbench.reopen import load_tokenizers
from workbench.runs import Run
from workbench.view_choice import studies_seen, view_settings

BATCH = 32


def generate_reports(
    run: Run,
    *,
    store: Path | str = "",
    split: str = "test",
    beam_size: int = 4,
    limit: int = 0,
    allow_leak: str = "",
    device: str = "auto",
    progress: bool = True,
) -> GeneratedReports:
    """Have a finished pre-training write reports, judge them beside the baselines, and keep all that.

    The run folder gets judged/<store>-<split>-reports.parquet and .json, and for the metrics that run
    elsewhere (`lib.metrics.report_exchange`) judged/<store>-<split>-generated.csv, -generated-chexbert.csv
    and the same of -nearest. With a limit, it stands behind the split in all these names.

    Args:
        run: its objective has `generate`.
        store: a folder; "" for the run's own store. The nearest neighbour always copies from the training
            studies of the run itself.
        split: "test" or "validation".
        beam_size: hypotheses kept.
        limit: write about the first that many studies only; 0: all. CIDEr-D weighs words by the whole split.
        allow_leak: reason to go on where the audit finds pre-training data in what is judged on.
        device: "auto" is the GPU where there is one.
        progress: shows a bar.

    Returns:
        The table and the summary, which the JSON file holds too, with run, method, store, ids and audit.

    Raises:
        ValueError: a run that is not a finished pre-training or writes no reports, a store or split without
            reports, the training split, a leak.
    """
    if split == "train":
        raise ValueError(
            "The training reports were learnt from, and each is its own nearest neighbour; give "
            "split test or validation."
        )
    if limit < 0:
        raise ValueError(f"limit {limit} is negative; give a number of studies, or 0 for all.")
    opened = Opened(run, device=resolve_device(device))
    check_can_write(opened.objective, f"Run {run.id}: its objective {run.config['objective']['name']}")
    data = open_judged(run, store, allow_leak=allow_leak)
    corpus = rows_with_reports(data.store.texts, data.manifest.rows(split))
    if not len(corpus):
        raise ValueError(
            f"No study of the {split} split of {data.store.path} has a report to compare with; take a store "
            "with reports."
        )
    rows = studies_seen(run.config, data.store, corpus)
    rows = rows[:limit] if limit else rows
    features = embed(opened, data.own, data.own_manifest, split, _positions(data.own)).features
    images = features
    if data.store.id != data.own.id:
        images = embed(opened, data.store, data.manifest, split, _positions(data.store)).features
    loader = StudyLoader(
        data.store,
        rows,
        batch_size=BATCH,
        **view_settings(run.config),
        device=opened.device,
    )
    training = TrainingReports(
        features.of(data.own_manifest.rows("train")),
        data.own.studies["study_id"].tolist(),
        data.own.texts,
    )
    judged = generate_and_judge(
        opened.objective,
        load_tokenizers(run)["report"],
        loader,
        images,
        training,
        beam_size=beam_size,
        corpus=corpus,
        progress=progress,
    )
    about = {
        "run": run.id,
        "method": run.config["objective"]["name"],
        "store": data.store.path.name,
        "store_id": data.store.id,
        "synthetic": data.store.synthetic,
        "manifest_id": data.manifest.id,
        "split": split,
        "num_without_report": len(data.manifest.rows(split)) - len(corpus),
        "training_store_id": data.own.id,
        "image_size": opened.image_size,
        "audit": [dataclasses.asdict(finding) for finding in data.findings],
    }
    judged = GeneratedReports(judged.table, {**about, **judged.summary})
    _keep(judged, opened, "-".join([data.store.path.name, split, *([str(limit)] if limit else [])]))
    return judged


def _positions(store: Store) -> list[str]:
    """Return every view position of a store: whatever it is, an image may be the most similar one."""
    return sorted(store.views["position"].unique())


def _keep(judged: GeneratedReports, opened: Opened, name: str) -> None:
    """Write the table, the summary and the files for metrics elsewhere, each atomically; the summary last."""
    table = judged.table
    with atomic_path(opened.keep(f"{name}-reports.parquet")) as temporary:
        table.to_parquet(temporary, index=False)
    true = table["reference"].tolist()
    for source in (GENERATED, NEAREST):
        texts = table[source].tolist()
        write_reports_csv(opened.keep(f"{name}-{source}.csv"), table["study_id"].tolist(), true, texts)
        write_chexbert_csv(opened.keep(f"{name}-{source}-chexbert.csv"), true, texts)
    write_json(opened.keep(f"{name}-reports.json"), judged.summary)
