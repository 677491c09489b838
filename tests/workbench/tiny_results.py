"""Run folders of fine-tunings as their files say it; nothing is trained."""

import json

import numpy as np
import pandas as pd

from workbench.runs import Run

TARGETS = ["effusion", "mass"]


def write_run(root, method, seed, label_ratio=0.1, *, signal=1.0, init_id="a", finished=True, **protocol):
    """Leave a fine-tuning as its files say it: 90 images of 45 patients, in an order of its own."""
    config = {
        "recipe": "finetune/tiny",
        "task": "finetune",
        "store": "somewhere",
        "store_id": "s",
        "manifest_id": "m",
        "synthetic": False,
        "init_id": init_id,
        "method": method,
        "seed": seed,
        "encoder": {"width": 8},
        "finetune": {"label_ratio": label_ratio, "draw": seed, "task": "multi_label", **protocol},
    }
    run = Run.create("finetune/tiny", config, root)
    labels = (np.random.default_rng(0).random((90, 2)) < 0.4).astype(float)
    if protocol.get("task") == "multi_class":
        labels[:, 1] = 1 - labels[:, 0]
    random = np.random.default_rng([seed, len(method), round(100 * label_ratio)])
    probabilities = signal * labels + random.standard_normal((90, 2))
    columns = {
        "study_id": [f"s{row}" for row in range(90)],
        "patient_id": [f"p{row // 2}" for row in range(90)],
        "view_id": [f"v{row}" for row in range(90)],
        **{f"label/{name}": labels[:, k] for k, name in enumerate(TARGETS)},
        **{f"probability/{name}": probabilities[:, k] for k, name in enumerate(TARGETS)},
    }
    with run.recording():
        pd.DataFrame(columns).iloc[random.permutation(90)].to_parquet(run.folder / "predictions.parquet")
        (run.folder / "metrics.jsonl").write_text('{"kind": "train", "step": 1, "loss": 0.5}\n')
        report = {"targets": TARGETS, "auroc": {"estimate": 0.5, "low": 0.4, "high": 0.6}, "steps": 7}
        if protocol.get("task") == "multi_class":
            report["accuracy"] = {"estimate": 0.7, "low": 0.6, "high": 0.8}
        (run.folder / "result.json").write_text(json.dumps(report))
    if not finished:
        run._set_status("failed", "because")
    return run
