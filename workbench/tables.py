"""Tables for people: few columns, rounded, with their uncertainty beside them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.runs import PROJECT, Run

METHOD_NAMES = {
    "random": "random initialisation",
    "refers": "REFERS",
    "convirt": "ConVIRT",
    "contrastive_binary": "Contrastive-Binary",
}


def method_name(method: str) -> str:
    """Return how a method is spelled where people read it."""
    return METHOD_NAMES.get(method, method)


def auroc_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the summary of fine-tunings as a person reads it, one row per label ratio and method.

    Args:
        summary: as `workbench.results.summary` returns it.
    """
    columns = {
        "label ratio": [f"{100 * ratio:g} %" for ratio in summary["label_ratio"]],
        "initialisation": [method_name(method) for method in summary["method"]],
        "seeds": summary["num_seeds"].astype(int),
        "mean AUROC": _format(summary["auroc"], ".3f"),
        "95 % interval": _intervals(summary["low"], summary["high"]),
        "paired difference": _format(summary["difference"], "+.3f"),
        "95 % interval of it": _intervals(summary["difference_low"], summary["difference_high"], sign="+"),
    }
    return pd.DataFrame(columns)


def judgement_table(judged: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return what pre-trainings are worth without training on, one column each.

    Args:
        judged: name -> what `workbench.judging.judge_pairs` returns.
    """
    return pd.DataFrame({name: dict(_judgement_rows(report)) for name, report in judged.items()}).fillna("")


def _judgement_rows(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each measure with its interval, and in brackets what guessing gives."""
    by_prompt = report["text_image"] and report["text_image"]["all"]
    for title, found in (("image-image", report["image_image"]), ("text-image", by_prompt)):
        if found:
            for k, value in found["precision"].items():
                yield f"{title} precision@{k}", f"{_spread(value)} ({found['chance']:.3f})"
    if report["study_report"]:
        for title, way in (("study to report", "study_to_report"), ("report to study", "report_to_study")):
            found = report["study_report"][way]
            for k, value in found["recall"].items():
                yield f"{title} R@{k}", f"{_spread(value)} ({found['chance'][k]:.3f})"
    if report["zero_shot"]:
        yield "zero-shot mean AUROC", f"{_spread(report['zero_shot']['ensemble']['auroc'])} (0.500)"
    for ratio, found in (report["linear_probe"] or {}).items():
        yield (
            f"linear mean AUROC, {100 * float(ratio):g} % of the labels",
            f"{_spread(found['auroc'])} (0.500)",
        )


def _spread(value: Mapping[str, float]) -> str:
    return f"{value['estimate']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def value_table(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return nested values as two columns, dotted key and value: of a config, what could be overridden."""
    rows = _flatten(values)
    return pd.DataFrame({"value": [value for _, value in rows]}, index=[key for key, _ in rows])


def run_table(runs: Sequence[Run]) -> pd.DataFrame:
    """List fine-tunings: id, label ratio, method, seed, mean AUROC of the test."""
    return pd.DataFrame(
        [
            {
                "run": run.id,
                "label ratio": run.config["finetune"]["label_ratio"],
                "method": run.config["method"],
                "seed": run.config["seed"],
                "AUROC": round(run.result()["auroc"]["estimate"], 3),
            }
            for run in runs
        ]
    )


def file_table(*paths: Path) -> pd.DataFrame:
    """List files and what folders hold, path in the project and size; what is not there is left out."""
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    files = [file for file in files if file.is_file() and file.name != "lock"]
    shown = [file.relative_to(PROJECT) if file.is_relative_to(PROJECT) else file for file in files]
    sizes = [round(file.stat().st_size / 1000, 1) for file in files]
    return pd.DataFrame({"file": [str(file) for file in shown], "kB": sizes})


def _format(values: pd.Series, form: str) -> list[str]:
    return ["" if pd.isna(value) else format(value, form) for value in values]


def _intervals(low: pd.Series, high: pd.Series, sign: str = "") -> list[str]:
    return [
        "" if pd.isna(left) else f"[{left:{sign}.3f}, {right:{sign}.3f}]"
        for left, right in zip(low, high, strict=True)
    ]


def _flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in values.items():
        rows += (
            _flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
        )
    return rows
