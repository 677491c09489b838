"""The command `workbench locate`: maps against boxes, as tables for people."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lib.data.splits import SPLITS
from lib.explain.explain import describe
from workbench.locating import Located, locate
from workbench.runs import open_run
from workbench.tables import method_name

INTERVALS = {
    "IoU": "iou",
    "IoU - centre box": "iou - center",
    "IoU - mean box": "iou - mean_box",
    "pointing": "pointing",
    "pointing - centre": "pointing - center",
}
"""Columns of the table with intervals, and the numbers that stand in them."""

ESTIMATES = {
    "readers": "reader_iou",
    "CNR": "cnr",
    "mIoU": "map_iou",
    "IoU > 0.5": "iou>0.5",
    "precision@0.3": "precision@0.3",
    "recall@0.3": "recall@0.3",
}
"""Columns without."""


def do_locate(
    runs: Sequence[str],
    *,
    all_splits: bool = False,
    split: str = "test",
    root: Path | str | None = None,
    **options: Any,
) -> None:
    """Judge runs and print their tables; see `workbench.locating.locate`.

    Args:
        runs: ids of fine-tunings.
        all_splits: judge every split, those that are not held out marked as such.
        split: the one to judge otherwise.
        root: of the runs; None: `outputs/runs` of the project.
        options: of `locate`.
    """
    for run in [open_run(name, root) for name in runs]:  # all of them before the first is judged
        for one in SPLITS if all_splits else (split,):
            print(describe_located(locate(run, split=one, **options)), end="\n\n")


def describe_located(located: Located) -> str:
    """Return what was judged, where the numbers come from, and the table."""
    about = located.summary
    numbers = about["numbers"]["all cases"]
    kind = "synthetic pictures" if about["synthetic"] else "pictures"
    readers = f"{len(about['readers'])} readers" if len(about["readers"]) != 1 else about["readers"][0]
    lines = [
        f"{about['run']} ({method_name(about['model'])}): {numbers['num_cases']} marked findings of "
        f"{numbers['num_patients']} patients, {kind} of {about['store']}, {about['split']} split, {readers}",
        f"{about['method']}: {describe(about['method'])}",
        f"threshold {_say_thresholds(about)}; 95 % intervals over patients; baselines of training boxes",
    ]
    lines += [about["leak"]] if about["leak"] else []
    for key, what in (
        ("num_zero_maps", "maps are zero everywhere: no box, no pointing"),
        ("num_boxes_outside", "boxes lie beside their picture and were left out"),
        ("num_unmarked", "cases have no box left and count nowhere"),
    ):
        lines += [f"{about[key]} {what}"] if about[key] else []
    without = [name for name, count in about["num_training_boxes"].items() if not count]
    lines += [f"no baseline, for no training picture has boxes: {', '.join(without)}"] if without else []
    lines.append(localization_table(about["numbers"], about["localised"]).to_string())
    if "faithfulness" in about:
        lines.append(_describe_faithfulness(about["faithfulness"]))
    return "\n".join(lines)


def localization_table(numbers: Mapping[str, Any], localised: Sequence[str] = ()) -> pd.DataFrame:
    """Return the numbers of a summary as people read them, a row for each finding and each mean.

    Args:
        numbers: of `lib.protocols.localization_summary.summarise`.
        localised: findings that are marked with a star.
    """
    rows = {f"{name}{' *' if name in localised else ''}": one for name, one in numbers["findings"].items()}
    rows |= {
        f"{name}{' *' if 'localised' in name else ''}": one
        for name, one in numbers.items()
        if name != "findings"
    }
    columns = {"cases": [str(one["num_cases"]) for one in rows.values()]}
    for title, key in INTERVALS.items():
        columns[title] = [_spread(one[key], "+" if " - " in key else "") for one in rows.values()]
    for title, key in ESTIMATES.items():
        values = [one[key]["estimate"] for one in rows.values()]
        columns[title] = ["" if value is None else f"{value:.2f}" for value in values]
    return pd.DataFrame(columns, index=list(rows))


def _describe_faithfulness(summary: Mapping[str, Any]) -> str:
    parts = [
        f"{name} {_spread(summary[name], '')}, minus that of shuffled places "
        f"{_spread(summary[f'{name} - shuffled'], '+')}"
        for name in ("deletion", "insertion")
    ]
    return f"area under the curve of {summary['num_cases']} cases: {'; '.join(parts)}"


def _say_thresholds(about: Mapping[str, Any]) -> str:
    settings, thresholds = about["settings"], about["thresholds"]
    if settings["by_finding"]:
        chosen = ", ".join(f"{name} {value:g}" for name, value in thresholds.items() if name)
        return f"chosen on the validation split by finding ({chosen})"
    chosen = "" if settings["threshold"] is not None else ", chosen on the validation split"
    return f"{thresholds['']:g} of the maximum{chosen}"


def _spread(value: Mapping[str, float | None], sign: str) -> str:
    if value["estimate"] is None:
        return ""
    return f"{value['estimate']:{sign}.2f} [{value['low']:{sign}.2f}, {value['high']:{sign}.2f}]"
