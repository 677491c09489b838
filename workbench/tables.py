"""Tables for people: few columns, rounded, with their uncertainty beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.measures import measures_of
from workbench.runs import PROJECT, Run

METHOD_NAMES = {
    "random": "random initialisation",
    "refers": "REFERS",
    "convirt": "ConVIRT",
    "contrastive_binary": "Contrastive-Binary",
    "caption_lstm": "Caption-LSTM",
    "caption_transformer": "Caption-Transformer",
    "context_restoration": "Context Restoration",
    "model_genesis": "Model Genesis",
    "transvw": "TransVW",
    "simclr": "SimCLR",
    "moco_v2": "MoCo v2",
    "c2l": "C2L",
    "lsp": "LSP",
    "imagenet": "ImageNet",
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

    Returns:
        Each measure with its interval, and in brackets what guessing gives.
    """
    columns = {
        name: {one.title: f"{_spread(one._asdict())} ({one.chance:.3f})" for one in measures_of(report)}
        for name, report in judged.items()
    }
    return pd.DataFrame(columns).fillna("")


SCORE_NAMES = {
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "rouge_l": "ROUGE-L",
    "cider_d": "CIDEr-D",
    "label_f1_micro": "micro F1 of findings, by rules",
    "label_f1_macro": "macro F1 of findings, by rules",
}
SOURCE_NAMES = {
    "generated": "generated",
    "nearest": "nearest neighbour",
    "constant": "most frequent report",
}


def generation_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """Return what generated reports are worth beside the baselines, a row for each score.

    Args:
        summary: of `workbench.generating.generate_reports`.
    """
    columns = {
        title: [_spread(summary["scores"][source][score]) for score in SCORE_NAMES]
        for source, title in SOURCE_NAMES.items()
    }
    difference = summary["difference"]["generated"]
    columns["generated - nearest"] = [_spread(difference[score], sign="+") for score in SCORE_NAMES]
    return pd.DataFrame(columns, index=list(SCORE_NAMES.values()))


def _spread(value: Mapping[str, float | None], sign: str = "") -> str:
    """Return an estimate with its interval, as far as there is one."""
    if value["estimate"] is None:
        return ""
    estimate = f"{value['estimate']:{sign}.3f}"
    if value["low"] is None:
        return estimate
    return f"{estimate} [{value['low']:{sign}.3f}, {value['high']:{sign}.3f}]"


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
