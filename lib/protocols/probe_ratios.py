"""Linear probes over label ratios and draws (ConVIRT, 3.2: 1 %, 10 % and all of the labels, several runs).

The paper repeats each with other random weights; here the solution is exact, and what changes is the draw of
the labelled patients. With all labels there is nothing left to draw.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from lib.data.splits import Manifest
from lib.data.store import Store
from lib.protocols.features import Features
from lib.protocols.linear_probe import LinearProbeConfig, linear_probe
from lib.protocols.prediction_tables import average_cases, target_values
from lib.protocols.predictions import judge_accuracy, judge_values


def probe_ratios(
    features: Features, store: Store, manifest: Manifest, probe: LinearProbeConfig, ratios: Sequence[float]
) -> dict[str, Any]:
    """Fit linear probes on shares of the labels and judge them on the test images.

    Args:
        features: of all frontal images of the splits.
        store: has the labels.
        manifest: its splits and label-ratio subsets.
        probe: its targets are named; label_ratio and draw are set here.
        ratios: above 0, at most 1.

    Returns:
        Ratio, as text -> what `judge` says of the mean AUROC over the draws, with "draws" (mean AUROC of
        each), "spread" (their standard deviation, None for one) and "num_train_studies"; for "multi_class"
        also "accuracy" (estimate, low, high), the mean over the draws, and with averages "num_cases".
    """
    report = {}
    for ratio in ratios:
        draws = range(len(manifest.draws) if ratio < 1 else 1)
        parts = [
            linear_probe(
                features,
                store,
                manifest,
                dataclasses.replace(probe, label_ratio=ratio, draw=draw),
            )
            for draw in draws
        ]
        tables = [average_cases(table, probe.average_by) for table, _ in parts]
        labels, patients = target_values(tables[0])[0], tables[0]["patient_id"].to_numpy()
        probabilities = np.stack([target_values(table)[1] for table in tables])
        estimates = [about["auroc"]["estimate"] for _, about in parts]
        report[f"{ratio:g}"] = {
            **judge_values(probe.targets, labels, probabilities, patients),
            "draws": estimates,
            "spread": round(float(np.std(estimates, ddof=1)), 6) if len(estimates) > 1 else None,
            "num_train_studies": parts[0][1]["num_train_studies"],
        }
        if probe.average_by:
            report[f"{ratio:g}"] |= {"num_images": len(parts[0][0]), "num_cases": len(labels)}
        if probe.task == "multi_class":
            report[f"{ratio:g}"]["accuracy"] = judge_accuracy(labels, probabilities, patients)
    return report
