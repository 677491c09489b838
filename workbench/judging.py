"""What a pre-training is worth without training on: retrieval, zero-shot classification and linear probes."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from lib.atomic import write_json
from lib.data.prompts import CHEST, Prompts, read_prompts
from lib.data.splits import Manifest
from lib.data.store import Store
from lib.data.text_units import check_text_unit, texts_of
from lib.protocols.linear_probe import LinearProbeConfig
from lib.protocols.probe_ratios import probe_ratios
from lib.protocols.prompt_retrieval import retrieve_by_prompts
from lib.protocols.retrieval import (
    RetrievalConfig,
    choose_lists,
    image_image,
    study_report,
    values_of,
)
from lib.protocols.targets import choose_rows
from lib.protocols.zero_shot import zero_shot
from workbench.embedded import FRONTAL, TRAINED, Embedded, Opened, embed
from workbench.inputs import resolve_device
from workbench.judged_data import open_judged
from workbench.runs import Run

NO_TEXTS = "the objective embeds no texts"


@dataclasses.dataclass(kw_only=True)
class JudgeConfig:
    """How a pre-training is judged on a store.

    Attributes:
        retrieval: by category; the paper's 10 queries and 200 candidates of each class are more than a test
            split of a few hundred studies has, so the defaults here are smaller.
        prompts: YAML file; "" for the package's own.
        text_unit: how a report is embedded to be matched with its study, of `lib.data.text_units`: "report",
            cut to the longest text of the training, "impression", or the mean over what is more than one
            text, "sentence" and "section"; "" for that which the objective learnt from.
        targets: labels of probes and zero-shot; empty: all with `min_positives`.
        min_positives: studies with and without a target that each split must have.
        label_ratios: of the linear probes; below 1 each draw of the manifest is one.
        positions: of the views that are looked at.
        allow_leak: reason to go on where the audit finds pre-training data in what is judged on.
    """

    retrieval: RetrievalConfig = dataclasses.field(
        default_factory=lambda: RetrievalConfig(num_queries=5, num_candidates=10)
    )
    prompts: str = ""
    text_unit: str = ""
    targets: list[str] = dataclasses.field(default_factory=list)
    min_positives: int = 3
    label_ratios: list[float] = dataclasses.field(default_factory=lambda: [0.01, 0.1, 1.0])
    positions: list[str] = dataclasses.field(default_factory=lambda: list(FRONTAL))
    allow_leak: str = ""

    def __post_init__(self):
        if self.text_unit:
            check_text_unit(self.text_unit)


def judge_pairs(
    run: Run,
    *,
    store: Path | str = "",
    split: str = "test",
    seed: int = 0,
    config: JudgeConfig | None = None,
    weights: str = TRAINED,
    device: str = "auto",
) -> dict[str, Any]:
    """Judge a finished pre-training on a store, and keep the result in the run folder.

    Args:
        run: any objective; one that embeds no texts is judged by its image encoder alone.
        store: a folder; "" for the run's own store, with the split that the run was made with. Another store
            has the manifest of seed 0 that lies beside it, which is made where it is missing.
        split: whose images are judged. Linear probes train on the training split and are judged on the test
            split, so they are left out for another.
        seed: of the draw of queries and candidates.
        config: everything else.
        weights: "trained", or "initial" for those that the run began with, to compare with.
        device: "auto" is the GPU where there is one.

    Returns:
        What judged/<store>-<split>.json holds: run, method, store, ids, settings and audit; "image_image",
        "text_image" ("all" sentences, and by "styles"), "study_report", "zero_shot" and "linear_probe" as
        their protocols say it. A part that could not be judged is None, with the reason in "not_judged".

    Raises:
        ValueError: a run that is not a finished pre-training, settings that do not fit the store, a leak.
    """
    config = config or JudgeConfig()
    opened = Opened(run, weights=weights, device=resolve_device(device))
    data = open_judged(run, store, allow_leak=config.allow_leak)
    judged, manifest = data.store, data.manifest
    prompts = read_prompts(config.prompts or CHEST, known=judged.label_names)
    embedded = embed(opened, judged, manifest, split, config.positions)
    rows = manifest.rows(split)
    config = dataclasses.replace(config, retrieval=dataclasses.replace(config.retrieval, seed=seed))

    not_judged: dict[str, str] = {}
    report = {
        "run": run.id,
        "method": run.config["objective"]["name"],
        "weights": weights,
        "store": judged.path.name,
        "store_id": judged.id,
        "synthetic": judged.synthetic,
        "manifest_id": manifest.id,
        "split": split,
        "image_size": opened.image_size,
        "num_images": len(embedded.features.of(rows).values),
        "settings": dataclasses.asdict(config),
        "audit": [dataclasses.asdict(finding) for finding in data.findings],
        **_retrieve(opened, embedded, judged, rows, prompts, config, not_judged),
        "study_report": _match(opened, embedded, judged, config, not_judged),
        **_classify(opened, embedded, judged, manifest, prompts, config, split, not_judged),
        "not_judged": not_judged,
    }
    write_json(opened.keep(f"{judged.path.name}-{split}.json"), report)
    return report


def _retrieve(
    opened: Opened,
    embedded: Embedded,
    store: Store,
    rows: np.ndarray,
    prompts: Prompts,
    config: JudgeConfig,
    not_judged: dict[str, str],
) -> dict[str, Any]:
    """Retrieve by category: images by images, images by sentences."""
    report: dict[str, Any] = {"image_image": None, "text_image": None}
    features = embedded.features.of(rows)
    try:
        lists = choose_lists(store, np.unique(features.study_rows), config.retrieval)
    except ValueError as error:
        if config.retrieval.classes:  # somebody asked for just these
            raise
        not_judged |= dict.fromkeys(report, str(error))
        return report
    values = [values_of(pictures, features) for pictures in (lists.queries, lists.candidates)]
    report["image_image"] = image_image(lists, *values, config.retrieval)
    if opened.pairs is None:
        not_judged["text_image"] = NO_TEXTS
        return report
    candidates = values_of(lists.candidates, embedded.embeddings)
    report["text_image"] = retrieve_by_prompts(opened.pairs, lists, candidates, prompts, config.retrieval)
    if report["text_image"] is None:
        not_judged["text_image"] = f"{prompts.path.name} has no prompts for {', '.join(lists.classes)}"
    return report


def _match(
    opened: Opened, embedded: Embedded, store: Store, config: JudgeConfig, not_judged: dict[str, str]
) -> dict[str, Any] | None:
    """Retrieve reports by studies and studies by reports."""
    if opened.pairs is None or not store.has_reports:
        not_judged["study_report"] = f"{store.name} has no reports" if opened.pairs else NO_TEXTS
        return None
    images = embedded.embeddings.first_views()
    studies = store.studies.iloc[images.study_rows]
    unit = config.text_unit or opened.run.config["objective"].get("text_unit", "report")
    texts = texts_of(studies["findings"], studies["impression"], unit)
    similarity = opened.pairs.similarity(opened.pairs.embed_reports(texts), images.values)
    joined = [" ".join(parts) for parts in texts]  # what is the same to the encoder is a hit
    report = study_report(similarity, joined, studies["patient_id"].to_numpy(), config.retrieval)
    return {**report, "text_unit": unit}


def _classify(
    opened: Opened,
    embedded: Embedded,
    store: Store,
    manifest: Manifest,
    prompts: Prompts,
    config: JudgeConfig,
    split: str,
    not_judged: dict[str, str],
) -> dict[str, Any]:
    """Classify by prompts and by linear probes, the same labels."""
    probe = LinearProbeConfig(
        targets=config.targets, positions=config.positions, min_positives=config.min_positives
    )
    probe.targets = choose_rows(store, manifest, probe)[0]
    report: dict[str, Any] = {"zero_shot": None, "linear_probe": None}
    findings = [name for name in probe.targets if name in prompts.by_finding]
    if opened.pairs is None:
        not_judged["zero_shot"] = NO_TEXTS
    elif not findings:
        not_judged["zero_shot"] = f"{prompts.path.name} has no prompts for {', '.join(probe.targets)}"
    else:
        report["zero_shot"] = zero_shot(opened.pairs, embedded.embeddings, store, prompts, findings)
    if split != "test":
        not_judged["linear_probe"] = f"probes are judged on the test split, not on {split}"
    else:
        report["linear_probe"] = probe_ratios(embedded.features, store, manifest, probe, config.label_ratios)
    return report
