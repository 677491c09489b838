"""Where a finished fine-tuning looks: its maps of marked pictures against the boxes, kept in its run folder.

The files are those of `workbench.located_files`.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from lib.atomic import atomic_path, write_json
from lib.data.splits import Manifest
from lib.data.store import Store
from lib.explain.frame import Frame
from lib.models.encoder import make_encoder
from lib.models.pretrained import load_strictly
from lib.objectives.label_classifier import LabelClassifier
from lib.protocols.box_truth import BlindBoxes, ReaderBoxes
from lib.protocols.case_maps import CaseMaps, compute_case_maps
from lib.protocols.faithfulness import judge_faithfulness, summarise_faithfulness
from lib.protocols.localization import BoxRule, choose_thresholds, judge_cases, sweep_thresholds
from lib.protocols.localization_summary import localised_findings, summarise
from workbench.inputs import resolve_device
from workbench.judged_data import open_judged
from workbench.located_files import faithful_file, located_file
from workbench.reopen import open_data
from workbench.runs import Run

LEAKS = {
    "train": "LEAK: the classifier learnt from these pictures",
    "validation": "not held out: weights and threshold were chosen on these pictures",
    "test": "",
}
"""What is wrong with judging on a split; "" where nothing is."""


class OpenedClassifier(NamedTuple):
    """What a fine-tuning has learnt, and from what; unpacks into its four parts."""

    classifier: LabelClassifier  # in evaluation mode
    store: Store  # its own
    manifest: Manifest
    targets: list[str]  # names, in the order of the outputs ("binary": its one target is output 1)


@dataclasses.dataclass(frozen=True)
class Located:
    """The maps of a split, judged.

    Attributes:
        maps: of the cases.
        cases: one row per case; see `lib.protocols.localization.judge_cases`.
        summary: what the JSON file holds: where it comes from, settings, thresholds, "numbers" (see
            `lib.protocols.localization_summary.summarise`), and "faithfulness" where that was asked for.
    """

    maps: CaseMaps
    cases: pd.DataFrame
    summary: dict[str, Any]


def open_classifier(run: Run, device: torch.device | str = "cpu") -> OpenedClassifier:
    """Open the best weights of a finished fine-tuning, and its data.

    Raises:
        ValueError: the run is no fine-tuning or not finished, or other data lies there now.
        FileNotFoundError: its data is not where it was.
    """
    targets = _targets(run)
    store, manifest = open_data(run)
    settings = run.config["finetune"]
    # What it began with is in the weights that it ended with.
    encoder = {key: value for key, value in run.config["encoder"].items() if key != "weights"}
    classifier = LabelClassifier(
        make_encoder(encoder),
        settings["task"],
        [store.label_names.index(name) for name in targets],
        settings.get("feature_norm", "none"),
        dropout=settings.get("head_dropout", 0.0),
    )
    load_strictly(classifier, load_file(run.folder / "checkpoints" / "best.safetensors"))
    return OpenedClassifier(classifier.to(device).eval(), store, manifest, targets)


def frame_of(run: Run, store: Store) -> Frame:
    """Return how the input of a fine-tuning's classifier lies on the pictures of a store.

    Raises:
        ValueError: the pictures are smaller than that input.
    """
    augment = run.config["augment"]
    return Frame(store.image_size, augment["crop_size"], augment.get("evaluation", "crop"))


def locate_maps(
    run: Run,
    *,
    store: Path | str = "",
    split: str = "test",
    method: str = "cam",
    layer: int = -1,
    head: int | None = None,
    allow_leak: str = "",
    device: str = "auto",
) -> CaseMaps:
    """Return the maps of every marked case of a split, computed now or read from the run folder.

    Args:
        run: a finished fine-tuning.
        store: a folder; "" for the run's own store and manifest. Another store has the manifest of seed 0
            that lies beside it, which is made where it is missing.
        split: whose pictures; only those of "test" are held out.
        method: one of `lib.explain.METHODS`.
        layer: of the methods that look at one.
        head: of the methods that look at one; None: their mean.
        allow_leak: reason to go on where the audit finds what the run learnt from in another store.
        device: "auto" is the GPU where there is one.

    Raises:
        ValueError: a run that is no finished fine-tuning, a store without boxes of its findings, a method
            that does not fit its encoder.
        FileNotFoundError: no store there.
    """
    _targets(run)  # refuses a run of another kind before its data is opened
    judged, manifest = _open_data(run, store, allow_leak)
    of = {"split": split, "method": method, "layer": layer, "head": head}
    path = located_file(run, {"store": judged.path.name, "store_id": judged.id, **of}, ".parquet")
    if path.is_file():
        return CaseMaps.load(path)
    opened = open_classifier(run, resolve_device(device))
    maps = compute_case_maps(
        opened.classifier,
        judged,
        _view_rows(run, judged, manifest, split),
        opened.targets,
        method,
        frame=frame_of(run, judged),
        layer=layer,
        head=head,
        about={
            "run": run.id,
            "model": run.config["method"],
            "store": judged.path.name,
            "store_id": judged.id,
            "synthetic": judged.synthetic,
            "manifest_id": manifest.id,
            "split": split,
            "leak": LEAKS[split],
        },
    )
    maps.save(path)
    return maps


def locate(
    run: Run,
    *,
    store: Path | str = "",
    split: str = "test",
    method: str = "cam",
    layer: int = -1,
    head: int | None = None,
    findings: Sequence[str] = (),
    readers: Sequence[str] = (),
    threshold: float | None = None,
    by_finding: bool = False,
    smoothing: float = 0.0,
    min_area: float = 0.0,
    faithful: int = 0,
    replicates: int = 2000,
    allow_leak: str = "",
    device: str = "auto",
) -> Located:
    """Judge the maps of a fine-tuning against the boxes of a split, and keep the result in the run folder.

    Boxes of the training split give the baselines, and the cases of the validation split the threshold: that
    of the largest mean IoU.

    Args:
        run: a finished fine-tuning.
        store: see `locate_maps`, as are `split`, `method`, `layer`, `head`, `allow_leak` and `device`.
        split: whose pictures are judged.
        method: of the maps.
        layer: of the maps.
        head: of the maps.
        findings: those to judge; none: all that the classifier knows.
        readers: whose boxes count; none: all.
        threshold: of all findings, above 0, at most 1; None chooses it.
        by_finding: choose one for each finding; REFERS has "a fixed confidence threshold".
        smoothing: deviation of a Gaussian over the maps, stored pixels.
        min_area: smallest region that counts, stored pixels.
        faithful: cases whose deletion and insertion curves are computed too; 0: none.
        replicates: resamples of patients.
        allow_leak: reason to go on where the audit finds a leak.
        device: where maps are computed.

    Raises:
        ValueError: what `locate_maps` refuses, a finding that the classifier does not know or that nobody
            marked, an unknown reader, a threshold or a number of cases out of its range.
        FileNotFoundError: no store there.
    """
    options = {"store": store, "method": method, "layer": layer, "head": head, "device": device}
    options["allow_leak"] = allow_leak
    _check_findings(findings, _targets(run))
    if faithful < 0:
        raise ValueError(f"faithful is {faithful}; give a number of cases, or 0 for no curves.")
    judged, manifest = _open_data(run, store, allow_leak)
    rule = BoxRule(smoothing=smoothing, min_area=min_area)
    if threshold is None:
        chosen = _of_findings(locate_maps(run, split="validation", **options), findings)
        ious = sweep_thresholds(chosen, ReaderBoxes.of(judged, chosen.cases, readers), rule=rule)
        thresholds = choose_thresholds(ious, chosen.cases["finding"], by_finding=by_finding)
    else:
        thresholds = {"": threshold}
    maps = _of_findings(locate_maps(run, split=split, **options), findings)
    truth = ReaderBoxes.of(judged, maps.cases, readers)
    names = [name for name in maps.about["targets"] if name in set(maps.cases["finding"])]
    blind = BlindBoxes.learn(judged, _view_rows(run, judged, manifest, "train"), names)
    cases = judge_cases(maps, truth, blind, thresholds, rule)
    localised = localised_findings(blind)
    summary = {
        **maps.about,
        "readers": sorted({reader for one in truth.by_case for reader in one}),
        "settings": {**dataclasses.asdict(rule), "threshold": threshold, "by_finding": by_finding},
        "thresholds": thresholds,
        "localised": localised,
        "num_training_boxes": blind.num_boxes,
        "num_zero_maps": int((cases["peak"] == 0).sum()),
        "num_boxes_outside": truth.num_outside,
        "num_unmarked": int((cases["num_readers"] == 0).sum()),
        "numbers": summarise(cases, localised, replicates=replicates),
    }
    if faithful:
        opened = open_classifier(run, resolve_device(device))
        curves = judge_faithfulness(opened.classifier, judged, maps, opened.targets, limit=faithful)
        summary["faithfulness"] = summarise_faithfulness(curves, replicates=replicates)
        # A file of its own: judging again with another threshold, as pages do, leaves it alone.
        kept = {**maps.about, "findings": list(findings), **summary["faithfulness"]}
        write_json(faithful_file(run, maps.about), kept)
    with atomic_path(located_file(run, maps.about, "-cases.parquet")) as temporary:
        cases.to_parquet(temporary, index=False)
    write_json(located_file(run, maps.about, ".json"), summary)
    return Located(maps, cases, summary)


def _targets(run: Run) -> list[str]:
    """Return what a fine-tuning predicts; refuse a run that is none, or not finished."""
    if run.config.get("task") != "finetune":
        raise ValueError(
            f"Run {run.id} is no fine-tuning, its task is {run.config.get('task')!r}: it predicts no "
            "findings to look for. Give a fine-tuning."
        )
    if run.state != "finished":
        raise ValueError(f"Run {run.id} is {run.state}, not finished: its weights may still change.")
    return run.result()["targets"]


def _open_data(run: Run, store: Path | str, allow_leak: str) -> tuple[Store, Manifest]:
    """Open what is judged on; another store than the run's own is audited against that."""
    if not store:
        return open_data(run)  # audited when the run began
    data = open_judged(run, store, allow_leak=allow_leak)
    return data.store, data.manifest


def _view_rows(run: Run, store: Store, manifest: Manifest, split: str) -> np.ndarray:
    """Return the views of a split that the classifier is made for."""
    is_inside = np.isin(store.views["study_row"].to_numpy(), manifest.rows(split))
    return np.flatnonzero(is_inside & store.views["position"].isin(run.config["finetune"]["positions"]))


def _of_findings(maps: CaseMaps, findings: Sequence[str]) -> CaseMaps:
    """Return the cases of some findings, all where none are named."""
    if not findings:
        return maps
    kept = maps.where(maps.cases["finding"].isin(list(findings)).to_numpy())
    if not len(kept):
        raise ValueError(
            f"Nobody marked {', '.join(findings)} on the {maps.about['split']} pictures of "
            f"{maps.about['store']}; marked are {', '.join(sorted(maps.cases['finding'].unique()))}."
        )
    return kept


def _check_findings(findings: Sequence[str], targets: Sequence[str]) -> None:
    if unknown := [name for name in findings if name not in targets]:
        raise ValueError(f"The classifier does not know {', '.join(unknown)}; it knows {', '.join(targets)}.")
